"""What a prosumer sees, and what a central critic sees.

Energies, powers and prices come in units of the agent's own ratings or of the mean price, so that entries
are of order one. Demand, sun, prices, charge and neighbours' charge are those of now; what the grid did
(voltage, stability, frequency) and neighbours' offers are of the step before, and labelled "last".
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from gridjax.envs.smart_grid import outside
from gridjax.envs.smart_grid.balance import ability
from gridjax.envs.smart_grid.companding import TRADE, TRANSFER, compress
from gridjax.envs.smart_grid.grid import NOMINAL_FREQUENCY
from gridjax.envs.smart_grid.outside import AHEAD
from gridjax.envs.smart_grid.state import Params, State
from gridjax.scenarios.calendar import day_and_hour
from gridjax.scenarios.prices import is_weekend
from gridjax.scenarios.weather import outdoors

_BAND = 0.05  # p.u., the unit of voltage deviations
_FREQUENCY = 0.01  # p.u., the unit of frequency deviations


def labels(n_slot: int, vehicles: bool, heat_pumps: bool) -> tuple[str, ...]:
    """Name and unit of every entry."""
    own = ["state of charge [capacity]", "demand [own peak]", "sun [own peak demand]"]
    own += [f"forecast of {what} in {h} h [own peak demand]" for what in ("demand", "sun") for h in AHEAD]
    own += ["last voltage less 1 [0.05 p.u.]", "battery capacity [h of peak demand]"]
    own += ["battery power [own peak demand]", "installed sun [own peak demand]"]
    own += ["demand less sun [as trade]", "the same beyond the battery [as trade]"]
    own += ["sun to spare [as offer]", "need [as ask]"]
    own += ["inverter [own peak demand]", "connection [own peak demand]", "peak demand [mean of all agents]"]
    if vehicles:
        own += ["vehicle need [h of peak demand]", "vehicle at home [0 or 1]", "hours to departure [24 h]"]
    if heat_pumps:
        own += ["indoors less middle of the band [half the band]", "outdoors less 10 degrees [10 K]"]
    heard = ("neighbour's charge [capacity]", "neighbour's sun less demand [mean peak demand]")
    heard += ("neighbour's last offer to me [-1 to 1]", "heard [0 or 1]")
    own += [f"slot {k}: {what}" for k in range(n_slot) for what in heard]
    common = ["sine of the hour", "cosine of the hour", "sine of the day", "cosine of the day"]
    common += ["weekend [0 or 1]", "import price [mean]", "feed-in price [mean import price]"]
    common += [f"import price expected in {h} h [mean]" for h in AHEAD]
    common += [
        "connected to the grid [0 or 1]",
        "last stability index",
        "last frequency deviation [0.01 p.u.]",
    ]
    return (*own, *common)


def own(state: State, params: Params, steps_per_day: int, vehicles: bool, heat_pumps: bool) -> jax.Array:
    """What agents see of themselves, `[n_agent, n_own]`, without messages."""
    home, pile = params.households, params.households.battery
    peak = home.demand
    charge = state.energy / jnp.maximum(pile.capacity, 1e-6)
    ahead = state.forecast.reshape(state.forecast.shape[0], -1) / peak[:, None]
    columns = [charge, state.now.demand / peak, state.now.sun / peak, *ahead.T]
    columns += [(state.voltage[home.bus] - 1.0) / _BAND, pile.capacity / peak, pile.power / peak]
    columns += [home.sun / peak, *_in_units_of_actions(state, params, 24.0 / steps_per_day)]
    columns += [home.inverter / peak, home.connection / peak, peak / jnp.mean(peak)]
    _, hour = day_and_hour(state.clock, steps_per_day)
    if vehicles:
        from gridjax.devices import vehicle

        there = vehicle.present(home.vehicle, hour) & (home.vehicle.power > 0.0)
        left = vehicle.hours_left(home.vehicle, hour) / 24.0
        columns += [state.need / peak, there.astype(peak.dtype), jnp.where(there, left, 0.0)]
    if heat_pumps:
        pump = home.heat_pump
        middle, half = 0.5 * (pump.lowest + pump.highest), 0.5 * (pump.highest - pump.lowest)
        air = (outdoors(*day_and_hour(state.clock, steps_per_day)) - 10.0) / 10.0
        indoors = jnp.where(pump.power > 0.0, (state.temperature - middle) / half, 0.0)
        columns += [indoors, jnp.where(pump.power > 0.0, air, 0.0)]
    return jnp.stack(columns, axis=-1)


def _in_units_of_actions(state: State, params: Params, hours: float) -> tuple[jax.Array, ...]:
    """What sun, and sun and battery, leave of demand as trades; sun to spare as an offer, need as an ask."""
    home, now = params.households, state.now
    able = ability(now.demand, now.sun, home.battery, state.energy, home.inverter, home.connection, hours)
    left = now.demand - able.sun
    spare = jnp.clip(-left / jnp.maximum(able.send, 1e-6), 0.0, 1.0)
    need = jnp.clip(left / jnp.maximum(able.take, 1e-6), 0.0, 1.0)
    beyond = left - jnp.clip(left, -able.charge, able.discharge)
    trades = (compress(power / home.connection, TRADE) for power in (left, beyond))
    return (*trades, compress(spare, TRANSFER), compress(need, TRANSFER))


def common(state: State, params: Params, steps_per_day: int) -> jax.Array:
    """What all agents see alike, `[n_common]`."""
    day, hour = day_and_hour(state.clock, steps_per_day)
    mean = jnp.mean(params.tariff.bands)
    now = state.now
    by_hour, by_day = 2 * jnp.pi * hour / 24, 2 * jnp.pi * day / 366
    parts = [jnp.sin(by_hour), jnp.cos(by_hour), jnp.sin(by_day), jnp.cos(by_day), is_weekend(day)]
    parts += [now.buy / mean, now.sell / mean]
    parts += [*(outside.prices_ahead(state.clock, state.unforeseen, params, steps_per_day) / mean)]
    parts += [now.connected, state.stability, (state.frequency / NOMINAL_FREQUENCY - 1.0) / _FREQUENCY]
    return jnp.stack([jnp.asarray(part, jnp.float32) for part in parts])


def local(state: State, params: Params, steps_per_day: int, vehicles: bool, heat_pumps: bool) -> jax.Array:
    """Observations `[n_agent, n_entry]`, in the order of `labels`."""
    mine = own(state, params, steps_per_day, vehicles, heat_pumps)
    shared = common(state, params, steps_per_day)
    n = mine.shape[0]
    return jnp.concatenate(
        [mine, state.message.reshape(n, -1), jnp.broadcast_to(shared, (n, shared.size))], axis=-1
    )


def whole(state: State, params: Params, steps_per_day: int, vehicles: bool, heat_pumps: bool) -> jax.Array:
    """Everything once: all that agents see of themselves, offers, what is common, all last voltages."""
    mine = own(state, params, steps_per_day, vehicles, heat_pumps)
    shared = common(state, params, steps_per_day)
    return jnp.concatenate([mine.ravel(), state.offer.ravel(), shared, (state.voltage - 1.0) / _BAND])
