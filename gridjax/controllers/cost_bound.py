"""Least cost of a day by linear programming (HiGHS in SciPy): a bound that no controller can pass.

The community is one copper plate with all batteries: no losses of the network, no limits of connections and
inverters, free transfers among all, all known in advance. What is left is linear:

    min  sum_t h (buy_t import_t - sell_t export_t) + h wear' (c_t + d_t) - stored_price (E_end - E_begin)
    E_t+1 = (1 - sigma h) E_t + h (eta_c c_t - d_t / eta_d),   import_t - export_t = sum (demand - sun + c_t
    - d_t)

Curtailing and leaving demand unserved never pay at positive prices, so neither appears.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gridjax.devices import Battery

Array = Any


def cost_bound(
    demand: Array,
    sun: Array,
    buy: Array,
    sell: Array,
    battery: Battery,
    energy: Array,
    stored_price: float,
    hours: float = 0.25,
) -> float:
    """Lower bound on payments and wear less the growth of what is stored, EUR, of all agents together.

    Args:
        demand, sun: kW, `[n_step, n_agent]`.
        buy, sell: EUR/kWh, `[n_step]`, with 0 <= sell <= buy.
        battery: ratings, `[n_agent]`.
        energy: kWh at the beginning, `[n_agent]`.
        stored_price: EUR/kWh of energy in a battery.

    Credits for transfers that relieve the network are not in it; they are far below its precision.
    Raises `ValueError` where prices are out of order, or the programme is not solved.
    """
    from scipy.optimize import linprog
    from scipy.sparse import block_diag, eye_array, hstack, vstack
    from scipy.sparse import kron as product

    buy, sell = (np.asarray(x, float) for x in (buy, sell))
    if not (np.all(sell >= 0.0) and np.all(sell <= buy)):
        raise ValueError(f"sell is {sell.min()} to {sell.max()}, expected 0 to buy in every step")
    ratings = {name: np.asarray(value, float) for name, value in vars(battery).items()}
    net = (np.asarray(demand, float) - np.asarray(sun, float)).sum(axis=1)
    steps, n = np.shape(demand)
    # variables: charge, discharge and the energy after, agent by agent, then import and export
    wear = hours * np.repeat(ratings["wear"], steps)
    at_end = np.zeros((n, steps))
    at_end[:, -1] = -stored_price
    cost = np.concatenate([wear, wear, at_end.ravel(), hours * buy, -hours * sell])

    one = eye_array(steps)
    before = eye_array(steps, k=-1)
    keeps = 1.0 - ratings["self_discharge"] * hours
    storage = hstack(
        [
            block_diag([-hours * ratings["charge_efficiency"][i] * one for i in range(n)]),
            block_diag([hours / ratings["discharge_efficiency"][i] * one for i in range(n)]),
            block_diag([one - keeps[i] * before for i in range(n)]),
        ]
    )
    first = np.zeros((n, steps))
    first[:, 0] = keeps * np.asarray(energy, float)
    agents = np.ones((1, n))
    balance = hstack([product(agents, -one), product(agents, one), product(0.0 * agents, one), one, -one])
    rest = np.zeros((n * steps, 2 * steps))
    equal = vstack([hstack([storage, rest]), balance]).tocsr()
    power, capacity = np.repeat(ratings["power"], steps), np.repeat(ratings["capacity"], steps)
    upper = np.concatenate([power, power, capacity, np.full(2 * steps, np.inf)])
    bounds = np.stack([np.zeros_like(upper), upper], axis=1)
    found = linprog(cost, A_eq=equal, b_eq=np.concatenate([first.ravel(), net]), bounds=bounds)
    if found.status != 0:
        raise ValueError(f"the linear programme of the day was not solved: {found.message}")
    return float(found.fun + stored_price * np.sum(np.asarray(energy, float)))
