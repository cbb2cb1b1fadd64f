"""What fails in one episode of a critical facility: grid, lines, transformers, generators, sensors, supplies.

All of it is drawn at the episode's beginning, from one key, or written down as a list: the task draws nothing
about failures, so two controllers meet the same events. Faults come as Poisson processes with exponential
durations (Billinton & Allan, Reliability Evaluation of Power Systems), wind damage from `storm`.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gridjax.scenarios import storm as windstorm

Array = Any

HOURS_PER_YEAR = 8760.0
CALM = 4.0  # m/s, wind outside a storm
_LONGEST_STEPS = 2**28  # three lengths in a row fit an int32
_LARGEST = 1e9  # of a rate or a duration in h, in place of infinity: every leaf is finite
_PAIRS = ("storm_hours", "storm_outage", "gust", "delivery_hours")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rates:
    """How often things fail and for how long; all []. Durations are exponential with the given mean, or
    uniform between `_low` and `_high`.

    Defaults: outages of the mean customer in the United States (EIA; CityLearn has the same), 331.2 min long;
    generators as in NREL's REopt; lines by EPRI's median for underground cables, 2.89 failures a year per 100
    conductor miles, for 3 by 500 m; gusts and fragility as in the windstorm model of E. A. Martinez Cesena,
    University of Manchester (logarithm of mean 3.8, deviation 0.122). All others are assumptions.
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
    wind_fragility: Array = 1.0  # 1: wind breaks lines; 0: it does not
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


@dataclass(frozen=True)
class Sizes:
    """Numbers of things and of slots for events: static, hashable. Raises `ValueError` on a bad one."""

    n_step: int  # of an episode
    n_branch: int
    n_generator: int
    n_sensor: int
    n_outage: int = 3  # losses of the grid, the last one in the storm
    n_attempt: int = 8
    n_delivery: int = 4
    transformers: tuple[bool, ...] = ()  # [n_branch], which branches are; empty: none

    def __post_init__(self) -> None:
        for name, least in (
            ("n_step", 1),
            ("n_branch", 0),
            ("n_generator", 0),
            ("n_sensor", 0),
            ("n_outage", 1),
            ("n_attempt", 1),
            ("n_delivery", 1),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ValueError(f"{name} is {value!r}, expected an integer of at least {least}")
        transformers = tuple(bool(x) for x in self.transformers) or (False,) * self.n_branch
        if len(transformers) != self.n_branch:
            raise ValueError(f"transformers has {len(transformers)} entries, expected {self.n_branch}")
        object.__setattr__(self, "transformers", transformers)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Timeline:
    """The events of one episode; begins and ends in steps since it began, int32; begin = end: never."""

    grid_begin: jax.Array  # [n_outage], loss of the grid: ordinary ones in no order, then the storm's
    grid_end: jax.Array  # [n_outage]
    branch_begin: jax.Array  # [n_branch, 2], ordinary fault, wind damage
    branch_end: jax.Array  # [n_branch, 2]
    storm_begin: jax.Array  # []
    storm_end: jax.Array  # []
    gust: jax.Array  # [], m/s, the strongest; 0 without a storm
    start_fails: jax.Array  # [n_generator, n_attempt], bool; see `fails_to_start`
    trip_after: jax.Array  # [n_generator], h of running after which it fails; at most 1e9
    generator_repair: jax.Array  # [n_generator], h
    sensor_begin: jax.Array  # [n_sensor]
    sensor_end: jax.Array  # [n_sensor]
    delivery: jax.Array  # [n_delivery], h from the k-th order of fuel to its arrival; see `delivery_hours`
    delivery_in_storm: jax.Array  # [], factor on it while the outage of a storm lasts


def _number(name: str, value: Any, least: float, greatest: float) -> float:
    """The value as a float, or a `ValueError` that names it."""
    try:
        number = float(value) if np.ndim(value) == 0 else np.nan
    except (TypeError, ValueError):
        number = np.nan
    if not least <= number <= greatest:
        raise ValueError(f"{name} is {value!r}, expected a number in [{least:g}, {greatest:g}]")
    return number


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
        greatest = 1.0 if name in ("start_failure", "wind_fragility") else _LARGEST
        values[name] = _number(name, overrides.get(name, default), 0.0, greatest)
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
    return jnp.clip(jnp.round(hours / step_hours), 1.0, float(_LONGEST_STEPS)).astype(jnp.int32)


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
        trip_after=jnp.minimum(jnp.round(trip_after / hours) * hours, _LARGEST),
        generator_repair=jnp.minimum(jnp.round(generator_repair / hours) * hours, _LARGEST),
        sensor_begin=losses[0],
        sensor_end=losses[1],
        delivery=_between(u["delivery"], rates.delivery_hours_low, rates.delivery_hours_high),
        delivery_in_storm=jnp.asarray(rates.delivery_in_storm, jnp.float32),
    )


def never(sizes: Sizes) -> Timeline:
    """An episode in which nothing happens, and fuel comes at once."""
    return scripted(sizes, 1.0)


def scripted(
    sizes: Sizes,
    hours: float,
    *,
    grid: Sequence[tuple[float, float]] = (),
    branches: Mapping[int, tuple[float, float]] | None = None,
    generator_trips: Mapping[int, float] | None = None,
    generator_repairs: Mapping[int, float] | None = None,
    start_failures: Mapping[int, Sequence[int]] | None = None,
    sensors: Mapping[int, tuple[float, float]] | None = None,
    storm: tuple[float, float, float] | None = None,
    storm_grid: tuple[float, float] | None = None,
    deliveries: Sequence[float] = (),
    delivery_in_storm: float = 1.0,
) -> Timeline:
    """An episode whose events come from a list; host side. What is not listed does not happen.

    `hours` is the length of a step. Spells are (begin, end) in h since the episode began, rounded to steps,
    at least one long; they may end after the episode. `grid` lists the ordinary losses of the grid,
    `storm_grid` the one that comes with the `storm` (begin, end, strongest gust in m/s). `branches` and
    `sensors` map a row to its spell, `generator_trips` a row to the hours it runs before it fails,
    `generator_repairs` to the hours of its repair (else 1e9), `start_failures` to its failing attempts,
    from 0. `deliveries` are the delays (h) of the first orders of fuel; the last holds for the rest.

    Raises `ValueError` for a row or attempt that is not there, too many events for the slots, a spell that is
    empty or begins outside the episode, a number out of range.
    """
    step_hours = _number("hours", hours, 1e-6, _LARGEST)

    def spell(name: str, given: Iterable[float]) -> tuple[int, int]:
        given = tuple(given)
        if len(given) != 2:
            raise ValueError(f"{name} is {given!r}, expected (begin, end) in h")
        begin = _number(f"begin of {name}", given[0], 0.0, _LARGEST)
        end = _number(f"end of {name}", given[1], 0.0, _LARGEST)
        first = round(begin / step_hours)
        if end <= begin:
            raise ValueError(f"{name} is {given!r}, expected an end after the begin")
        if first >= sizes.n_step:
            length = sizes.n_step * step_hours
            raise ValueError(f"{name} begins at {begin:g} h, expected within the episode of {length:g} h")
        return first, first + min(max(round((end - begin) / step_hours), 1), _LONGEST_STEPS)

    def rows(name: str, given: Mapping[int, Any] | None, n: int) -> list[tuple[int, Any]]:
        return [(_index(f"a row of {name}", row, n), value) for row, value in (given or {}).items()]

    def slots(name: str, given: Sequence[Any], n: int) -> Sequence[Any]:
        if len(given) > n:
            raise ValueError(f"{name} lists {len(given)} events, expected at most {n}")
        return given

    outages = np.zeros((2, sizes.n_outage), np.int32)
    faults = np.zeros((2, sizes.n_branch, 2), np.int32)
    losses = np.zeros((2, sizes.n_sensor), np.int32)
    gale = np.zeros(2, np.int32)
    gust = 0.0
    start_fails = np.zeros((sizes.n_generator, sizes.n_attempt), bool)
    trip_after = np.full(sizes.n_generator, _LARGEST, np.float32)
    repair = np.full(sizes.n_generator, _LARGEST, np.float32)
    delay = np.zeros(sizes.n_delivery, np.float32)

    for k, given in enumerate(slots("grid", grid, sizes.n_outage - 1)):
        outages[:, k] = spell(f"grid[{k}]", given)
    if storm is not None:
        if len(storm) != 3:
            raise ValueError(f"storm is {storm!r}, expected (begin, end, gust) in h and m/s")
        gale[:] = spell("storm", storm[:2])
        gust = _number("gust of storm", storm[2], 0.0, _LARGEST)
    if storm_grid is not None:
        if storm is None:
            raise ValueError("storm_grid is given without a storm")
        outages[:, -1] = spell("storm_grid", storm_grid)
    for row, given in rows("branches", branches, sizes.n_branch):
        faults[:, row, 0] = spell(f"branches[{row}]", given)
    for row, given in rows("sensors", sensors, sizes.n_sensor):
        losses[:, row] = spell(f"sensors[{row}]", given)
    for row, given in rows("generator_trips", generator_trips, sizes.n_generator):
        trip_after[row] = _number(f"generator_trips[{row}]", given, 0.0, _LARGEST)
    for row, given in rows("generator_repairs", generator_repairs, sizes.n_generator):
        repair[row] = _number(f"generator_repairs[{row}]", given, 0.0, _LARGEST)
    for row, attempts in rows("start_failures", start_failures, sizes.n_generator):
        for attempt in attempts:
            start_fails[row, _index(f"an attempt of start_failures[{row}]", attempt, sizes.n_attempt)] = True
    for k, given in enumerate(slots("deliveries", deliveries, sizes.n_delivery)):
        delay[k:] = _number(f"deliveries[{k}]", given, 0.0, _LARGEST)
    factor = _number("delivery_in_storm", delivery_in_storm, 0.0, _LARGEST)

    leaves = {
        "grid_begin": outages[0],
        "grid_end": outages[1],
        "branch_begin": faults[0],
        "branch_end": faults[1],
        "storm_begin": gale[0],
        "storm_end": gale[1],
        "gust": np.float32(gust),
        "start_fails": start_fails,
        "trip_after": trip_after,
        "generator_repair": repair,
        "sensor_begin": losses[0],
        "sensor_end": losses[1],
        "delivery": delay,
        "delivery_in_storm": np.float32(factor),
    }
    return Timeline(**{name: jnp.asarray(leaf) for name, leaf in leaves.items()})


def _index(name: str, value: Any, n: int) -> int:
    try:
        index = operator.index(value)
    except TypeError:
        index = -1
    if not 0 <= index < n:
        raise ValueError(f"{name} is {value!r}, expected an integer from 0 to {n - 1}")
    return index


def stack(timelines: Iterable[Timeline]) -> Timeline:
    """Timelines of the same sizes as one, leaves [n_scenario, ...]; `ValueError` for none or other sizes."""
    timelines = list(timelines)
    if not timelines:
        raise ValueError("there is no timeline to stack")
    for field in fields(Timeline):
        shapes = sorted({np.shape(getattr(timeline, field.name)) for timeline in timelines})
        if len(shapes) > 1:
            raise ValueError(f"{field.name} has the shapes {shapes}, expected one")
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *timelines)


def _during(begin: jax.Array, end: jax.Array, step: jax.Array | int) -> jax.Array:
    return (begin <= step) & (step < end)


def grid_present(timeline: Timeline, step: jax.Array | int) -> jax.Array:
    """Whether the utility grid is there at `step`: bool []."""
    return ~_during(timeline.grid_begin, timeline.grid_end, step).any()


def branch_sound(timeline: Timeline, step: jax.Array | int) -> jax.Array:
    """Whether a branch can carry power at `step`: bool [n_branch]."""
    return ~_during(timeline.branch_begin, timeline.branch_end, step).any(axis=-1)


def sensor_alive(timeline: Timeline, step: jax.Array | int) -> jax.Array:
    """Whether a sensor reports at `step`: bool [n_sensor]."""
    return ~_during(timeline.sensor_begin, timeline.sensor_end, step)


def wind(timeline: Timeline, step: jax.Array | int, calm: float = CALM) -> jax.Array:
    """Gust (m/s) in the middle of `step`: a half-sine over the storm, never below `calm`."""
    lasting = jnp.maximum(timeline.storm_end - timeline.storm_begin, 1)
    gust = windstorm.gust_at(timeline.gust, (step - timeline.storm_begin + 0.5) / lasting)
    stormy = _during(timeline.storm_begin, timeline.storm_end, step)
    return jnp.where(stormy, jnp.maximum(gust, calm), calm)


def outage_left_hours(timeline: Timeline, step: jax.Array | int, hours: float) -> jax.Array:
    """Hours from the beginning of `step` until the grid is back, 0 where it is present: float32 [].

    Outages that overlap or touch are one. The future: for planners with perfect information, not for agents.
    """
    until = jnp.asarray(step, jnp.int32)
    for _ in range(timeline.grid_begin.shape[-1]):
        lost = _during(timeline.grid_begin, timeline.grid_end, until)
        until = jnp.maximum(until, jnp.max(jnp.where(lost, timeline.grid_end, 0)))
    return (until - step).astype(jnp.float32) * hours


def fails_to_start(timeline: Timeline, attempt: jax.Array) -> jax.Array:
    """Whether each generator's `attempt` (int [n_generator], from 0) fails: bool [n_generator].

    After `n_attempt` attempts the list begins anew.
    """
    slot = jnp.asarray(attempt)[:, None] % timeline.start_fails.shape[-1]
    return jnp.take_along_axis(timeline.start_fails, slot, axis=-1)[:, 0]


def delivery_hours(timeline: Timeline, order: jax.Array | int, step: jax.Array | int) -> jax.Array:
    """Hours from `step`, when fuel is ordered for the `order`-th time (from 0), to its arrival: [].

    Longer by `delivery_in_storm` while the outage of a storm lasts; after `n_delivery` the list begins anew.
    """
    slow = _during(timeline.grid_begin[-1], timeline.grid_end[-1], step)
    delay = timeline.delivery[jnp.asarray(order) % timeline.delivery.shape[-1]]
    return delay * jnp.where(slow, timeline.delivery_in_storm, 1.0)
