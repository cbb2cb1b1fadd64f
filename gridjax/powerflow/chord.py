"""The nominal-deviation chord: a fixed-point iteration whose matrix the whole batch shares.

With V = V_n (1 + e) and dS = S(V) - S_n the power flow equations of slack and PQ buses are exactly

    e = M conj((dS + S_n e^2) / (1 + e)),

M the real inverse of x -> diag(conj V_n) Y diag(V_n) x + conj(S_n) conj(x). The constant-power term sits
inside M, so the error shrinks with the deviation from nominal: 3 to 5 iterations, each one product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.sparse import block_array, diags_array

from gridjax.network import Network
from gridjax.powerflow.case import Case
from gridjax.powerflow.fixed_point import Found, iterate_until
from gridjax.powerflow.inverse import (
    Blocks,
    DenseInverse,
    Inverse,
    gather_buses,
    prepare_inverse,
    scatter_buses,
)
from gridjax.powerflow.nominal import (
    Nominal,
    admittance_matrix,
    namespace,
    real_form,
    solve_nominal,
    sparse_admittance,
)

Array = Any

_MIN_SQUARED_MAGNITUDE = 0.04  # |1 + e|^2: below a fifth of nominal voltage there is no operating point
_MAX_DEVIATION = 2.0


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Chord:
    """What depends on the network alone: the nominal state and the inverse M in one of its forms."""

    nominal: Nominal
    inverse: Inverse


def prepare_chord(network: Network, form: str = "auto") -> Chord:
    """Nominal state and M in the precision of `network`, once per network.

    `form` is that of `inverse.prepare_inverse`; a network inside a trace has the dense one. Raises
    `ValueError` for voltage-controlled buses, which belong to the polar chord.
    """
    if network.pv_buses:
        raise ValueError(
            f"network {network.name!r} has {len(network.pv_buses)} voltage-controlled buses: "
            "the chord is for slack and PQ buses, take method 'polar' or 'auto'"
        )
    nominal = solve_nominal(network)
    v = nominal.voltage
    if namespace(network) is np:
        operator = diags_array(np.conj(v)) @ sparse_admittance(network) @ diags_array(v)
        matrix = _sparse_real_form(operator, diags_array(np.conj(nominal.injection)))
    else:
        operator = jnp.conj(v)[:, None] * admittance_matrix(network) * v[None, :]
        matrix = real_form(operator, jnp.conj(nominal.injection))
    return Chord(nominal=nominal, inverse=prepare_inverse(matrix, network, network.free_buses, form))


def _sparse_real_form(linear: Any, conjugate: Any) -> Any:
    """`nominal.real_form` of scipy sparse matrices, `conjugate` a diagonal one."""
    total, difference = linear + conjugate, linear - conjugate
    return block_array([[total.real, -difference.imag], [total.imag, difference.real]]).tocsr()


def pack(value: jax.Array) -> jax.Array:
    """Complex `[..., n]` to real `[..., 2n]`."""
    return jnp.concatenate([value.real, value.imag], axis=-1)


def unpack(value: jax.Array) -> jax.Array:
    """Real `[..., 2n]` to complex `[..., n]`."""
    n = value.shape[-1] // 2
    return jax.lax.complex(value[..., :n], value[..., n:])


Planes = tuple[jax.Array, jax.Array]


def _ratio(s_n: Planes, change: Planes, deviation: Planes) -> Planes:
    """conj((dS + S_n e^2) / (1 + e)); the guard bounds it, so that a collapsing scenario stays finite."""
    re, im = deviation
    square_re, square_im = re * re - im * im, 2.0 * re * im
    top_re = change[0] + s_n[0] * square_re - s_n[1] * square_im
    top_im = change[1] + s_n[0] * square_im + s_n[1] * square_re
    bottom = 1.0 + re
    scale = 1.0 / jnp.maximum(bottom * bottom + im * im, _MIN_SQUARED_MAGNITUDE)
    return (top_re * bottom + top_im * im) * scale, (top_re * im - top_im * bottom) * scale


def iterate(chord: Chord, change: jax.Array, deviation: jax.Array) -> jax.Array:
    """One chord iteration with a dense M: packed real dS and e `[..., 2 n_bus]` to the next e."""
    n = change.shape[-1] // 2
    nominal = jnp.asarray(chord.nominal.injection)
    s_n = nominal.real.astype(change.dtype), nominal.imag.astype(change.dtype)
    d, e = ((x[..., :n], x[..., n:]) for x in (change, deviation))
    ratio = jnp.concatenate(_ratio(s_n, d, e), axis=-1)
    assert isinstance(chord.inverse, DenseInverse)
    matrix = jnp.asarray(chord.inverse.matrix, change.dtype)
    result = jnp.einsum("ij,...j->...i", matrix, ratio, precision=jax.lax.Precision.HIGHEST)
    return jnp.clip(result, -_MAX_DEVIATION, _MAX_DEVIATION)


def find(chord: Chord, load: Case, start: jax.Array | None, tolerance: float, max_iterations: int) -> Found:
    """Iterate to e, complex `[batch, n_bus]`, zero at slack buses; `start` is e to begin with.

    In float64 the first iterations are in float32: what they leave is the last ones' to correct.
    """
    order, n_bus = chord.inverse.order, load.injection.shape[-1]
    real = load.injection.real.dtype
    s_n = jnp.asarray(chord.nominal.injection, load.injection.dtype)
    change = gather_buses(order, load.injection - s_n)
    nominal = gather_buses(order, s_n[None])
    dependent = []
    for part, power in ((load.constant_current, 1), (load.constant_impedance, 2)):
        if part is not None:
            scale = jnp.abs(jnp.asarray(chord.nominal.voltage)).astype(real) ** power
            dependent.append((power, gather_buses(order, part * scale)))

    def right(k: int, e: jax.Array) -> jax.Array:
        """The right-hand side of part k of the buses."""
        kind = e.dtype
        d = change[k].astype(kind)
        for power, parts in dependent:
            squared = (1.0 + e[:, 0]) ** 2 + e[:, 1] ** 2
            factor = jnp.sqrt(squared) if power == 1 else squared
            d = d + parts[k].astype(kind) * factor[:, None]
        base = nominal[k].astype(kind)
        ratio = _ratio((base[:, 0], base[:, 1]), (d[:, 0], d[:, 1]), (e[:, 0], e[:, 1]))
        return jnp.stack(ratio, axis=1)

    def step(e: Blocks) -> Blocks:
        new = chord.inverse.apply(tuple(right(k, part) for k, part in enumerate(e)))
        return tuple(jnp.clip(part, -_MAX_DEVIATION, _MAX_DEVIATION) for part in new)

    begin = jax.tree.map(jnp.zeros_like, change) if start is None else gather_buses(order, start)
    found = iterate_until(step, begin, tolerance, max_iterations)
    e = scatter_buses(order, found.state, n_bus)
    # a fixed point of the guarded equations alone is no solution
    squared = (1.0 + e.real) ** 2 + e.imag**2
    inside = jnp.all((squared > _MIN_SQUARED_MAGNITUDE) & (squared < _MAX_DEVIATION**2), axis=-1)
    return Found(e, found.iterations, jnp.where(inside, found.error, jnp.inf))


def precondition(chord: Chord, deviation: jax.Array, residual: jax.Array) -> jax.Array:
    """Approximate x of (d residual / d e) x = `residual`, complex `[batch, n_bus]`.

    Exact at the nominal state; real-linear in `residual`, which is that of `equations.residual`.
    """
    order = chord.inverse.order
    right = gather_buses(order, residual / (1.0 + jnp.conj(deviation)))
    return scatter_buses(order, chord.inverse.apply(right), residual.shape[-1])
