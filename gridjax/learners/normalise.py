"""Running mean and variance, merged batch by batch (Chan, Golub and LeVeque 1979)."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

# Floor of a standard deviation of about 1e-4: entries that never vary come out as zero, not as noise.
EPSILON = 1e-8
# Normalised entries are kept within this many standard deviations.
CLIP = 10.0


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class RunningStats:
    """Mean and (population) variance `[...]` of `count` samples; before any, those of a standard normal."""

    count: jax.Array
    mean: jax.Array
    variance: jax.Array

    @property
    def std(self) -> jax.Array:
        """Standard deviation, bounded away from zero."""
        return jnp.sqrt(self.variance + EPSILON)


def empty_stats(shape: tuple[int, ...] = ()) -> RunningStats:
    """Statistics of no samples: normalising with them changes nothing but rounding."""
    return RunningStats(jnp.zeros(()), jnp.zeros(shape), jnp.ones(shape))


def merge(stats: RunningStats, batch: jax.Array, memory: float = 1.0) -> RunningStats:
    """Statistics with `batch` added; its leading axes, those beyond the shape of `mean`, are samples.

    `memory` below one discounts the samples already counted, for quantities that drift.
    """
    axes = tuple(range(batch.ndim - stats.mean.ndim))
    mean = jnp.mean(batch, axis=axes)
    variance = jnp.mean(jnp.square(batch - mean), axis=axes)
    samples = float(batch.size // max(mean.size, 1))
    before = stats.count * memory
    total = before + samples
    weight = samples / total
    delta = mean - stats.mean
    spread = (1.0 - weight) * stats.variance + weight * variance
    return RunningStats(
        total, stats.mean + weight * delta, spread + weight * (1.0 - weight) * jnp.square(delta)
    )


def normalise(stats: RunningStats, x: jax.Array) -> jax.Array:
    """`x` `[..., *mean.shape]` in standard deviations from the mean, within `CLIP`."""
    return jnp.clip((x - stats.mean) * (1.0 / stats.std), -CLIP, CLIP)
