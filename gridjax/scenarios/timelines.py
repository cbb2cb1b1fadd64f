"""The events of one episode of a critical facility, and what a step asks of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.scenarios import storm as windstorm

CALM = 4.0  # m/s, wind outside a storm
LONGEST_STEPS = 2**28  # three lengths in a row fit an int32
LARGEST = 1e9  # of a rate or a duration in h, in place of infinity: every leaf is finite


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
    """Whether a branch is sound at `step`: bool [n_branch]."""
    return ~_during(timeline.branch_begin, timeline.branch_end, step).any(axis=-1)


def sensor_alive(timeline: Timeline, step: jax.Array | int) -> jax.Array:
    """Whether a sensor reports at `step`: bool [n_sensor]."""
    return ~_during(timeline.sensor_begin, timeline.sensor_end, step)


def wind(timeline: Timeline, step: jax.Array | int, calm: float = CALM) -> jax.Array:
    """Gust (m/s, []) in the middle of `step`: a half-sine over the storm, never below `calm`."""
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
    """Hours from `step`, when fuel is ordered for the `order`-th time (from 0), to its arrival: h, [].

    Longer by `delivery_in_storm` while the outage of a storm lasts; after `n_delivery` the list begins anew.
    """
    slow = _during(timeline.grid_begin[-1], timeline.grid_end[-1], step)
    delay = timeline.delivery[jnp.asarray(order) % timeline.delivery.shape[-1]]
    return delay * jnp.where(slow, timeline.delivery_in_storm, 1.0)
