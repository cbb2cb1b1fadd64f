"""Random processes from standard normal draws: mixing, lognormal factors, first-order recursions in time.

No sum has two products in it: which of the two a compiler fuses into a multiply-add is its choice, and one
key must give the same bits in every program.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


def mix(common: jax.Array, own: jax.Array, share: jax.Array | float) -> jax.Array:
    """Unit-variance sum of two unit-variance noises, of which `common` has `share` of the variance."""
    share = jnp.clip(share, 1e-12, 1 - 1e-6)  # both ends have neither a finite ratio nor a gradient
    return jnp.sqrt(1 - share) * (own + jnp.sqrt(share / (1 - share)) * common)


def with_shared(noise: jax.Array, share: jax.Array | float) -> jax.Array:
    """Mix the first column into all others, keeping unit variance; `share` is their correlation."""
    return mix(noise[:, :1], noise[:, 1:], share)


def lognormal(normal: jax.Array, spread: jax.Array | float) -> jax.Array:
    """Lognormal factor of mean one; `spread` is the standard deviation of its logarithm."""
    return jnp.exp(spread * (normal - 0.5 * spread))


def autoregression(shocks: jax.Array, hours: jax.Array, dt: float) -> jax.Array:
    """Stationary AR(1) of unit variance along the first axis, with correlation time `hours` per column."""
    memory = jnp.exp(-dt / hours)
    first = jnp.arange(shocks.shape[0])[:, None] == 0
    return recur(jnp.where(first, shocks, jnp.sqrt(1 - memory**2) * shocks), memory)


def recur(inputs: jax.Array, memory: jax.Array) -> jax.Array:
    """y_t = memory y_(t-1) + inputs_t along the first axis, from zero."""

    def step(previous, new):
        value = memory * previous + new
        return value, value

    return lax.scan(step, jnp.zeros_like(inputs[0]), inputs)[1]
