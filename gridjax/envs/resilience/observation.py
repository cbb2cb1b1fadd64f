"""What each kind of agent sees, and what a central critic sees.

An agent sees its own device as it is, the voltage and frequency at its own bus, forecasts, and the campus as
it was measured and received last (see `measurement`). How long an outage will last nobody sees but the
critic, which is used in training only.

Two options tell what partial observability costs, and what memory may win back: with `memory`, agents also
see exponential means of what they received; with full observability, they see what is hidden.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from gridjax.devices import heat_pump
from gridjax.envs.resilience import measurement, outside
from gridjax.envs.resilience.campus import TIERS
from gridjax.envs.resilience.outside import AHEAD, WARNED
from gridjax.envs.resilience.state import Params, State
from gridjax.envs.resilience.topology import Layout
from gridjax.scenarios import outages
from gridjax.scenarios.calendar import day_and_hour
from gridjax.scenarios.prices import is_weekend

_BAND = 0.05  # p.u., the unit of voltage deviations
_FREQUENCY = 0.01  # p.u., the unit of frequency deviations
_WIND = 30.0  # m/s

_AT_BUS = (
    "last voltage less 1 [0.05 p.u.]",
    "last frequency deviation [0.01 p.u.]",
    "was energised [0 or 1]",
)
_UNIT = ("last power [rating]", "time until it may form a voltage [h]", "rating [mean demand]")


def labels(
    layout: Layout, n_branch: int, n_battery: int, n_generator: int, memory: tuple[float, ...], full: bool
) -> dict[str, tuple[str, ...]]:
    """Name and unit of every entry, per group."""
    common = ["sine of the hour", "cosine of the hour", "sine of the day", "cosine of the day"]
    common += ["weekend [0 or 1]", "import price [mean]", "feed-in price [mean import price]"]
    common += [f"import price expected in {h} h [mean]" for h in AHEAD]
    common += [f"forecast of {what} in {h} h [mean demand]" for what in ("demand", "sun") for h in AHEAD]
    common += [f"strongest wind forecast for {WARNED[-1]} h [30 m/s]", "outdoors less 10 degrees [10 K]"]
    seen = [f"received: {name}" for name in measurement.labels(n_battery, n_generator)]
    shared = [*common, *seen, "age of what was received [h]"]
    kept = (*seen, f"strongest wind forecast for {WARNED[-1]} h [30 m/s]")
    shared += [f"mean over {hours:g} h of {name}" for hours in memory for name in kept]
    if full:
        shared += ["the grid is there [0 or 1]", "time until it is [24 h]"]
        shared += [f"branch {k} is sound [0 or 1]" for k in range(n_branch)]
        shared += [f"voltage of bus {k} [p.u.]" for k in range(len(layout.campus))]
        shared += [name.replace("received:", "true") for name in seen]
    own = {
        "generator": (
            *(
                "runs [0 or 1]",
                "fuel [tank]",
                "running hours since repair [1000 h]",
                "repair left [24 h]",
            ),
            *("fuel at rating [24 h]", *_UNIT, *_AT_BUS),
        ),
        "battery": ("state of charge [capacity]", "capacity [h of mean demand]", *_UNIT, *_AT_BUS),
        "load": (
            *(f"{tier} demand [own mean]" for tier in TIERS),
            *("last share served", "indoors less middle of the band [half the band]"),
            *("heat pump [own mean demand]", "heat pump that holds the temperature [its power]"),
            *("own mean demand [mean demand]", *_AT_BUS),
        ),
        "connection": (
            *("closed [0 or 1]", "connects to the grid [0 or 1]"),
            *("one end is live [0 or 1]", "other end is live [0 or 1]"),
            *("frequency across [0.01 p.u.]", "voltage across [0.05 p.u.]", "last import [mean demand]"),
        ),
    }
    return {group: (*mine, *shared) for group, mine in own.items()}


def own(
    layout: Layout, buses: dict[str, tuple[int, ...]], state: State, params: Params, hours: float
) -> dict[str, jax.Array]:
    """What agents see of themselves, `[n_agents, n_own]` per group."""
    campus, unit = params.campus, params.reference_power
    generator, pile, n_battery = campus.generator, campus.battery, state.energy.shape[0]
    nominal = params.protection.nominal

    def at(rows: tuple[int, ...]) -> list[jax.Array]:
        bus = jnp.array(rows)
        live = state.energised[bus]
        voltage = jnp.where(live, state.voltage[bus] - 1.0, 0.0) / _BAND
        off = jnp.where(live, state.frequency[bus] / nominal - 1.0, 0.0) / _FREQUENCY
        return [voltage, off, live.astype(voltage.dtype)]

    def units(part: slice) -> list[jax.Array]:
        rating = campus.forming.rating[part]
        return [state.power[part] / rating, state.locked[part], rating / unit]

    run = state.generator
    rating_hours = run.fuel / ((generator.intercept + generator.slope) * generator.power)
    pump, outdoors = campus.heat_pump, state.now.outdoors
    zero = jnp.zeros_like(state.temperature)
    hold = heat_pump.heating_power(pump, state.temperature, outdoors, zero, hours)
    middle, half = 0.5 * (pump.lowest + pump.highest), 0.5 * (pump.highest - pump.lowest)
    mean, tiers = of_managers(params)
    now = jnp.sum(state.now.demand[:, None, None] * campus.tiers[:, None] * tiers[..., None], axis=0)
    near, far = jnp.array(layout.from_bus), jnp.array(layout.to_bus)
    live = state.energised
    both = live[near] & live[far]
    across = jnp.where(both, state.frequency[near] - state.frequency[far], 0.0) / nominal / _FREQUENCY
    apart = jnp.where(both, state.voltage[near] - state.voltage[far], 0.0) / _BAND
    flags = [jnp.asarray(x, outdoors.dtype) for x in (state.closed, jnp.array(layout.to_grid))]
    flags += [live[near].astype(outdoors.dtype), live[far].astype(outdoors.dtype)]
    columns = {
        "generator": [
            *(
                run.on.astype(run.fuel.dtype),
                run.fuel / generator.tank,
                run.hours / 1000.0,
                run.repair / 24.0,
            ),
            *(rating_hours / 24.0, *units(slice(n_battery, None)), *at(buses["generator"])),
        ],
        "battery": [
            *(state.energy / pile.capacity, pile.capacity / unit),
            *(*units(slice(0, n_battery)), *at(buses["battery"])),
        ],
        "load": [
            *(now / mean[:, None]).T,
            *(state.served, (state.temperature - middle) / half, pump.power / mean),
            *(hold / jnp.maximum(pump.power, 1e-6), mean / unit, *at(buses["load"])),
        ],
        "connection": [*flags, across, apart, state.exchange / unit],
    }
    return {group: jnp.stack(part, axis=-1) for group, part in columns.items()}


def of_managers(params: Params) -> tuple[jax.Array, jax.Array]:
    """Nominal demand of each load manager (kW, `[n_load]`), and who manages which bus, `[n_bus, n_load]`."""
    campus = params.campus
    one = jax.nn.one_hot(campus.manager, campus.pump_bus.shape[0])
    return jnp.maximum(campus.demand @ one, 1e-6), one


def common(state: State, params: Params, steps_per_day: int) -> jax.Array:
    """What all agents see alike, `[n_common]`."""
    day, hour = day_and_hour(state.clock, steps_per_day)
    mean, now = jnp.mean(params.tariff.bands), state.now
    by_hour, by_day = 2 * jnp.pi * hour / 24, 2 * jnp.pi * day / 366
    parts = [jnp.sin(by_hour), jnp.cos(by_hour), jnp.sin(by_day), jnp.cos(by_day), is_weekend(day)]
    parts += [now.buy / mean, now.sell / mean]
    parts += [*(outside.prices_ahead(state.clock, state.unforeseen, params, steps_per_day) / mean)]
    parts += [*(state.forecast / params.reference_power).ravel()]
    parts += [state.warning / _WIND, (now.outdoors - 10.0) / 10.0]
    return jnp.stack([jnp.asarray(part, jnp.float32) for part in parts])


def memorable(seen: jax.Array, warning: jax.Array) -> jax.Array:
    """What agents remember means of, `[n_agent, n_entry]`."""
    wind = jnp.broadcast_to(warning / _WIND, (seen.shape[0], 1))
    return jnp.concatenate([seen, wind], axis=-1)


def local(
    layout: Layout,
    buses: dict[str, tuple[int, ...]],
    state: State,
    params: Params,
    steps_per_day: int,
    full: bool,
) -> dict[str, jax.Array]:
    """Observations `[n_agents, n_entry]` per group, in the order of `labels`."""
    mine = own(layout, buses, state, params, 24.0 / steps_per_day)
    shared = common(state, params, steps_per_day)
    truth = [hidden(state, 24.0 / steps_per_day), state.sent[0]] if full else []
    observations, first = {}, 0
    for group, part in mine.items():
        rows = slice(first, first + part.shape[0])
        everyone = jnp.broadcast_to(shared, (part.shape[0], shared.size))
        heard = [state.seen[rows], jnp.minimum(state.age[rows], 24.0)[:, None]]
        if state.remembered is not None:
            heard += [mean[rows] for mean in state.remembered]
        heard += [jnp.broadcast_to(x, (part.shape[0], x.size)) for x in truth]
        observations[group] = jnp.concatenate([part, everyone, *heard], axis=-1)
        first += part.shape[0]
    return observations


def hidden(state: State, hours: float) -> jax.Array:
    """What nobody on the campus can know: whether the grid is there, how long it stays away, which branches
    are sound, all voltages.
    """
    away = outages.outage_left_hours(state.timeline, state.step, hours)
    present = outages.grid_present(state.timeline, state.step).astype(jnp.float32)
    sound = outages.branch_sound(state.timeline, state.step).astype(jnp.float32)
    return jnp.concatenate([jnp.stack([present, away / 24.0]), sound, state.voltage])


def whole(
    layout: Layout, buses: dict[str, tuple[int, ...]], state: State, params: Params, steps_per_day: int
) -> jax.Array:
    """Everything once, and what is hidden."""
    hours = 24.0 / steps_per_day
    parts = [part.ravel() for part in own(layout, buses, state, params, hours).values()]
    parts += [common(state, params, steps_per_day), state.sent[0], hidden(state, hours)]
    return jnp.concatenate(parts)
