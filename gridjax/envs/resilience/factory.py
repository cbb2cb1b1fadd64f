"""Build Resilience-v0 from a network, a year of profiles, and the plants of a campus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax import network as networks
from gridjax.devices import Battery, HeatPump
from gridjax.devices.generator import Generator
from gridjax.devices.swing import Forming, Protection
from gridjax.envs.options import known, whole
from gridjax.envs.registry import register
from gridjax.envs.resilience.campus import BUILDINGS, Building, Campus
from gridjax.envs.resilience.environment import Resilience
from gridjax.envs.resilience.siting import far_apart, layout_of, on_campus
from gridjax.envs.resilience.state import Params, Scenario, Weights
from gridjax.envs.resilience.topology import NOMINAL_FREQUENCY
from gridjax.network import Network
from gridjax.powerflow import prepare
from gridjax.scenarios import Profiles, days, load_simbench, outages
from gridjax.scenarios.prices import Tariff
from gridjax.scenarios.prices import tariff as default_tariff
from gridjax.scenarios.tables import tables
from gridjax.scenarios.task_year import check_year

# of cigre_mv (CIGRE task force C6.04.02): the campus is the first feeder but for its first line. Its ties are
# the open switches S1 to S3 of the benchmark; batteries, the first generator and sun stand where the
# benchmark has its batteries, its diesel plant and its sun. Ratings are those of a campus.
_CIGRE = {
    "fused": {15: 7, 16: 4, 17: 8},
    "connections": ("line 0", "line 14"),
    "ties": ("line 12", "line 13"),
    "open": ("line 14", "line 12", "line 13"),
    "batteries": (5, 10),
    "generators": (9, 5),
    "sun": {3: 20, 4: 20, 5: 30, 6: 30, 8: 30, 9: 30, 10: 40, 11: 10},
}
_TOWN = "mv_comm"
_WEIGHTS = Weights(cost=1.0, resilience=1.0, efficiency=0.05, stability=0.05)
# stages of under-frequency load shedding: what is left of critical, priority, discretionary load
_KEPT = ((1.0, 1.0, 1.0), (1.0, 1.0, 0.5), (1.0, 1.0, 0.0), (1.0, 0.5, 0.0), (1.0, 0.0, 0.0))
_THRESHOLDS = (48.8, 48.6, 48.4, 48.2)  # Hz


def make(
    network: str | Network | None = None,
    *,
    connections: Sequence[str | int] | None = None,
    ties: Sequence[str | int] | None = None,
    normally_open: Sequence[str | int] | None = None,
    generator_buses: Sequence[int] | None = None,
    battery_buses: Sequence[int] | None = None,
    managers: int = 3,
    buildings: Sequence[Building] = BUILDINGS,
    generator_share: float = 0.6,
    battery_share: float = 0.5,
    battery_hours: float = 3.0,
    sun_share: float = 0.6,
    tank_hours: float = 20.0,
    split: str = "train",
    profiles: Profiles | None = None,
    rates: Mapping[str, float] | None = None,
    scenarios: Scenario | None = None,
    tariff: Tariff | None = None,
    weights: Mapping[str, float] | None = None,
    unserved_prices: tuple[float, float, float] = (100.0, 20.0, 4.0),
    forecast_error: float = 0.2,
    noise: float = 0.02,
    message_loss: float = 0.05,
    delay: int = 1,
    memory: Sequence[float] = (),
    full_observability: bool = False,
    episode_length: int = 288,
    max_iterations: int = 12,
) -> tuple[Resilience, Params]:
    """Resilience-v0: the static environment and its params.

    Args:
        network: a shipped name or a `Network`. Default: cigre_mv with its ties, whose first feeder is the
            campus.
        connections: labels or rows of the branches that connect the campus with the grid, each with a
            breaker: what they cut off from the slack bus is the campus. Needed for any other network.
        ties: of branches inside with a breaker.
        normally_open: of both, those that are open in normal operation.
        generator_buses, battery_buses: rows of the network, one per unit; default two of each, on loaded
            buses of the campus far apart.
        managers: load managers, who share the loaded buses in their order.
        buildings: for the loaded buses of the campus in turn.
        generator_share, battery_share, sun_share: rating of all generators, batteries and installed sun over
            the peak demand of the campus.
        battery_hours: capacity over rating of batteries.
        tank_hours: fuel over what generators burn at rating.
        split: "train", "validation" or "test": the days an episode may start on; it ends within them, too, up
            to a week.
        profiles: a year in place of SimBench's, such as `gridjax.scenarios.task_profiles` makes of a user's
            table. Buildings whose own profile it lacks follow its loads in turn; the town outside follows
            `mv_comm`, or else the mean of its loads.
        rates: overrides of `gridjax.scenarios.outages.rates`.
        scenarios: a stack of them: episodes are those, one drawn at random each.
        tariff: default `gridjax.scenarios.prices.tariff()`.
        weights: of reward terms, those not named as by default.
        unserved_prices: EUR/kWh of critical, priority and discretionary load not served.
        forecast_error: relative standard deviation of forecasts eight hours ahead.
        noise, message_loss, delay: of what is measured: relative standard deviation, probability that an
            agent misses it, steps until it arrives.
        memory: hours over which agents remember means of what they received, for policies without a memory of
            their own.
        full_observability: agents see what is hidden, for comparison.
        episode_length: quarter hours, from midnight.
        max_iterations: of Newton's method, before a power flow counts as collapsed.

    Raises `ValueError` that names the option, its value and what was expected.
    """
    shipped = network is None or network == "cigre_mv"
    if shipped:
        network = networks.fuse(networks.get("cigre_mv"), _CIGRE["fused"])
        connections = _CIGRE["connections"] if connections is None else connections
        ties = _CIGRE["ties"] if ties is None else ties
        normally_open = _CIGRE["open"] if normally_open is None else normally_open
        generator_buses = _CIGRE["generators"] if generator_buses is None else generator_buses
        battery_buses = _CIGRE["batteries"] if battery_buses is None else battery_buses
    else:
        assert network is not None
        network = networks.get(network)
    chosen = replace(_WEIGHTS, **known("weights", weights, asdict(_WEIGHTS)))
    shares = {"generator_share": generator_share, "battery_share": battery_share}
    for name, value, good, expected in (
        ("managers", managers, whole(managers, 1), "a whole number of at least 1"),
        ("delay", delay, whole(delay, 0), "a whole number of at least 0"),
        ("episode_length", episode_length, whole(episode_length, 1), "a whole number of at least 1"),
        ("max_iterations", max_iterations, whole(max_iterations, 1), "a whole number of at least 1"),
        ("buildings", buildings, len(buildings) > 0, "at least one"),
        ("memory", memory, all(np.isfinite(h) and h > 0 for h in memory), "hours, positive"),
        *((name, v, np.isfinite(v) and v > 0, "a finite number, positive") for name, v in shares.items()),
        *(
            (name, v, np.isfinite(v) and v > 0, "a finite number of hours, positive")
            for name, v in (("battery_hours", battery_hours), ("tank_hours", tank_hours))
        ),
        *(
            (name, v, np.isfinite(v) and v >= 0, "a finite number, not negative")
            for name, v in (("sun_share", sun_share), ("forecast_error", forecast_error), ("noise", noise))
        ),
        ("message_loss", message_loss, 0 <= message_loss <= 1, "a probability"),
        (
            "unserved_prices",
            unserved_prices,
            len(unserved_prices) == 3 and all(np.isfinite(p) and p > 0 for p in unserved_prices),
            "three positive prices, EUR/kWh",
        ),
        *((f"weights[{k!r}]", v, np.isfinite(v), "a finite number") for k, v in asdict(chosen).items()),
    ):
        if not good:
            raise ValueError(f"{name} is {value!r}, expected {expected}")

    if not connections:
        raise ValueError(
            f"connections is {connections!r}, expected labels or rows of the branches of {network.name!r} "
            "that connect the campus with the grid"
        )
    layout = layout_of(network, connections, ties or (), normally_open or ())
    campus_bus = np.array(layout.campus)
    base = float(network.base_mva) * 1e3
    nominal = -np.asarray(network.nominal_injection).astype(complex) * base
    loaded = np.flatnonzero(campus_bus & (nominal.real > 0.0))
    if loaded.size == 0:
        raise ValueError(f"connections is {list(connections)!r}, expected a campus with loads behind them")
    if managers > loaded.size:
        raise ValueError(f"managers is {managers}, expected at most {loaded.size}, the loaded buses")
    default = far_apart(network, loaded)
    generator_buses = on_campus("generator_buses", generator_buses or default, campus_bus)
    battery_buses = on_campus("battery_buses", battery_buses or default, campus_bus)

    year = load_simbench() if profiles is None else _for_campus(check_year(profiles), buildings)
    table = jax.tree.map(jnp.asarray, tables(year))
    used = [buildings[k % len(buildings)] for k in range(loaded.size)]
    profile = np.zeros(network.n_bus, np.int32)
    tiers = np.zeros((network.n_bus, 3))
    for bus, building in zip(loaded, used):
        if building.profile not in year.load_names:
            raise ValueError(f"buildings: unknown profile {building.profile!r} of {building.name!r}")
        profile[bus] = year.load_names.index(building.profile)
        tiers[bus] = np.array(building.tiers) / sum(building.tiers)
    own: Any = np.where(campus_bus & (nominal.real > 0.0), nominal, 0.0)
    series = year.load_p[:, profile] * own.real
    peak, mean = float(series.sum(axis=1).max()), float(series.sum(axis=1).mean())
    manager = np.full(network.n_bus, -1, np.int32)
    manager[loaded] = np.arange(loaded.size) * managers // loaded.size
    sunny = _CIGRE["sun"] if shipped else dict.fromkeys(loaded.tolist(), 1)
    roofs = np.zeros(network.n_bus)
    roofs[list(sunny)] = list(sunny.values())

    real = jnp.float32
    each = lambda value, n: jnp.full(n, value, real)  # noqa: E731
    n_g, n_b = len(generator_buses), len(battery_buses)
    generator_power = generator_share * peak / n_g
    intercept, slope = 0.08145, 0.246  # l/h and kW of rating, l/kWh: defaults of HOMER Pro
    # the benchmark's batteries are of 600 and 200 kW
    parts = np.array([3.0, 1.0]) / 4 if shipped and n_b == 2 else np.full(n_b, 1.0 / n_b)
    battery_power = battery_share * peak * parts
    pump_bus = np.array([loaded[manager[loaded] == k][np.argmax(own.real[loaded[manager[loaded] == k]])]
                         for k in range(managers)])  # fmt: skip
    warmed = np.array([own.real[manager == k].sum() for k in range(managers)])
    campus = Campus(
        demand=jnp.asarray(own.real, real),
        reactive=jnp.asarray(own.imag, real),
        demand_profile=jnp.asarray(profile),
        tiers=jnp.asarray(tiers, real),
        sun=jnp.asarray(sun_share * peak * roofs / roofs.sum(), real),
        sun_profile=jnp.asarray(np.arange(network.n_bus) % year.pv.shape[1], jnp.int32),
        manager=jnp.asarray(manager),
        pump_bus=jnp.asarray(pump_bus, jnp.int32),
        heat_pump=HeatPump(
            power=jnp.asarray(0.1 * warmed, real),
            performance=each(3.0, managers),
            resistance=jnp.asarray(32.0 / (0.2 * warmed), real),  # two thirds of full power at -12 C
            capacitance=jnp.asarray(0.6 * warmed, real),
            lowest=each(20.0, managers),
            highest=each(24.0, managers),
        ),
        battery=Battery(
            capacity=jnp.asarray(battery_power * battery_hours, real),
            power=jnp.asarray(battery_power, real),
            charge_efficiency=each(0.95, n_b),
            discharge_efficiency=each(0.95, n_b),
            self_discharge=each(4e-5, n_b),
            wear=each(0.02, n_b),
        ),
        generator=Generator(
            power=each(generator_power, n_g),
            minimum=each(0.3 * generator_power, n_g),
            ramp=each(20.0 * generator_power, n_g),  # a third of the rating a minute
            start_time=each(1.0 / 60.0, n_g),
            intercept=each(intercept, n_g),
            slope=each(slope, n_g),
            tank=each((intercept + slope) * generator_power * tank_hours, n_g),
            start_cost=each(10.0, n_g),
        ),
        forming=Forming(
            rating=jnp.concatenate([jnp.asarray(battery_power, real), each(generator_power, n_g)]),
            inertia=jnp.concatenate([each(4.0, n_b), each(1.5, n_g)]),
            droop=jnp.concatenate([each(0.01, n_b), each(0.03, n_g)]),
            lag=jnp.concatenate([each(0.1, n_b), each(0.5, n_g)]),
        ),
    )
    names = network.branch_labels
    steps = max(int(episode_length), 1)
    env = Resilience(
        layout=layout,
        generator_buses=generator_buses,
        battery_buses=battery_buses,
        load_buses=tuple(int(bus) for bus in pump_bus),
        sizes=outages.Sizes(
            n_step=steps,
            n_branch=network.n_branch,
            n_generator=n_g,
            n_sensor=n_g + n_b + managers + len(layout.switches),
            transformers=tuple(name.startswith("trafo") for name in names),
        ),
        delay=delay,
        memory=tuple(float(h) for h in memory),
        full_observability=bool(full_observability),
        max_iterations=max_iterations,
    )
    calm = Scenario(
        day=jnp.int32(0),
        charge=each(0.5, n_b),
        fuel=each(1.0, n_g),
        timeline=outages.never(env.sizes),
    )
    prices = default_tariff() if tariff is None else tariff
    town = np.where(campus_bus | (nominal.real <= 0.0), 0.0, nominal)
    params = Params(
        network=network,
        newton=prepare(network, "newton"),
        profiles=table,
        days=jnp.asarray(days(split, -(-steps // env.steps_per_day)), jnp.int32),
        campus=campus,
        background=jnp.asarray(town / base, jnp.complex64),
        background_profile=jnp.full(network.n_bus, year.load_names.index(_TOWN), jnp.int32),
        rates=outages.rates(**dict(rates or {})),
        scenarios=jax.tree.map(lambda x: jnp.asarray(x)[None], calm) if scenarios is None else scenarios,
        listed=jnp.asarray(scenarios is not None),
        tariff=prices,
        protection=Protection(
            nominal=real(NOMINAL_FREQUENCY),
            damping=real(1.0),
            throttle_from=real(50.2),
            throttle=real(0.4),
            threshold=jnp.asarray(_THRESHOLDS, real),
            delay=real(0.1),
            lowest=real(47.0),
            highest=real(52.0),
        ),
        kept=jnp.asarray(_KEPT, real),
        weights=jax.tree.map(real, chosen),
        unserved_price=jnp.asarray(unserved_prices, real),
        fuel_price=real(1.6),
        stored_price=real(0.16),
        discomfort_price=real(2.0),
        reference_power=real(mean),
        reference_bill=real(mean * 0.25 * float(jnp.mean(prices.bands))),
        grid_emissions=real(0.38),
        fuel_emissions=real(2.68),
        loss_share=real(0.01),
        reserve=real(0.03),
        black_start_hours=real(0.25),
        synchronism_frequency=real(0.2),
        synchronism_voltage=real(0.05),
        forecast_error=real(forecast_error),
        noise=real(noise),
        message_loss=real(message_loss),
        initial_charge=jnp.asarray([0.3, 0.9], real),
        initial_fuel=jnp.asarray([0.5, 1.0], real),
        order_below=real(0.5),
        voltage_low=real(0.95),
        voltage_high=real(1.05),
        episode_length=jnp.int32(steps),
        latest_start=jnp.int32(0),
    )
    return env, params


def _for_campus(year: Profiles, buildings: Sequence[Building]) -> Profiles:
    """`year` with a column for every profile that is asked for, the town's last, none of them twice."""
    lacking = [n for n in dict.fromkeys(b.profile for b in buildings) if n not in year.load_names]
    turn = np.resize(np.arange(len(year.load_names)), len(lacking))
    active, reactive = [year.load_p, year.load_p[:, turn]], [year.load_q, year.load_q[:, turn]]
    names = [*year.load_names, *lacking]
    if _TOWN not in names:
        active.append(year.load_p.mean(axis=1, keepdims=True))
        reactive.append(year.load_q.mean(axis=1, keepdims=True))
        names.append(_TOWN)
    return replace(year, load_p=np.hstack(active), load_q=np.hstack(reactive), load_names=tuple(names))


register("Resilience-v0", make)
