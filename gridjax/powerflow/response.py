"""How the solution answers a small change: the linear system of the implicit function theorem.

The Jacobian at the solution is never formed: its products are the derivative of the residual, and the
method's own shared inverse is the preconditioner, so that a handful of products solve every scenario
(H. A. van der Vorst, Bi-CGSTAB, SIAM J. Sci. Stat. Comput. 13, 1992).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from gridjax.powerflow.equations import Equations, residual

Array = Any

_MAX_ITERATIONS = 60


def respond(
    system: Equations,
    deviation: jax.Array,
    precondition: Callable[[jax.Array], jax.Array],
    rhs: jax.Array,
) -> jax.Array:
    """The x with (d residual / d e) x = `rhs` at e = `deviation`, complex `[batch, n_bus]`, p.u.

    `precondition` is real-linear and approximates the inverse. x is zero at slack and dead buses.
    Real-linear in `rhs`, differentiable and transposable: the reverse pass solves the transposed system
    with the transposed preconditioner.
    """
    free = jnp.asarray(system.energised & ~system.slack)

    def matvec(x: jax.Array) -> jax.Array:
        _, change = jax.jvp(lambda e: residual(system, e), (deviation,), (_complex(x),))
        return _real(jnp.where(free, change, _complex(x)))

    def approximate(r: jax.Array) -> jax.Array:
        return _real(jnp.where(free, precondition(jnp.where(free, _complex(r), 0.0)), _complex(r)))

    right = _real(jnp.where(free, rhs, 0.0))
    (transpose,) = (jax.linear_transpose(approximate, right),)
    solution = jax.lax.custom_linear_solve(
        matvec,
        right,
        solve=lambda a, b: _bicgstab(a, b, approximate),
        transpose_solve=lambda a, b: _bicgstab(a, b, lambda r: transpose(r)[0]),
    )
    return _complex(solution)


def _real(value: jax.Array) -> jax.Array:
    return jnp.stack([value.real, value.imag], axis=-1)


def _complex(value: jax.Array) -> jax.Array:
    return jax.lax.complex(value[..., 0], value[..., 1])


Operator = Callable[[jax.Array], jax.Array]


def _bicgstab(matvec: Operator, b: jax.Array, precondition: Operator) -> jax.Array:
    """Solve for every scenario of `b`, real `[batch, n_bus, 2]`, preconditioned from the right."""
    tolerance = 1e-13 if b.dtype == jnp.float64 else 3e-7
    target = tolerance**2 * _dot(b, b)

    def sweep(_, x):
        return x + _sweep(matvec, precondition, b - matvec(x), target)

    # the second sweep solves for what rounding left of the first
    return jax.lax.fori_loop(0, 2, sweep, precondition(b))


def _dot(a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.sum(a * b, axis=(-1, -2), keepdims=True)


def _ratio(above: jax.Array, below: jax.Array) -> jax.Array:
    safe = below != 0.0
    return jnp.where(safe, above / jnp.where(safe, below, 1.0), 0.0)


def _sweep(matvec: Operator, precondition: Operator, shadow: jax.Array, target: jax.Array) -> jax.Array:
    """The correction from zero with the smallest residual on the way; `shadow` is the residual at zero."""

    def unfinished(carry):
        _, _, size, count = carry
        return jnp.any(size > target) & (count < _MAX_ITERATIONS)

    def body(carry):
        vectors, (best, least), size, count = carry
        x, r, p, v, rho, alpha, omega = vectors
        going = size > target
        new_rho = _dot(shadow, r)
        p = r + _ratio(new_rho, rho) * _ratio(alpha, omega) * (p - omega * v)
        p_hat = precondition(p)
        v = matvec(p_hat)
        alpha = _ratio(new_rho, _dot(shadow, v))
        s = r - alpha * v
        s_hat = precondition(s)
        t = matvec(s_hat)
        omega = _ratio(_dot(t, s), _dot(t, t))
        x = x + alpha * p_hat + omega * s_hat
        r = s - omega * t
        new_size = jnp.where(going, _dot(r, r), size)
        better = going & (new_size < least)
        best, least = jnp.where(better, x, best), jnp.where(better, new_size, least)
        moved = (x, r, p, v, new_rho, alpha, omega)
        vectors = tuple(jnp.where(going, new, old) for new, old in zip(moved, vectors))
        return vectors, (best, least), new_size, count + 1

    zero, size = jnp.zeros_like(shadow), _dot(shadow, shadow)
    one = jnp.ones_like(size)
    vectors = (zero, shadow, zero, zero, one, one, one)
    return jax.lax.while_loop(unfinished, body, (vectors, (zero, size), size, jnp.int32(0)))[1][0]
