"""Shapes and bounds of observations and actions, one space per agent of a group."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True, eq=False)
class Box:
    """Reals `[*shape]` within `low` and `high` (numpy, broadcast to it)."""

    low: np.ndarray | float
    high: np.ndarray | float
    shape: tuple[int, ...]

    def sample(self, key: jax.Array) -> jax.Array:
        """One uniform sample of `shape`; bounds must be finite."""
        return jax.random.uniform(
            key, self.shape, minval=jnp.asarray(self.low), maxval=jnp.asarray(self.high)
        )

    def contains(self, value: jax.Array) -> jax.Array:
        """Whether the trailing axes of `value` lie within the bounds: bool, leading axes kept."""
        inside = jnp.isfinite(value) & (value >= self.low) & (value <= self.high)
        axes = tuple(range(-len(self.shape), 0))
        return jnp.all(inside, axis=axes)


@dataclass(frozen=True)
class Discrete:
    """Integers `0 .. n - 1`, `[*shape]`."""

    n: int
    shape: tuple[int, ...] = ()

    def sample(self, key: jax.Array) -> jax.Array:
        """One uniform sample, int32."""
        return jax.random.randint(key, self.shape, 0, self.n)

    def contains(self, value: jax.Array) -> jax.Array:
        """Whether `value` is one of the integers: bool, elementwise."""
        return (value >= 0) & (value < self.n)


@dataclass(frozen=True)
class Hybrid:
    """Reals and choices at once: a dict with `continuous` and `discrete`, each `[*shape]` of its space."""

    continuous: Box
    discrete: Discrete

    def sample(self, key: jax.Array) -> dict[str, jax.Array]:
        """One uniform sample of both."""
        keys = jax.random.split(key)
        return {"continuous": self.continuous.sample(keys[0]), "discrete": self.discrete.sample(keys[1])}

    def contains(self, value: dict[str, jax.Array]) -> jax.Array:
        """Whether both parts are in their space: bool, leading axes kept; the choices all at once."""
        chosen = self.discrete.contains(value["discrete"])
        axes = tuple(range(-len(self.discrete.shape), 0))
        return self.continuous.contains(value["continuous"]) & jnp.all(chosen, axis=axes)


Space = Box | Discrete | Hybrid


def numbered(space: Space) -> tuple[str, ...]:
    """A name for every entry of an action: the reals in their order, then the choices."""
    reals = space.continuous if isinstance(space, Hybrid) else space if isinstance(space, Box) else None
    chosen = space.discrete if isinstance(space, Hybrid) else space if isinstance(space, Discrete) else None
    names = [f"action {k}" for k in range(int(np.prod(reals.shape)))] if reals is not None else []
    names += [f"choice {k}" for k in range(int(np.prod(chosen.shape)))] if chosen is not None else []
    return tuple(names)
