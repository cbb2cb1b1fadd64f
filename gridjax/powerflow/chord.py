"""The nominal-deviation chord: a fixed-point iteration whose matrix the whole batch shares.

With V = V_n (1 + e) and dS = S - S_n the power flow equations of slack and PQ buses are exactly

    e = M conj((dS + S_n e^2) / (1 + e)),

M the real inverse of x -> diag(conj V_n) Y diag(V_n) x + conj(S_n) conj(x). The constant-power term sits
inside M, so the error shrinks with the deviation from nominal: 3 to 5 iterations, each one real product.
Complex vectors are packed as real parts followed by imaginary parts, `[..., 2 n_bus]`; slack rows and
columns of M are zero, so that slack buses need no special case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.powerflow.nominal import Nominal, admittance_matrix, namespace, real_form, solve_nominal

Array = Any

_MIN_SQUARED_MAGNITUDE = 0.04  # |1 + e|^2: below a fifth of nominal voltage there is no operating point
_MAX_DEVIATION = 2.0


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class DenseChord:
    """What depends on the network alone: the nominal state and the dense matrix M."""

    nominal: Nominal
    inverse: Array  # [2 n_bus, 2 n_bus], real


def prepare_chord(network: Network) -> DenseChord:
    """Nominal state and M in the precision of `network`; O(n_bus^3), once per network."""
    xp = namespace(network)
    admittance = admittance_matrix(network)
    nominal = solve_nominal(network, admittance)
    free = network.free_buses
    v = nominal.voltage
    operator = (xp.conj(v)[:, None] * admittance * v[None, :])[np.ix_(free, free)]
    inverse = xp.linalg.inv(real_form(operator, xp.conj(nominal.injection[free]), xp))
    rows = np.concatenate([free, free + network.n_bus])
    # slack rows and columns of zeros: position `free.size` beyond the end of a padded inverse
    place = np.full(2 * network.n_bus, rows.size)
    place[rows] = np.arange(rows.size)
    return DenseChord(nominal=nominal, inverse=xp.pad(inverse, (0, 1))[np.ix_(place, place)])


def pack(value: jax.Array) -> jax.Array:
    """Complex `[..., n]` to real `[..., 2n]`."""
    return jnp.concatenate([value.real, value.imag], axis=-1)


def unpack(value: jax.Array) -> jax.Array:
    """Real `[..., 2n]` to complex `[..., n]`."""
    n = value.shape[-1] // 2
    return jax.lax.complex(value[..., :n], value[..., n:])


def product(matrix: Array, vector: jax.Array) -> jax.Array:
    """`matrix @ vector` over the last axis at full precision (TF32 costs 1e-6 to 8e-6 p.u.)."""
    matrix = jnp.asarray(matrix, vector.dtype)
    return jnp.einsum("ij,...j->...i", matrix, vector, precision=jax.lax.Precision.HIGHEST)


def iterate(chord: DenseChord, change: jax.Array, deviation: jax.Array) -> jax.Array:
    """One chord iteration.

    `change` is dS and `deviation` is e, both packed p.u. `[..., 2 n_bus]`; returns the next e.
    The guards bound every iterate, so that a collapsing scenario stays finite.
    """
    n = change.shape[-1] // 2
    nominal = jnp.asarray(chord.nominal.injection)
    p_n, q_n = nominal.real.astype(change.dtype), nominal.imag.astype(change.dtype)
    re, im = deviation[..., :n], deviation[..., n:]
    square_re, square_im = re * re - im * im, 2.0 * re * im
    top_re = change[..., :n] + p_n * square_re - q_n * square_im
    top_im = change[..., n:] + p_n * square_im + q_n * square_re
    bottom = 1.0 + re
    scale = 1.0 / jnp.maximum(bottom * bottom + im * im, _MIN_SQUARED_MAGNITUDE)
    ratio_re = (top_re * bottom + top_im * im) * scale
    ratio_im = (top_re * im - top_im * bottom) * scale  # conjugated
    result = product(chord.inverse, jnp.concatenate([ratio_re, ratio_im], axis=-1))
    return jnp.clip(result, -_MAX_DEVIATION, _MAX_DEVIATION)


def linear_response(
    chord: DenseChord, deviation: jax.Array, injection: jax.Array, rhs: jax.Array, tolerance: float
) -> jax.Array:
    """Solve the power flow equations linearised at a solution, reusing M.

    Finds x with T x + conj(S / (1 + e)^2) conj(x) = rhs (all complex `[..., n_bus]`), that is
    (I - M K) x = M rhs with K x = conj((S_n - S / (1 + e)^2) x), by the chord iteration itself.
    Differentiable and transposable; the reverse pass iterates with the transpose of M.
    """
    n = rhs.shape[-1]
    slope = jnp.asarray(chord.nominal.injection, rhs.dtype) - injection / (1.0 + deviation) ** 2
    c_re, c_im = slope.real, slope.imag
    matrix = jnp.asarray(chord.inverse, c_re.dtype)

    def slope_product(x: jax.Array) -> jax.Array:  # symmetric: its own transpose
        re, im = x[..., :n], x[..., n:]
        return jnp.concatenate([c_re * re - c_im * im, -c_im * re - c_re * im], axis=-1)

    def fixed_point(step, b):
        def unfinished(carry):
            _, change, count = carry
            return (change > tolerance) & (count < 100)

        def body(carry):
            x, _, count = carry
            new = b + step(x)
            return new, jnp.max(jnp.abs(new - x)) / (1e-30 + jnp.max(jnp.abs(new))), count + 1

        big = jnp.asarray(jnp.inf, b.dtype)
        return jax.lax.while_loop(unfinished, body, (b, big, 0))[0]

    solution = jax.lax.custom_linear_solve(
        lambda x: x - product(matrix, slope_product(x)),
        product(matrix, pack(rhs)),
        solve=lambda _, b: fixed_point(lambda x: product(matrix, slope_product(x)), b),
        transpose_solve=lambda _, b: fixed_point(lambda x: slope_product(product(matrix.T, x)), b),
    )
    return unpack(solution)
