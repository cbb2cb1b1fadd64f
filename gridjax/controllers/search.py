"""Cross-entropy search for a few constants (Rubinstein 1999), in one program."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp


def cross_entropy(
    key: jax.Array,
    reward: Callable[[jax.Array], jax.Array],
    low: Sequence[float],
    high: Sequence[float],
    *,
    population: int,
    elite: int,
    generations: int,
    spread: float,
    least: float,
    start: jax.Array | None = None,
) -> tuple[jax.Array, jax.Array]:
    """Constants `[n]` within `low` and `high` with the largest `reward` found, and that reward.

    Candidates are normal about the mean of the last `elite`, at first about `start` (default: the middle),
    with a standard deviation of `spread`, never less than `least`, times the range; the best so far is always
    among them, and `start` is the first. They are scored one after another, so that memory is that of one
    `reward`.
    """
    lowest, highest = jnp.array(low), jnp.array(high)
    width = highest - lowest

    def generation(carry, key):
        mean, deviation, best, _ = carry
        genes = mean + deviation * jax.random.normal(key, (population, lowest.size))
        genes = jnp.clip(genes, lowest, highest).at[0].set(best)
        rewards = jax.lax.map(reward, genes)
        kept = genes[jnp.argsort(-rewards)[:elite]]
        deviation = jnp.maximum(jnp.std(kept, axis=0), least * width)
        top = jnp.argmax(rewards)
        return (jnp.mean(kept, axis=0), deviation, genes[top], rewards[top]), None

    middle = 0.5 * (lowest + highest) if start is None else start
    first = (middle, spread * width, middle, jnp.float32(-jnp.inf))
    (_, _, best, value), _ = jax.lax.scan(generation, first, jax.random.split(key, generations))
    return best, value
