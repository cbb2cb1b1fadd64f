"""Choices: for each of the n entries of an action one of its levels, of which a mask may forbid some.

`logits` are `[..., n, levels]`, `mask` the same, bool, or None. What it forbids has probability 0; where it
forbids all levels of an entry, it counts for nothing there.
"""

from __future__ import annotations

import distrax
import jax
import jax.numpy as jnp

_FORBIDDEN = -1e9  # logit: finite, so that gradients are


def _allowed(logits: jax.Array, mask: jax.Array | None) -> jax.Array:
    if mask is None:
        return logits
    return jnp.where(mask | ~jnp.any(mask, axis=-1, keepdims=True), logits, _FORBIDDEN)


def _categorical(logits: jax.Array, mask: jax.Array | None) -> distrax.Categorical:
    return distrax.Categorical(logits=_allowed(logits, mask))


def sample(key: jax.Array, logits: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """One level per entry, int32 `[..., n]`."""
    return jnp.asarray(_categorical(logits, mask).sample(seed=key), jnp.int32)


def mode(logits: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """The most probable levels, int32 `[..., n]`."""
    return jnp.argmax(_allowed(logits, mask), axis=-1).astype(jnp.int32)


def log_prob(choice: jax.Array, logits: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """Log-probability, summed over the entries: `[...]`."""
    return jnp.sum(_categorical(logits, mask).log_prob(choice), axis=-1)


def entropy(logits: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """Entropy, summed over the entries: `[...]`."""
    return jnp.sum(_categorical(logits, mask).entropy(), axis=-1)
