"""exp(w) - 1 of complex numbers by polynomials: no cancellation near zero, no table, no branch."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

LARGE = 1.0  # range of both parts in which `complex_expm1` is exact to float32 rounding
SMALL = 0.03  # and to float64 rounding, without halving

_TERMS = 4


def complex_expm1(magnitude: jax.Array, angle: jax.Array, halve: bool) -> tuple[jax.Array, jax.Array]:
    """Real and imaginary part of exp(`magnitude` + j `angle`) - 1, within `LARGE` or, unhalved, `SMALL`."""
    part = 0.5 if halve else 1.0
    cosine, sine = _series(part * angle, -1.0)
    even, odd = _series(part * magnitude, 1.0)
    up = even + odd
    re, im = up + cosine + up * cosine, sine + up * sine
    if halve:  # expm1(2 w) = expm1(w) (expm1(w) + 2)
        re, im = re * (re + 2.0) - im * im, 2.0 * im * (re + 1.0)
    return re, im


def _series(x: jax.Array, sign: float) -> tuple[jax.Array, jax.Array]:
    """cosh(x) - 1 and sinh(x) where `sign` is 1, cos(x) - 1 and sin(x) where it is -1, by Taylor series."""
    square = sign * x * x
    even, odd = jnp.zeros_like(x), jnp.zeros_like(x)
    for k in range(_TERMS, 0, -1):
        even = square * (even + 1.0 / math.factorial(2 * k))
        odd = square * (odd + 1.0 / math.factorial(2 * k + 1))
    return even, x + x * odd
