"""Newton's method on the deviation e, dense and batched: the reference and the fallback.

Solves R(e) = (1 + conj e)(T e + conj S_n) - conj S = 0 with T = diag(conj V_n) Y diag(V_n), whose
derivative is x -> (1 + conj e) T x + (T e + conj S_n) conj x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.powerflow.chord import pack, unpack
from gridjax.powerflow.nominal import Nominal, admittance_matrix, namespace, real_form, solve_nominal

Array = Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Newton:
    """The nominal state and the scaled admittance matrix T, complex `[n_bus, n_bus]`.

    Rows of slack buses are those of the identity, so that e stays zero there.
    """

    nominal: Nominal
    operator: Array
    free: Array  # [n_bus], bool


def prepare_newton(network: Network) -> Newton:
    """Nominal state and T in the precision of `network`."""
    xp = namespace(network)
    admittance = admittance_matrix(network)
    nominal = solve_nominal(network, admittance)
    v = nominal.voltage
    free = np.isin(np.arange(network.n_bus), network.free_buses)
    scaled = xp.conj(v)[:, None] * admittance * v[None, :]
    operator = xp.where(free[:, None], scaled, np.eye(network.n_bus))
    return Newton(nominal=nominal, operator=operator, free=xp.asarray(free))


def iterate(newton: Newton, change: jax.Array, deviation: jax.Array) -> jax.Array:
    """One Newton iteration; `change` is dS and `deviation` e, packed p.u. `[..., 2 n_bus]`."""
    e, d_s = unpack(deviation), unpack(change)
    operator = jnp.asarray(newton.operator, e.dtype)
    s_n = jnp.where(newton.free, jnp.asarray(newton.nominal.injection, e.dtype), 0.0)
    d_s = jnp.where(newton.free, d_s, 0.0)
    t_e = jnp.einsum("ij,...j->...i", operator, e, precision=jax.lax.Precision.HIGHEST)
    residual = t_e + jnp.conj(e) * (t_e + jnp.conj(s_n)) - jnp.conj(d_s)
    jacobian = real_form((1.0 + jnp.conj(e))[..., None] * operator, t_e + jnp.conj(s_n), jnp)
    step = jnp.linalg.solve(jacobian, pack(residual)[..., None])[..., 0]
    step = jnp.where(jnp.isfinite(step), step, 0.0)
    # a step longer than half the nominal voltage leaves the region where the tangent says anything
    longest = jnp.max(jnp.abs(unpack(step)), axis=-1, keepdims=True)
    return jnp.clip(deviation - step * jnp.minimum(1.0, 0.5 / jnp.maximum(longest, 1e-30)), -2.0, 2.0)


def linear_response(
    newton: Newton, deviation: jax.Array, injection: jax.Array, rhs: jax.Array, tolerance: float
) -> jax.Array:
    """Solve T x + conj(S / (1 + e)^2) conj(x) = rhs, complex `[..., n_bus]`, by a dense factorisation."""
    del tolerance
    operator = jnp.asarray(newton.operator, rhs.dtype)
    conjugate = jnp.where(newton.free, jnp.conj(injection / (1.0 + deviation) ** 2), 0.0)
    matrix = real_form(operator, conjugate, jnp)
    rhs = jnp.where(newton.free, rhs, 0.0)
    return unpack(jnp.linalg.solve(matrix, pack(rhs)[..., None])[..., 0])
