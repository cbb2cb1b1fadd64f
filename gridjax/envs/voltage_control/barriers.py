"""Voltage barriers of the active voltage control task (Wang et al., NeurIPS 2021, section 4.1).

Each of the published ones has its minimum at 1 p.u. `smoothing` rounds off the kinks over that many p.u., for
solvers that want derivatives; 0 gives the barrier itself.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

BARRIERS = ("l1", "l2", "bowl", "none")

_BAND = 0.05
_SIGMA = 0.1
_EDGE_STEP = (2 * _BAND - 0.095) - (
    0.04 - 0.01 * math.exp(-0.5 * (_BAND / _SIGMA) ** 2) / (_SIGMA * math.sqrt(2 * math.pi))
)


def barrier(kind: jax.Array | int, voltage: jax.Array, smoothing: jax.Array | float = 0.0) -> jax.Array:
    """Barrier number `kind` of `BARRIERS` at |v| = `voltage` (p.u., `[...]`); dimensionless, `[...]`.

    Of the kinds:
        l1:   |v - 1|
        l2:   2 (v - 1)^2
        bowl: 2 |v - 1| - 0.095 outside [0.95, 1.05], else 0.04 - 0.01 N(v; 1, 0.1)
        none: 0, for learners that keep voltages by a bound on their cost
    """
    return jax.lax.switch(kind, (_l1, _l2, _bowl, _none), voltage, jnp.asarray(smoothing, voltage.dtype))


def _absolute(x: jax.Array, smoothing: jax.Array) -> jax.Array:
    squared = x * x + smoothing * smoothing
    smooth = jnp.sqrt(jnp.where(squared > 0.0, squared, 1.0))
    return jnp.where(smoothing > 0.0, smooth, jnp.abs(x))


def _l1(voltage: jax.Array, smoothing: jax.Array) -> jax.Array:
    return _absolute(voltage - 1.0, smoothing)


def _l2(voltage: jax.Array, smoothing: jax.Array) -> jax.Array:
    return 2.0 * (voltage - 1.0) ** 2


def _bowl(voltage: jax.Array, smoothing: jax.Array) -> jax.Array:
    distance = jnp.abs(voltage - 1.0)
    excess = distance - _BAND
    outside = 0.5 * (excess + _absolute(excess, smoothing))
    inside = jnp.minimum(distance, _BAND)
    density = jnp.exp(-0.5 * (inside / _SIGMA) ** 2) / (_SIGMA * math.sqrt(2.0 * math.pi))
    # the published pieces do not quite meet at the edge: 0.0050 outside, 0.0048 inside
    return 0.04 - 0.01 * density + 2.0 * outside + jnp.where(excess > 0.0, _EDGE_STEP, 0.0)


def _none(voltage: jax.Array, smoothing: jax.Array) -> jax.Array:
    return jnp.zeros_like(voltage)
