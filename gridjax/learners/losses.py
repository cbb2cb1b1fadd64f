"""The terms of the PPO objective (Schulman et al. 2017): pure functions, each a mean over all samples.

Shapes: `log_ratio`, `advantage`, `value`, `target` are `[B, n_agents]`, or any common shape.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax

VALUE_LOSSES = ("clipped", "huber", "squared")


def policy_loss(log_ratio: jax.Array, advantage: jax.Array, clip: jax.Array | float) -> jax.Array:
    """Clipped surrogate, to be minimised: a scalar."""
    ratio = jnp.exp(log_ratio)
    return -jnp.mean(jnp.minimum(ratio * advantage, jnp.clip(ratio, 1.0 - clip, 1.0 + clip) * advantage))


def value_loss(
    value: jax.Array,
    old_value: jax.Array,
    target: jax.Array,
    kind: str,
    value_clip: jax.Array | float,
    huber_delta: jax.Array | float,
) -> jax.Array:
    """Loss of the critic, a scalar; all values in the same (normalised) units.

    "clipped": the larger of the squared errors of the value and of the value kept within `value_clip`
    of the old one; "huber": quadratic within `huber_delta`, linear beyond; "squared": half the square.
    """
    if kind == "huber":
        return jnp.mean(optax.losses.huber_loss(value, target, delta=huber_delta))
    error = jnp.square(value - target)
    if kind == "clipped":
        near = old_value + jnp.clip(value - old_value, -value_clip, value_clip)
        error = jnp.maximum(error, jnp.square(near - target))
    return 0.5 * jnp.mean(error)


def policy_diagnostics(log_ratio: jax.Array, clip: jax.Array | float) -> dict[str, jax.Array]:
    """How far the policy has moved from the one that acted: scalars.

    `approximate_kl` is the estimator mean(r - 1 - log r), never negative; `clip_fraction` the share of
    ratios outside the clip; `ratio_deviation` the largest |r - 1|.
    """
    ratio = jnp.exp(log_ratio)
    deviation = jnp.abs(ratio - 1.0)
    return {
        "approximate_kl": jnp.mean(ratio - 1.0 - log_ratio),
        "clip_fraction": jnp.mean((deviation > clip).astype(ratio.dtype)),
        "ratio_deviation": jnp.max(deviation),
    }


def explained_variance(value: jax.Array, target: jax.Array) -> jax.Array:
    """1 - var(target - value) / var(target): one is perfect, zero no better than a constant."""
    return 1.0 - jnp.var(target - value) / jnp.maximum(jnp.var(target), 1e-12)


def value_diagnostics(value: jax.Array, target: jax.Array) -> dict[str, jax.Array]:
    """How well values predict returns: `explained_variance` and `value_error`, the root mean square."""
    return {
        "explained_variance": explained_variance(value, target),
        "value_error": jnp.sqrt(jnp.mean(jnp.square(value - target))),
    }
