"""exp(w) - 1 of complex numbers by polynomials: no cancellation near zero, no table, no branch."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

MAX_MAGNITUDE = 1.4  # range of the real part, a factor of four in voltage
MAX_ANGLE = 3.2  # rad, of the imaginary part

_HALVINGS = 3
_TERMS = {jnp.dtype("float32"): 3, jnp.dtype("float64"): 6}  # at a fraction of the range


def complex_expm1(magnitude: jax.Array, angle: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Real and imaginary part of exp(`magnitude` + j `angle`) - 1, within the range, to a few ulp."""
    terms = _TERMS[magnitude.dtype]
    part = 0.5**_HALVINGS
    cosine, sine = _series(part * angle, -1.0, terms)
    even, odd = _series(part * magnitude, 1.0, terms)
    up = even + odd
    re, im = up + cosine + up * cosine, sine + up * sine
    for _ in range(_HALVINGS):  # expm1(2 w) = expm1(w) (expm1(w) + 2)
        re, im = re * (re + 2.0) - im * im, 2.0 * im * (re + 1.0)
    return re, im


def _series(x: jax.Array, sign: float, terms: int) -> tuple[jax.Array, jax.Array]:
    """cosh(x) - 1 and sinh(x) where `sign` is 1, cos(x) - 1 and sin(x) where it is -1, by Taylor series."""
    square = x * x
    even = jnp.full_like(x, sign**terms / math.factorial(2 * terms))
    odd = jnp.full_like(x, sign**terms / math.factorial(2 * terms + 1))
    for k in range(terms - 1, 0, -1):
        even = even * square + sign**k / math.factorial(2 * k)
        odd = odd * square + sign**k / math.factorial(2 * k + 1)
    return even * square, x + x * (odd * square)
