"""Look-ahead optimum of a campus that knows the outage: a mixed-integer programme (HiGHS in SciPy).

The campus is one copper plate with one battery of all batteries; generators are alike, and how many run is a
whole number. With power p, fuel of intercept a and slope b (l/h per kW of rating, l/kWh) and step h

    min  sum_t h (buy import - sell export + wear (c + d) + fuel price (a P n + b g)) + starts
         + sum_t,k h price_k (demand_k - served_k) - stored price (E_end - E_begin)
    E_t+1 = (1 - sigma h) E_t + h (eta_c c - d / eta_d),   m n <= g <= P n
    import - export + g + d - c + sun used = (1 + loss) sum served

and no import or export while the campus cannot reach the grid. What it plans, `follow` plays in the task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridjax.envs.resilience import Params, Resilience

Array = Any


@dataclass(frozen=True)
class Foreseen:
    """What is known of all steps of a scenario; kW and EUR/kWh."""

    demand: np.ndarray  # [n_step, 3], of each tier
    sun: np.ndarray  # [n_step]
    buy: np.ndarray  # [n_step]
    sell: np.ndarray  # [n_step]
    reachable: np.ndarray  # [n_step], bool: the grid can be reached
    generators: np.ndarray  # [n_step], number that can run
    delivered: np.ndarray  # [n_step], l of fuel that arrives at the end of a step
    energy: float  # kWh at the beginning, of all batteries
    fuel: float  # l at the beginning, of all tanks


@dataclass(frozen=True)
class OutagePlan:
    """kW, `[n_step]` each, and what it would cost."""

    battery: np.ndarray  # positive for discharge
    generation: np.ndarray  # of all generators
    running: np.ndarray  # how many
    served: np.ndarray  # [n_step, 3]
    value: float  # EUR, the programme's objective


def plan_outage(
    env: Resilience, params: Params, known: Foreseen, *, gap: float = 1e-3, seconds: float = 20.0
) -> OutagePlan:
    """The best plan for what is `known`, to a relative `gap` or the best found within `seconds`.

    Raises `ValueError` where none is found.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csc_array, eye_array, hstack, vstack

    h, steps = env.hours, known.sun.shape[0]
    campus = params.campus
    pile = {name: np.asarray(value, float) for name, value in vars(campus.battery).items()}
    engine = {name: np.asarray(value, float) for name, value in vars(campus.generator).items()}
    total, capacity = pile["power"].sum(), pile["capacity"].sum()
    rating, tank = engine["power"].mean(), engine["tank"].sum()
    reserve = float(params.reserve)
    island = ~known.reachable
    spare = np.where(island, reserve * total, 0.0)

    names = ("charge", "discharge", "energy", "generation", "fuel", "sun", "import", "export")
    names = (*names, "critical", "priority", "discretionary", "started", "running")
    column = {name: k for k, name in enumerate(names)}
    one, none, before = eye_array(steps), csc_array((steps, steps)), eye_array(steps, k=-1)

    def rows(blocks):
        return hstack([blocks.get(name, none) for name in names])

    keeps = 1.0 - float(pile["self_discharge"].mean()) * h
    into, out = float(pile["charge_efficiency"].mean()), float(pile["discharge_efficiency"].mean())
    burn, idle = engine["slope"].mean(), engine["intercept"].mean() * rating
    load = -(1.0 + float(params.loss_share)) * one
    first = np.zeros(steps)
    first[0] = 1.0
    equal = vstack(
        [
            rows({"energy": one - keeps * before, "charge": -h * into * one, "discharge": h / out * one}),
            rows({"fuel": one - before, "generation": h * burn * one, "running": h * idle * one}),
            rows(
                {"import": one, "export": -one, "generation": one, "discharge": one, "charge": -one}
                | {"sun": one, "critical": load, "priority": load, "discretionary": load}
            ),
        ]
    )
    right = np.concatenate(
        [first * keeps * known.energy, first * known.fuel + known.delivered, np.zeros(steps)]
    )
    # fuel that does not fit into the tank is not taken
    least = right.copy()
    least[steps : 2 * steps] -= known.delivered
    limits = vstack(
        [
            rows({"generation": one, "running": -rating * (1.0 - reserve) * one}),
            rows({"generation": -one, "running": engine["minimum"].mean() * one}),
            rows({"running": one - before, "started": -one}),
        ]
    )
    price = np.asarray(params.unserved_price, float)
    cost = np.zeros((len(names), steps))
    wear = float(pile["wear"].mean())
    cost[column["charge"]] = cost[column["discharge"]] = h * wear
    cost[column["energy"], -1] = -float(params.stored_price)
    cost[column["generation"]] = h * burn * float(params.fuel_price)
    cost[column["running"]] = h * idle * float(params.fuel_price)
    cost[column["started"]] = float(engine["start_cost"].mean())
    cost[column["import"]], cost[column["export"]] = h * known.buy, -h * known.sell
    for k, tier in enumerate(("critical", "priority", "discretionary")):
        cost[column[tier]] = -h * price[k]

    upper = np.full((len(names), steps), np.inf)
    upper[column["charge"]] = upper[column["discharge"]] = total - spare
    upper[column["energy"]] = capacity
    upper[column["fuel"]] = tank
    upper[column["sun"]] = known.sun
    upper[column["import"]] = upper[column["export"]] = np.where(island, 0.0, np.inf)
    upper[column["critical"] : column["discretionary"] + 1] = known.demand.T
    upper[column["running"]] = known.generators
    whole = np.zeros((len(names), steps))
    whole[column["running"]] = 1.0
    # the stubs of SciPy know scalar bounds alone
    bounds: Any = Bounds(*(np.zeros(upper.size), upper.ravel()))  # pyright: ignore[reportArgumentType]
    balance = LinearConstraint(equal, *(least, right))  # pyright: ignore[reportArgumentType]
    found = milp(
        cost.ravel(),
        integrality=whole.ravel(),
        bounds=bounds,
        constraints=[balance, LinearConstraint(limits, -np.inf, 0.0)],
        options={"mip_rel_gap": gap, "time_limit": seconds},
    )
    if found.x is None:
        raise ValueError(f"the programme of the outage has no solution: {found.message}")
    plan = found.x.reshape(len(names), steps)
    constant = h * float((known.demand @ price).sum()) + float(params.stored_price) * known.energy
    return OutagePlan(
        battery=plan[column["discharge"]] - plan[column["charge"]],
        generation=plan[column["generation"]],
        running=np.round(plan[column["running"]]),
        served=plan[column["critical"] : column["discretionary"] + 1].T,
        value=float(found.fun) + constant,
    )


def follow(env: Resilience, params: Params, plan: OutagePlan, known: Foreseen) -> dict[str, np.ndarray]:
    """Actions `[n_step, n_agent, n_action]` that play `plan`; heat pumps as is usual, switches by default."""
    steps = known.sun.shape[0]
    campus = params.campus
    groups = env.groups
    total = float(np.sum(np.asarray(campus.battery.power)))
    battery = np.clip(plan.battery / total, -1.0, 1.0)
    power, low = np.asarray(campus.generator.power, float), np.asarray(campus.generator.minimum, float)
    each = plan.generation / np.maximum(plan.running, 1.0)
    level = np.clip((each[:, None] - low) / (power - low), 1e-3, 1.0)
    on = np.arange(groups["generator"]) < plan.running[:, None]
    demand = np.maximum(known.demand.sum(axis=1), 1e-9)
    shed = np.clip(plan.served.sum(axis=1) / demand - 1.0, -1.0, 0.0)
    load = np.zeros((steps, groups["load"], 2))
    load[..., 0] = np.where(shed > -1e-4, 0.0, shed)[:, None]
    return {
        "generator": np.where(on, level, 0.0)[..., None],
        "battery": np.broadcast_to(battery[:, None, None], (steps, groups["battery"], 1)),
        "load": load,
        "connection": np.zeros((steps, groups["connection"], 1)),
    }
