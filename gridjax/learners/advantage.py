"""Generalised advantage estimation (Schulman et al. 2016, equation 16) with both kinds of episode end."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def generalised_advantage(
    reward: jax.Array,
    value: jax.Array,
    next_value: jax.Array,
    terminated: jax.Array,
    truncated: jax.Array,
    gamma: jax.Array | float,
    gae_lambda: jax.Array | float,
) -> jax.Array:
    """Advantages `[T, B, ...]` from `reward`, `value` and `next_value`, all `[T, B, ...]`.

    `terminated` and `truncated` are bool `[T, B]`, or of any shape that broadcasts (`[T, B, 1]` for
    rewards `[T, B, n_agents]`). `next_value[t]` is the value of the observation that step t itself led
    to, before any reset: where an episode ends it is not `value[t + 1]`. Termination bootstraps zero,
    truncation bootstraps `next_value`; both cut the trace. Value targets are `advantage + value`.
    """
    delta = reward + gamma * jnp.where(terminated, 0.0, next_value) - value
    decay = jnp.broadcast_to(gamma * gae_lambda * (1.0 - (terminated | truncated)), delta.shape)

    def backwards(after: jax.Array, step: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        advantage = step[0] + step[1] * after
        return advantage, advantage

    _, advantage = jax.lax.scan(backwards, jnp.zeros_like(delta[0]), (delta, decay), reverse=True)
    return advantage
