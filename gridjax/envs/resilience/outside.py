"""What comes from outside in a step: demand, sun, prices, weather, and the forecast of those to come."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs.resilience.state import Now, Params
from gridjax.scenarios import outages, prices
from gridjax.scenarios.calendar import day_and_hour
from gridjax.scenarios.weather import outdoors

AHEAD = (1, 2, 4, 8)  # h, of forecasts and known prices
WARNED = (0, 3, 6, 9, 12)  # h ahead at which a storm warning looks


def demand_and_sun(clock: jax.Array, params: Params) -> tuple[jax.Array, jax.Array]:
    """Demand and sun of every bus of the campus (kW, `[..., n_bus]`) in steps `clock` `[...]`."""
    table, campus = params.profiles, params.campus
    row = clock[..., None] % table.demand.shape[0]
    demand = jnp.asarray(table.demand)[row, campus.demand_profile] * campus.demand
    return demand, jnp.asarray(table.sun)[row, campus.sun_profile] * campus.sun


def background(clock: jax.Array, params: Params) -> tuple[jax.Array, jax.Array]:
    """Active and reactive demand of the town outside, p.u. `[n_bus]`."""
    table = params.profiles
    row = clock % table.demand.shape[0]
    active, reactive = (
        jnp.asarray(part)[row][params.background_profile] for part in (table.demand, table.reactive)
    )
    return active * params.background.real, reactive * params.background.imag


def at(clock: jax.Array, unforeseen: jax.Array, params: Params, steps_per_day: int) -> Now:
    """What is given in the step that begins at `clock`."""
    demand, sun = demand_and_sun(clock, params)
    table, campus = jnp.asarray(params.profiles.reactive), params.campus
    day, hour = day_and_hour(clock, steps_per_day)
    buy = prices.import_price(params.tariff, day, hour, unforeseen)
    return Now(
        demand=demand,
        reactive=table[clock % table.shape[0], campus.demand_profile] * campus.reactive,
        sun=sun,
        outdoors=outdoors(day, hour),
        buy=buy,
        sell=jnp.asarray(params.tariff.feed_in, buy.dtype),
    )


def forecast(clock: jax.Array, noise: jax.Array, params: Params, steps_per_day: int) -> jax.Array:
    """Demand and sun of the campus `AHEAD`, kW `[2, n_horizon]`, from noise `[2]` of unit variance.

    One error for all horizons, as forecasts err, that grows with the square root of the horizon to
    `forecast_error` at eight hours.
    """
    steps = jnp.asarray(np.array(AHEAD) * steps_per_day // 24, jnp.int32)
    truth = jnp.stack([jnp.sum(part, axis=-1) for part in demand_and_sun(clock + steps, params)])
    spread = params.forecast_error * jnp.sqrt(jnp.asarray(AHEAD, truth.dtype) / 8.0)
    return truth * jnp.maximum(1.0 + spread * noise[:, None], 0.0)


def warning(
    step: jax.Array, timeline: outages.Timeline, noise: jax.Array, params: Params, steps_per_day: int
):
    """Strongest wind (m/s, []) forecast for the coming twelve hours, from noise of unit variance."""
    steps = step + jnp.asarray(np.array(WARNED) * steps_per_day // 24, jnp.int32)
    strongest = jnp.max(jax.vmap(lambda k: outages.wind(timeline, k))(steps))
    return strongest * jnp.maximum(1.0 + 0.5 * params.forecast_error * noise, 0.0)


def prices_ahead(clock: jax.Array, unforeseen: jax.Array, params: Params, steps_per_day: int) -> jax.Array:
    """Import prices (EUR/kWh) expected `AHEAD`, `[n_horizon]`."""
    hours = jnp.asarray(AHEAD, jnp.float32)
    day, hour = day_and_hour(clock + jnp.asarray(hours * (steps_per_day / 24), jnp.int32), steps_per_day)
    return prices.expected_price(params.tariff, day, hour, unforeseen, hours)
