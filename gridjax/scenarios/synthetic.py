"""Synthetic days of demand and sun: a pure function of a key, fitted to the SimBench households and PV.

The key is a village: it draws what stays the same from day to day (size and habits of each household, size
and orientation of each PV site). Key and day together draw the weather and the appliances of that day. Days
are independent: nothing is carried over midnight.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from gridjax.scenarios.sun import plane_irradiance


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class SyntheticParams:
    """Numbers of the generator; every one is a leaf. Correlation times in h, angles in deg."""

    # sun and sites
    latitude: float = 51.3
    solar_noon: float = 11.5
    tilt: float = 35.0
    azimuth_spread: float = 30.0
    beam_fraction: float = 0.8
    pv_scale: float = 0.6
    pv_spread: float = 0.05
    # clear-sky index: low + (high - low) sigmoid(mean + summer cos(season) + spread noise)
    cloud_low: float = 0.05
    cloud_high: float = 1.05
    cloud_mean: float = 0.0
    cloud_summer: float = 0.5
    cloud_spread: float = 1.6
    cloud_day_share: float = 0.5
    cloud_hours: float = 2.0
    cloud_shared: float = 0.8
    # household: mean level, day shape as bumps over a base, slow noise in the logarithm, appliance spikes
    load_mean: float = 0.07
    load_spread: float = 0.3
    load_winter: float = 0.3
    load_weekend: float = 1.0
    base: float = 0.4
    morning: float = 0.5
    noon: float = 0.8
    evening: float = 1.0
    habit_hours: float = 0.7
    noise_spread: float = 0.5
    noise_hours: float = 3.0
    noise_shared: float = 0.1
    day_spread: float = 0.2
    spike_per_hour: float = 0.3
    spike_height: float = 0.1
    spike_hours: float = 0.3
    # reactive power over its nominal: ratio p / p_nominal (1 is the nominal power factor), offset, noise
    reactive_ratio: float = 0.4
    reactive_spread: float = 0.06
    reactive_hours: float = 0.5


class Day(NamedTuple):
    """Relative series of one day, float32; leading axes appear under `vmap`.

    load_p: `[steps, n_load]` demand over nominal, in [0, 1]. load_q: `[steps, n_load]` over nominal
    reactive power, may be negative. pv: `[steps, n_pv]` generation over installed peak, in [0, 1].
    """

    load_p: jax.Array
    load_q: jax.Array
    pv: jax.Array


def sample_day(
    key: jax.Array, day: jax.Array | int, params: SyntheticParams, n_load: int, n_pv: int, steps: int = 96
) -> Day:
    """One day (0..365 of 2016, Friday first) of `n_load` households and `n_pv` sites.

    Same key and day, same bits, alone or under `vmap`; `jit` with the three counts static.
    """
    params = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), params)
    village = jax.random.split(jax.random.fold_in(key, 366), 2)
    today = jax.random.split(jax.random.fold_in(key, day), 2)
    date = jnp.asarray(day, jnp.float32)
    weekend = (jnp.asarray(day, jnp.int32) + 4) % 7 >= 5
    hour = (jnp.arange(steps, dtype=jnp.float32)[:, None] + 0.5) * (24 / steps)
    pv = _pv(village[0], today[0], date, hour, params, n_pv)
    load_p, load_q = _load(village[1], today[1], date, weekend, hour, params, n_load)
    return Day(load_p, load_q, pv)


def sample_year(
    key: jax.Array, params: SyntheticParams, n_load: int, n_pv: int, steps: int = 96, n_days: int = 366
) -> Day:
    """The first `n_days` days of one village, every leaf `[n_days, steps, n]`."""
    return jax.vmap(lambda day: sample_day(key, day, params, n_load, n_pv, steps))(jnp.arange(n_days))


def _pv(village, today, date, hour, params: SyntheticParams, n_pv: int) -> jax.Array:
    steps, dt = hour.shape[0], 24 / hour.shape[0]
    traits, (level, path) = _normal(village, 2, n_pv), jax.random.split(today)
    mix = jnp.sqrt(params.cloud_shared), jnp.sqrt(1 - params.cloud_shared)
    levels, paths = _normal(level, n_pv + 1), _autoregression(_normal(path, steps, n_pv + 1), params.cloud_hours, dt)
    noise = jnp.sqrt(params.cloud_day_share) * levels + jnp.sqrt(1 - params.cloud_day_share) * paths
    noise = mix[0] * noise[:, :1] + mix[1] * noise[:, 1:]
    summer = -jnp.cos(2 * jnp.pi * (date + 10) / 366)
    sky = jax.nn.sigmoid(params.cloud_mean + params.cloud_summer * summer + params.cloud_spread * noise)
    irradiance = plane_irradiance(
        params.cloud_low + (params.cloud_high - params.cloud_low) * sky,
        date,
        hour,
        latitude=params.latitude,
        tilt=params.tilt,
        azimuth=params.azimuth_spread * traits[0],
        solar_noon=params.solar_noon,
        beam_fraction=params.beam_fraction,
    )
    size = params.pv_scale * (1 + params.pv_spread * traits[1])
    return jnp.clip(size * irradiance / 1000.0, 0.0, 1.0)


def _load(village, today, date, weekend, hour, params: SyntheticParams, n_load: int):
    steps, dt = hour.shape[0], 24 / hour.shape[0]
    size, habit = _normal(village, 2, n_load)
    keys = jax.random.split(today, 5)
    shape = _day_shape(hour - params.habit_hours * habit, weekend, params)

    paths = _autoregression(_normal(keys[0], steps, n_load + 1), params.noise_hours, dt)
    noise = jnp.sqrt(params.noise_shared) * paths[:, :1] + jnp.sqrt(1 - params.noise_shared) * paths[:, 1:]
    noise = _lognormal(noise, params.noise_spread) * _lognormal(_normal(keys[1], n_load), params.day_spread)
    season = 1 + params.load_winter * jnp.cos(2 * jnp.pi * (date - 15) / 366)
    size = params.load_mean * _lognormal(size, params.load_spread)
    smooth = size * season * shape * noise

    # an appliance starts more often when people are up, and what it draws fades with its own time constant
    chance, height = jax.random.uniform(keys[2], (2, steps, n_load), jnp.float32)
    starts = chance < 1 - jnp.exp(-params.spike_per_hour * dt * shape)
    spikes = jnp.where(starts, -params.spike_height * jnp.log1p(-height), 0.0)
    load_p = jnp.clip(smooth + _recur(spikes, jnp.exp(-dt / params.spike_hours)), 0.0, 1.0)

    reactive = _autoregression(_normal(keys[3], steps, n_load), params.reactive_hours, dt)
    # the noise scales with demand, so that an idle house is reactive-idle too
    load_q = params.reactive_ratio * load_p + params.reactive_spread * jnp.sqrt(load_p) * reactive
    return load_p, load_q


def _day_shape(hour: jax.Array, weekend: jax.Array, params: SyntheticParams) -> jax.Array:
    """Demand over the day, mean about 1: base, morning rise (an hour and a half later at weekends), day, evening."""
    morning = jnp.where(weekend, 8.8, 7.3)
    shape = (
        params.base
        + params.morning * _bump(hour, morning, 1.3)
        + params.noon * _bump(hour, 12.5, 3.2)
        + params.evening * _bump(hour, 20.0, 2.4)
    )
    return shape * jnp.where(weekend, params.load_weekend, 1.0)


def _bump(hour: jax.Array, centre: jax.Array | float, width: float) -> jax.Array:
    """Gaussian over the clock face: midnight is no edge."""
    away = (hour - centre + 12) % 24 - 12
    return jnp.exp(-0.5 * (away / width) ** 2)


def _normal(key: jax.Array, *shape: int) -> jax.Array:
    return jax.random.normal(key, shape, jnp.float32)


def _lognormal(normal: jax.Array, spread: jax.Array) -> jax.Array:
    """Lognormal factor of mean one; `spread` is the standard deviation of its logarithm."""
    return jnp.exp(spread * normal - 0.5 * spread**2)


def _autoregression(shocks: jax.Array, hours: jax.Array, dt: float) -> jax.Array:
    """Stationary AR(1) of unit variance along the first axis, with correlation time `hours`."""
    memory = jnp.exp(-dt / hours)
    scale = jnp.ones(shocks.shape[0], jnp.float32).at[1:].set(jnp.sqrt(1 - memory**2))
    return _recur(scale[:, None] * shocks, memory)


def _recur(inputs: jax.Array, memory: jax.Array) -> jax.Array:
    """y_t = memory y_(t-1) + inputs_t along the first axis, from zero."""

    def step(previous, new):
        value = memory * previous + new
        return value, value

    return lax.scan(step, jnp.zeros_like(inputs[0]), inputs)[1]
