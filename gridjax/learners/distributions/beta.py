"""The Beta distribution with one peak: a = 2 x - 1, x in (0, 1), whose bounds need no squashing.

After Chou, Maturana and Scherer (ICML 2017). A network gives two numbers per entry of the action, `raw`
`[..., 2 n_action]`, all first ones before all second ones: concentrations are 1 + softplus of them, offset so
that where `raw` is zero actions have the standard deviation exp(`log_std`).
"""

from __future__ import annotations

import distrax
import jax
import jax.numpy as jnp

OUTPUTS = 2  # of a network, per entry of the action
LEAST_LOG_STD = -2.5  # narrower, float32 loses in the logarithms of gammas what an update of PPO changes
_EDGE = 1e-6  # from 0 and 1, where the density has its zeros
_LEAST = 0.05  # of a concentration above 1 at the start: with less a network could hardly narrow it


def concentrations(raw: jax.Array, log_std: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Both concentrations, above 1: `[..., n_action]` each."""
    # with both equal to c the variance on [-1, 1] is 1 / (2 c + 1)
    above = jnp.maximum(0.5 * (jnp.exp(-2.0 * log_std) - 1.0) - 1.0, _LEAST)
    offset = above + jnp.log(-jnp.expm1(-above))  # the inverse of softplus
    first, second = jnp.split(raw, 2, axis=-1)
    return 1.0 + jax.nn.softplus(first + offset), 1.0 + jax.nn.softplus(second + offset)


def _beta(raw: jax.Array, log_std: jax.Array) -> distrax.Beta:
    return distrax.Beta(*concentrations(raw, log_std))


def sample(key: jax.Array, raw: jax.Array, log_std: jax.Array) -> jax.Array:
    """Sample x in (0, 1): `[..., n_action]`."""
    return jnp.clip(_beta(raw, log_std).sample(seed=key), _EDGE, 1.0 - _EDGE)


def action(x: jax.Array) -> jax.Array:
    """The action in [-1, 1] that belongs to `x`."""
    return 2.0 * x - 1.0


def mode(raw: jax.Array, log_std: jax.Array) -> jax.Array:
    """x of the deterministic action: the mean, which does not jump where the density is flat."""
    first, second = concentrations(raw, log_std)
    return first / (first + second)


def log_prob(x: jax.Array, raw: jax.Array, log_std: jax.Array) -> jax.Array:
    """Log-density of the action 2 x - 1, summed over its entries: `[...]`."""
    return jnp.sum(_beta(raw, log_std).log_prob(x) - jnp.log(2.0), axis=-1)


def entropy(raw: jax.Array, log_std: jax.Array) -> jax.Array:
    """Entropy of the action, summed over its entries: `[...]`."""
    return jnp.sum(_beta(raw, log_std).entropy() + jnp.log(2.0), axis=-1)
