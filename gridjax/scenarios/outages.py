"""What fails in one episode of a critical facility: grid, lines, transformers, generators, sensors, supplies.

All of it is drawn at the episode's beginning, from one key, or written down as a list: the task draws nothing
about failures, so two controllers meet the same events. Faults come as Poisson processes with exponential
durations (Billinton & Allan, Reliability Evaluation of Power Systems), wind damage from `storm`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gridjax.scenarios import storm as windstorm
from gridjax.scenarios.outage_list import never, number, scripted
from gridjax.scenarios.timelines import (
    LARGEST,
    LONGEST_STEPS,
    Sizes,
    Timeline,
    branch_sound,
    delivery_hours,
    fails_to_start,
    grid_present,
    outage_left_hours,
    sensor_alive,
    stack,
    wind,
)

__all__ = [
    "Rates",
    "Sizes",
    "Timeline",
    "branch_sound",
    "delivery_hours",
    "draw",
    "fails_to_start",
    "grid_present",
    "never",
    "outage_left_hours",
    "rates",
    "scripted",
    "sensor_alive",
    "stack",
    "wind",
]

Array = Any

HOURS_PER_YEAR = 8760.0
_PAIRS = ("storm_hours", "storm_outage", "gust", "delivery_hours")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rates:
    """How often things fail and for how long; all []. Durations are exponential with the given mean, or
    uniform between `_low` and `_high`.

    Defaults: outages of the mean customer in the United States (EIA; CityLearn has the same), 331.2 min long;
    generators as in NREL's REopt; lines by EPRI's median for underground cables, 2.89 failures a year per 100
    conductor miles, for 3 by 500 m; gusts, and the fragility of lines where they are overhead, as in the
    windstorm model of E. A. Martinez Cesena, University of Manchester (logarithm of mean 3.8, deviation
    0.122). All others are assumptions.
    """

    outages_per_year: Array = 1.436  # 1/year, SAIFI
    outage_hours: Array = 331.2 / 60  # h, CAIDI
    storms_per_year: Array = 0.2  # 1/year, storms that cut the grid off
    storm_hours_low: Array = 6.0  # h, length of the storm itself
    storm_hours_high: Array = 18.0  # h
    storm_outage_low: Array = 12.0  # h, loss of the grid in a storm
    storm_outage_high: Array = 72.0  # h
    gust_low: Array = 20.0  # m/s, the strongest gust
    gust_high: Array = 55.0  # m/s
    fragility_median: Array = 44.7  # m/s, gust that half of the lines do not survive
    fragility_spread: Array = 0.122  # standard deviation of its logarithm
    wind_fragility: Array = 0.0  # 1: lines are overhead and wind breaks them; 0: cables
    line_faults_per_year: Array = 0.027  # 1/year and line
    line_repair_hours: Array = 30.0  # h; of wind damage from the end of the storm on
    transformer_faults_per_year: Array = 0.015  # 1/year and transformer
    transformer_repair_hours: Array = 200.0  # h
    start_failure: Array = 0.0094  # probability [0, 1] per attempt
    running_hours_to_failure: Array = 1100.0  # h of running
    generator_repair_hours: Array = 24.0  # h
    sensor_losses_per_year: Array = 1.0  # 1/year and sensor
    sensor_loss_hours: Array = 24.0  # h
    delivery_hours_low: Array = 6.0  # h, from an order of fuel to its arrival
    delivery_hours_high: Array = 24.0  # h
    delivery_in_storm: Array = 2.0  # factor on it for orders placed while the outage of a storm lasts
    enrichment: Array = 1.0  # factor on everything that is per year: 1 is reality, training wants more


def rates(**overrides: float) -> Rates:
    """The default rates but for `overrides`, named as the fields of `Rates`.

    Raises `ValueError` for an unknown name, with the nearest ones, or a value out of range.
    """
    defaults = {field.name: field.default for field in fields(Rates)}
    for name in overrides:
        if name not in defaults:
            near = difflib.get_close_matches(name, defaults, n=3, cutoff=0.3)
            raise ValueError(f"{name!r} is not a rate, expected one of: {', '.join(near or defaults)}")
    values = {}
    for name, default in defaults.items():
        greatest = 1.0 if name in ("start_failure", "wind_fragility") else LARGEST
        values[name] = number(name, overrides.get(name, default), 0.0, greatest)
    for pair in _PAIRS:
        low, high = values[f"{pair}_low"], values[f"{pair}_high"]
        if low > high:
            raise ValueError(f"{pair}_low is {low}, expected at most {pair}_high, {high}")
    for name in ("fragility_median", "running_hours_to_failure"):
        if values[name] == 0:
            raise ValueError(f"{name} is 0, expected a positive number")
    if values["wind_fragility"] not in (0, 1):
        raise ValueError(f"wind_fragility is {values['wind_fragility']}, expected 0 or 1")
    return Rates(**{name: jnp.float32(value) for name, value in values.items()})


def _steps(hours: jax.Array, step_hours: float) -> jax.Array:
    """A duration in whole steps, at least one."""
    return jnp.clip(jnp.round(hours / step_hours), 1.0, float(LONGEST_STEPS)).astype(jnp.int32)


def _exponential(uniform: jax.Array) -> jax.Array:
    """Standard exponential from a uniform in [0, 1)."""
    return -jnp.log1p(-uniform)


def _normal(uniform: jax.Array) -> jax.Array:
    """Standard normal from a uniform in [0, 1), of which 0 counts as 2^-24: its normal is finite."""
    return np.float32(np.sqrt(2)) * lax.erf_inv(2.0 * jnp.maximum(uniform, np.float32(2**-24)) - 1.0)


def _between(uniform: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
    return low + uniform * (high - low)


def draw(key: jax.Array, rates: Rates, sizes: Sizes, hours: float) -> Timeline:
    """The events of an episode of `sizes.n_step` steps of `hours`.

    A branch or sensor fails at most once of itself, the facility meets at most one storm: each with the
    probability 1 - exp(-expected number), at a moment uniform over the episode. The ordinary outages are a
    Poisson process of which `n_outage - 1` count, wherever in the episode. A storm takes the grid away at a
    uniform moment of its rising half. Strengths of lines are drawn once. Events may end after the episode.
    With the same key, more enrichment adds events and changes none of the others.
    """
    # one call: the generator is most of what there is to compile
    shapes = {
        "storm": (6,),
        "grid": (sizes.n_outage - 1, 3),
        "branch": (sizes.n_branch, 5),
        "start": (sizes.n_generator, sizes.n_attempt),
        "generator": (sizes.n_generator, 2),
        "sensor": (sizes.n_sensor, 3),
        "delivery": (sizes.n_delivery,),
    }
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes.values()])
    parts = jnp.split(jax.random.uniform(key, (int(ends[-1]),), jnp.float32), ends[:-1])
    u = {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts)}
    years = sizes.n_step * hours * rates.enrichment / HOURS_PER_YEAR
    transformer = np.asarray(sizes.transformers, bool)

    def moment(uniform):
        return jnp.floor(uniform * sizes.n_step).astype(jnp.int32)

    def spells(happens, uniform, mean_hours):
        begin = moment(uniform[:, 0])
        end = begin + _steps(_exponential(uniform[:, 1]) * mean_hours, hours)
        return jnp.where(happens, begin, 0), jnp.where(happens, end, 0)

    arrivals = jnp.cumsum(_exponential(u["grid"][:, 0]))
    outages = spells(arrivals < rates.outages_per_year * years, u["grid"][:, 1:], rates.outage_hours)

    chance, when, length, peak, loss, loss_length = u["storm"]
    stormy = _exponential(chance) < rates.storms_per_year * years
    begin = moment(when)
    lasting = _steps(_between(length, rates.storm_hours_low, rates.storm_hours_high), hours)
    gust = jnp.where(stormy, _between(peak, rates.gust_low, rates.gust_high), 0.0)
    loss_begin = begin + jnp.floor(0.5 * loss * lasting).astype(jnp.int32)
    loss_end = loss_begin + _steps(
        _between(loss_length, rates.storm_outage_low, rates.storm_outage_high), hours
    )

    faults_per_year = jnp.where(transformer, rates.transformer_faults_per_year, rates.line_faults_per_year)
    repair_hours = jnp.where(transformer, rates.transformer_repair_hours, rates.line_repair_hours)
    faulty = _exponential(u["branch"][:, 0]) < faults_per_year * years
    faults = spells(faulty, u["branch"][:, 1:3], repair_hours)

    strength = windstorm.strengths(_normal(u["branch"][:, 3]), rates.fragility_median, rates.fragility_spread)
    fails, share = windstorm.failure(strength, gust)
    broken = fails & stormy & (rates.wind_fragility > 0.5) & ~transformer
    broken_begin = begin + jnp.floor(share * lasting).astype(jnp.int32)
    # crews do not work in the gusts
    mended = begin + lasting + _steps(_exponential(u["branch"][:, 4]) * rates.line_repair_hours, hours)

    unlucky = _exponential(u["sensor"][:, 0]) < rates.sensor_losses_per_year * years
    losses = spells(unlucky, u["sensor"][:, 1:], rates.sensor_loss_hours)
    trip_after = _exponential(u["generator"][:, 0]) * rates.running_hours_to_failure
    generator_repair = _exponential(u["generator"][:, 1]) * rates.generator_repair_hours
    return Timeline(
        grid_begin=jnp.append(outages[0], jnp.where(stormy, loss_begin, 0)),
        grid_end=jnp.append(outages[1], jnp.where(stormy, loss_end, 0)),
        branch_begin=jnp.stack([faults[0], jnp.where(broken, broken_begin, 0)], axis=1),
        branch_end=jnp.stack([faults[1], jnp.where(broken, mended, 0)], axis=1),
        storm_begin=jnp.where(stormy, begin, 0),
        storm_end=jnp.where(stormy, begin + lasting, 0),
        gust=gust,
        start_fails=u["start"] < rates.start_failure,
        # in whole steps: the last bit of a logarithm may depend on the size of the batch
        trip_after=jnp.minimum(jnp.round(trip_after / hours) * hours, LARGEST),
        generator_repair=jnp.minimum(jnp.round(generator_repair / hours) * hours, LARGEST),
        sensor_begin=losses[0],
        sensor_end=losses[1],
        delivery=_between(u["delivery"], rates.delivery_hours_low, rates.delivery_hours_high),
        delivery_in_storm=jnp.asarray(rates.delivery_in_storm, jnp.float32),
    )
