"""What comes from outside: demand, sun, prices and events of a step, and the forecast of those to come."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs.smart_grid.state import Now, Params
from gridjax.scenarios import prices
from gridjax.scenarios.calendar import day_and_hour
from gridjax.scenarios.events import Drawn, factors

AHEAD = (1, 2, 4, 8)  # h, of forecasts and known prices


def demand_and_sun(clock: jax.Array, params: Params) -> tuple[jax.Array, jax.Array]:
    """Demand and sun (kW, `[..., n_agent]`) of steps `clock` `[...]`, without events."""
    table, own = params.profiles, params.households
    n_row = table.demand.shape[0]
    row = (clock[..., None] - own.lag) % n_row
    sun_row = jnp.broadcast_to(clock[..., None] % n_row, row.shape)
    demand = jnp.asarray(table.demand)[row, own.demand_profile] * own.demand
    return demand, jnp.asarray(table.sun)[sun_row, own.sun_profile] * own.sun


def reactive_demand(clock: jax.Array, params: Params) -> jax.Array:
    """Reactive demand of the agents (kVAr, `[n_agent]`), without events."""
    own, table = params.households, jnp.asarray(params.profiles.reactive)
    return table[(clock - own.lag) % table.shape[0], own.demand_profile] * own.reactive


def background(clock: jax.Array, params: Params) -> tuple[jax.Array, jax.Array]:
    """Active and reactive demand of all others at every bus, p.u. `[n_bus]`, without events."""
    table = params.profiles
    row = clock % table.demand.shape[0]
    relative = (jnp.asarray(part)[row][params.background_profile] for part in (table.demand, table.reactive))
    active, reactive = relative
    return active * params.background.real, reactive * params.background.imag


def at(
    clock: jax.Array, step: jax.Array, drawn: Drawn, unforeseen: jax.Array, params: Params, steps_per_day: int
) -> Now:
    """What is given in the step that begins at `clock`."""
    on_price, on_sun, on_demand, connected = factors(params.events, drawn, step)
    demand, sun = demand_and_sun(clock, params)
    day, hour = day_and_hour(clock, steps_per_day)
    buy = prices.import_price(params.tariff, day, hour, unforeseen)
    return Now(
        demand=demand * on_demand,
        sun=sun * on_sun,
        buy=buy * on_price,
        sell=jnp.asarray(params.tariff.feed_in, buy.dtype),
        connected=connected,
        demand_factor=on_demand,
    )


def forecast(clock: jax.Array, noise: jax.Array, params: Params, steps_per_day: int) -> jax.Array:
    """Forecast `AHEAD` of demand and sun, kW `[n_agent, 2, n_horizon]`, from noise `[n_agent, 2]` of unit
    variance.

    The truth without events times 1 + error, never negative. One error for all horizons, as forecasts err,
    whose standard deviation grows with the square root of the horizon to `forecast_error` at eight hours.
    Where there are forecasts in `params.foretold`, they are it, and neither truth nor noise enters.
    """
    if params.foretold is not None:
        return _foretold(clock, params)
    steps = jnp.asarray(np.array(AHEAD) * steps_per_day // 24, jnp.int32)
    demand, sun = demand_and_sun(clock + steps, params)  # [n_horizon, n_agent]
    truth = jnp.stack([demand.T, sun.T], axis=1)
    spread = params.forecast_error * jnp.sqrt(jnp.asarray(AHEAD, truth.dtype) / 8.0)
    return truth * jnp.maximum(1.0 + spread * noise[..., None], 0.0)


def _foretold(clock: jax.Array, params: Params) -> jax.Array:
    assert params.foretold is not None
    own = params.households
    relative_demand, relative_sun = jnp.asarray(params.foretold.demand), jnp.asarray(params.foretold.sun)
    n_row = relative_demand.shape[0]
    demand = relative_demand[(clock - own.lag) % n_row, :, own.demand_profile] * own.demand[:, None]
    sun = relative_sun[clock % n_row, :, :][:, own.sun_profile].T * own.sun[:, None]
    return jnp.stack([demand, sun], axis=1)


def prices_ahead(clock: jax.Array, unforeseen: jax.Array, params: Params, steps_per_day: int) -> jax.Array:
    """Import prices (EUR/kWh) expected `AHEAD`, `[n_horizon]`, without events to come."""
    hours = jnp.asarray(AHEAD, jnp.float32)
    day, hour = day_and_hour(clock + jnp.asarray(hours * (steps_per_day / 24), jnp.int32), steps_per_day)
    return prices.expected_price(params.tariff, day, hour, unforeseen, hours)
