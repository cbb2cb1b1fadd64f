"""A windstorm at one site: the gust rises and falls as a half-sine, lines have lognormal strengths.

The probability that a line fails at a gust is its fragility curve, the distribution function of its strength
(Panteli, Pickering, Wilkinson, Dawson & Mancarella, IEEE Trans. Power Systems 32(5), 2017).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp


def gust_at(gust: jax.Array, share: jax.Array) -> jax.Array:
    """Wind (m/s) when `share` in [0, 1] of a storm is over whose strongest gust is `gust` (m/s)."""
    return gust * jnp.sin(jnp.pi * share)


def strengths(normal: jax.Array, median: jax.Array | float, spread: jax.Array | float) -> jax.Array:
    """Gust (m/s) that a line does not survive, from a standard normal draw.

    `median` in m/s; `spread` is the standard deviation of its logarithm, 0: all lines are alike.
    """
    return median * jnp.exp(spread * normal)


def failure(strength: jax.Array, gust: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Whether a line of `strength` (m/s) fails in a storm of `gust` (m/s), and the share of the storm, in
    [0, 0.5], that is over when the rising wind first exceeds the strength: its `gust_at` is the strength.
    """
    fails = strength < gust
    ratio = jnp.where(fails, strength, 0.0) / jnp.where(fails, gust, 1.0)
    return fails, jnp.arcsin(ratio) / jnp.pi
