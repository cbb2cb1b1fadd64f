"""The squashed Gaussian: a = tanh(u) with u normal, so that actions keep within [-1, 1].

Only u, the sample before tanh, is ever stored: its log-probability is exact where tanh saturates and
an inverse would be infinite.
"""

from __future__ import annotations

import distrax
import jax
import jax.numpy as jnp

OUTPUTS = 1  # of a network, per entry of the action
# Beyond these a policy is either deterministic to float32 or all in the saturated part of tanh.
LOG_STD_BOUNDS = (-5.0, 2.0)


def _normal(mean: jax.Array, log_std: jax.Array) -> distrax.Normal:
    bounded = jnp.clip(log_std, *LOG_STD_BOUNDS)
    return distrax.Normal(mean, jnp.broadcast_to(jnp.exp(bounded), mean.shape))


def sample(key: jax.Array, mean: jax.Array, log_std: jax.Array) -> jax.Array:
    """Sample u, the action before tanh: `[..., n_action]`; `log_std` broadcasts to `mean`."""
    return _normal(mean, log_std).sample(seed=key)


def action(u: jax.Array) -> jax.Array:
    """The action in [-1, 1] that belongs to `u`."""
    return jnp.tanh(u)


def mode(mean: jax.Array, log_std: jax.Array) -> jax.Array:
    """u of the deterministic action, the median of the squashed distribution."""
    del log_std
    return mean


def log_det_jacobian(u: jax.Array) -> jax.Array:
    """log |d tanh(u) / du|, elementwise, in the form that is finite for every finite u."""
    return 2.0 * (jnp.log(2.0) - u - jax.nn.softplus(-2.0 * u))


def log_prob(u: jax.Array, mean: jax.Array, log_std: jax.Array) -> jax.Array:
    """Log-density of the action tanh(u), summed over the action's entries: `[...]` from `[..., n_action]`."""
    return jnp.sum(_normal(mean, log_std).log_prob(u) - log_det_jacobian(u), axis=-1)


def entropy(mean: jax.Array, log_std: jax.Array) -> jax.Array:
    """Entropy of u (not of tanh(u), which has no closed form), summed over the action's entries: `[...]`.

    As a bonus it keeps the exploration before tanh from collapsing; `LOG_STD_BOUNDS` bound it.
    """
    return jnp.sum(_normal(mean, log_std).entropy(), axis=-1)


def from_zero(mean: jax.Array, log_std: jax.Array) -> jax.Array:
    """Divergence of u from one of mean zero and the same deviation, summed over the entries: `[...]`.

    The deviation is taken as it is: the divergence pulls the mean only.
    """
    deviation = jax.lax.stop_gradient(jnp.exp(jnp.clip(log_std, *LOG_STD_BOUNDS)))
    return 0.5 * jnp.sum(jnp.square(mean / deviation), axis=-1)
