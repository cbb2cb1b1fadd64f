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

from gridjax.scenarios.noise import autoregression, lognormal, mix, recur, with_shared
from gridjax.scenarios.sun import plane_irradiance


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class SyntheticParams:
    """Numbers of the generator; every one is a leaf. Correlation times in h, angles in deg."""

    # sun and sites
    latitude: float = 51.3
    solar_noon: float = 11.4
    tilt: float = 47.0
    azimuth_spread: float = 31.0
    beam_fraction: float = 0.98
    pv_scale: float = 0.59
    pv_spread: float = 0.05
    # clear-sky index: low + (high - low) sigmoid(mean + summer cos(season) + spread noise)
    cloud_low: float = 0.03
    cloud_high: float = 1.05
    cloud_mean: float = -0.02
    cloud_summer: float = 0.8
    cloud_clear_day: float = 171.0
    cloud_spread: float = 1.2
    cloud_day_share: float = 0.13
    cloud_hours: float = 6.9
    cloud_shared: float = 0.63
    # household: mean level, day shape as bumps over a base, slow noise in the logarithm, appliance spikes
    load_mean: float = 0.081
    load_spread: float = 0.36
    load_winter: float = 0.46
    load_weekend: float = 1.0
    base: float = 0.133
    morning: float = 0.402
    morning_hour: float = 7.9
    morning_width: float = 1.35
    weekend_delay: float = 2.5
    noon: float = 0.984
    noon_hour: float = 12.9
    noon_width: float = 4.7
    evening: float = 1.0
    evening_hour: float = 21.0
    evening_width: float = 2.7
    habit_hours: float = 0.7
    noise_spread: float = 0.72
    noise_hours: float = 1.4
    noise_shared: float = 0.01
    day_spread: float = 0.22
    spike_per_hour: float = 1.3
    spike_height: float = 0.04
    spike_hours: float = 0.11
    # reactive power over its nominal: ratio p / p_nominal (1 is the nominal power factor), noise
    reactive_ratio: float = 0.3
    reactive_spread: float = 0.75
    reactive_hours: float = 0.9


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
    """One day (0..365 of 2016, Friday first) of `n_load` households and `n_pv` sites, `[steps, ...]`.

    Same key and day, same bits, alone or under a `vmap` over keys and days of any size. The three counts
    are static under `jit`.
    """
    # the barrier keeps the compiler from folding params that happen to be constants: other roundings
    params = lax.optimization_barrier(jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), params))
    dt = 24 / steps
    hour = (jnp.arange(steps, dtype=jnp.float32)[:, None] + 0.5) * dt
    date = jnp.asarray(day, jnp.float32)
    weekend = (jnp.asarray(day, jnp.int32) + 4) % 7 >= 5

    # few large draws rather than many small ones: each costs compile time
    village, today = jax.random.fold_in(key, 366), jax.random.split(jax.random.fold_in(key, day))
    traits = jax.random.normal(village, (2, n_pv + n_load), jnp.float32)
    widths = (1 + n_pv, 1 + n_load, n_load)  # clouds and slow demand have a shared column in front
    normals = jax.random.normal(today[0], (steps + 1, sum(widths)), jnp.float32)
    appliances = jax.random.uniform(today[1], (2, steps, n_load), jnp.float32)

    times = (params.cloud_hours, params.noise_hours, params.reactive_hours)
    hours = jnp.concatenate([jnp.full(width, time) for width, time in zip(widths, times)])
    clouds, slow, reactive = jnp.split(
        autoregression(normals[1:], hours, dt), (widths[0], widths[0] + widths[1]), axis=1
    )
    cloud_level, day_level = normals[0, : widths[0]], normals[0, widths[0] + 1 : widths[0] + widths[1]]

    pv = _pv(traits[:, :n_pv], cloud_level, clouds, date, hour, params)
    shape = _day_shape(hour - params.habit_hours * traits[0, n_pv:], weekend, params)
    smooth = _smooth_load(traits[1, n_pv:], day_level, slow, date, shape, params)
    load_p = jnp.clip(smooth + _spikes(appliances, shape, dt, params), 0.0, 1.0)
    # the noise grows with demand: a house in which nothing runs has no reactive power either
    # (kept off zero, where the square root has no gradient)
    spread = params.reactive_spread * jnp.sqrt(jnp.maximum(load_p, 1e-9))
    load_q = params.reactive_ratio * (load_p + spread * reactive)
    return Day(load_p, load_q, pv)


def sample_year(
    key: jax.Array, params: SyntheticParams, n_load: int, n_pv: int, steps: int = 96, n_days: int = 366
) -> Day:
    """The first `n_days` days of one village, every leaf `[n_days, steps, n]`."""
    return jax.vmap(lambda day: sample_day(key, day, params, n_load, n_pv, steps))(jnp.arange(n_days))


def _pv(traits, level, paths, date, hour, params: SyntheticParams) -> jax.Array:
    """`[steps, n_pv]` from site traits `[2, n_pv]` and noise of the day and of its steps, shared first."""
    noise = mix(level, paths, params.cloud_day_share)
    summer = jnp.cos(2 * jnp.pi * (date - params.cloud_clear_day) / 366)
    sky = jax.nn.sigmoid(
        params.cloud_mean
        + params.cloud_summer * summer
        + params.cloud_spread * with_shared(noise, params.cloud_shared)
    )
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


def _smooth_load(trait, level, paths, date, shape, params: SyntheticParams) -> jax.Array:
    """`[steps, n_load]` demand without appliance spikes."""
    size = params.load_mean * lognormal(trait, params.load_spread)
    season = 1 + params.load_winter * jnp.cos(2 * jnp.pi * (date - 15) / 366)
    noise = lognormal(with_shared(paths, params.noise_shared), params.noise_spread)
    return size * season * shape * noise * lognormal(level, params.day_spread)


def _spikes(uniforms, shape, dt: float, params: SyntheticParams) -> jax.Array:
    """`[steps, n_load]` demand of appliances, exponential in height, each fading with its own time constant.

    They start more often when people are up.
    """
    chance, height = uniforms
    starts = chance < 1 - jnp.exp(-params.spike_per_hour * dt * shape)
    inputs = jnp.where(starts, -params.spike_height * jnp.log1p(-height), 0.0)
    return recur(inputs, jnp.exp(-dt / params.spike_hours))


def _day_shape(hour: jax.Array, weekend: jax.Array, params: SyntheticParams) -> jax.Array:
    """Demand over the day, mean one on weekdays: a base, a morning peak, the day, the evening peak."""
    morning_hour = params.morning_hour + params.weekend_delay * weekend
    bumps = (
        (params.morning, morning_hour, params.morning_width),
        (params.noon, params.noon_hour, params.noon_width),
        (params.evening, params.evening_hour, params.evening_width),
    )
    shape = params.base
    for height, centre, width in bumps:
        shape = shape + height * _bump(hour, centre, width)
    area = params.base + sum(height * width for height, _, width in bumps) * jnp.sqrt(2 * jnp.pi) / 24
    return shape / area * jnp.where(weekend, params.load_weekend, 1.0)


def _bump(hour: jax.Array, centre: jax.Array | float, width: jax.Array | float) -> jax.Array:
    """Gaussian over the clock face: midnight is no edge."""
    away = (hour - centre + 12) % 24 - 12
    return jnp.exp(-0.5 * (away / width) ** 2)
