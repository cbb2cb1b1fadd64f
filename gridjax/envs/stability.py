"""One number in [0, 1] for how far the grid is from its limits: the stability index.

Every quantity has a severity x = deviation / limit of its worst element, squared as in contingency ranking
(Ejebe and Wollenberg, IEEE Trans. PAS-98(1), 1979, performance index with n = 1). The index is the product
of 1 - min(x, 1)^2 over

- voltage: |v - 1| over `VOLTAGE` p.u. (EN 50160: +-10 %),
- loading: branch current over its rating,
- frequency, in an island: |f - f0| over `FREQUENCY` p.u. (EN 50160: +-2 % without a synchronous connection),

so it is 1 for a grid at rest and 0 as soon as one limit is reached.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

VOLTAGE = 0.1
LOADING = 1.0
FREQUENCY = 0.02


def stability_index(
    voltage: jax.Array, loading: jax.Array, frequency: jax.Array, nominal_frequency: jax.Array | float = 50.0
) -> jax.Array:
    """Index `[...]` of |v| `[..., n_bus]` (p.u.), loading `[..., n_branch]`, frequency `[...]` (Hz)."""
    away = jnp.max(jnp.abs(voltage - 1.0), axis=-1) / VOLTAGE
    heavy = jnp.max(loading, axis=-1, initial=0.0) / LOADING
    off = jnp.abs(frequency / nominal_frequency - 1.0) / FREQUENCY
    return _margin(away) * _margin(heavy) * _margin(off)


def _margin(severity: jax.Array) -> jax.Array:
    return 1.0 - jnp.minimum(severity, 1.0) ** 2
