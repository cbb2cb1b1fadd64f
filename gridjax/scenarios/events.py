"""Events of a day: price shock, cloud front, demand peak, loss of the grid connection.

Each happens at most once in an episode, with a probability that is a number: 0 switches it off, 1 forces it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Array = Any

EVENTS = ("price_shock", "cloud_front", "demand_peak", "islanded")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Events:
    """One entry per event of `EVENTS`."""

    probability: Array  # [4], of happening in an episode
    size: Array  # [4], import price and demand are multiplied by it, sun by one minus it; 1: island
    earliest: Array  # [4], h after the episode began
    latest: Array  # [4], h, of the beginning
    shortest: Array  # [4], h
    longest: Array  # [4], h


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Drawn:
    """When the events of one episode happen, in steps since it began; begin = end: never."""

    begin: jax.Array  # [4], int32
    end: jax.Array  # [4], int32


def events(happening: Sequence[str] = (), probability: float = 1.0) -> Events:
    """Events of which those `happening` have `probability`, the others none.

    Raises `ValueError` for an unknown name or a probability outside [0, 1].
    """
    unknown = [name for name in happening if name not in EVENTS]
    if unknown:
        raise ValueError(f"events holds {unknown}, expected names of {', '.join(EVENTS)}")
    if not 0 <= probability <= 1:
        raise ValueError(f"probability is {probability!r}, expected a number in [0, 1]")
    chance = [probability * (name in happening) for name in EVENTS]
    return Events(
        probability=jnp.asarray(chance, jnp.float32),
        size=jnp.asarray([2.0, 0.75, 1.6, 1.0], jnp.float32),
        earliest=jnp.asarray([6.0, 9.0, 7.0, 8.0], jnp.float32),
        latest=jnp.asarray([18.0, 14.0, 19.0, 18.0], jnp.float32),
        shortest=jnp.asarray([2.0, 1.0, 1.0, 1.0], jnp.float32),
        longest=jnp.asarray([4.0, 3.0, 3.0, 3.0], jnp.float32),
    )


def draw(key: jax.Array, events: Events, hours: float) -> Drawn:
    """The events of an episode of steps of `hours`."""
    chance, begin, length = jax.random.uniform(key, (3, len(EVENTS)))
    begin = events.earliest + begin * (events.latest - events.earliest)
    length = events.shortest + length * (events.longest - events.shortest)
    happens = chance < events.probability
    first = jnp.round(begin / hours).astype(jnp.int32)
    steps = jnp.maximum(jnp.round(length / hours), 1.0).astype(jnp.int32)
    return Drawn(begin=first, end=jnp.where(happens, first + steps, first))


def factors(
    events: Events, drawn: Drawn, step: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Factors on import price, sun and demand at `step`, and whether the grid is connected: scalars."""
    active = (step >= drawn.begin) & (step < drawn.end)
    strength = jnp.where(active, events.size, jnp.asarray(np.array([1.0, 0.0, 1.0, 0.0], np.float32)))
    return strength[0], 1.0 - strength[1], strength[2], strength[3] < 0.5
