"""Newton's method in polar coordinates, dense and batched: the reference and the fallback.

Solves `equations.residual` = 0 for V = V_n (1 + e) with steps in log V. A step that does not lower the
residual is shortened; convergence is judged by the full step, so a search that stalls is not a solution.
Memory is that of one `[2 n_bus, 2 n_bus]` matrix per scenario.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.powerflow import elimination
from gridjax.powerflow.chord import pack, unpack
from gridjax.powerflow.equations import (
    Equations,
    admittance,
    drawn,
    jacobian,
    limit_reactive,
    residual,
    scheduled,
)
from gridjax.powerflow.nominal import Nominal, admittance_matrix, solve_nominal

Array = Any

_SHARES = (1.0, 0.5, 0.25, 0.125, 0.03125, 0.0078125)  # of a step that the line search tries
_LONGEST = 1.0  # change of log V (a factor of e, a radian) in one step
_MARGIN = {"float64": 1e-9, "float32": 1e-5}  # p.u. beyond a reactive limit that rounding explains


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Newton:
    """The nominal state and the admittance matrix with all branches in service, `[n_bus, n_bus]`."""

    nominal: Nominal
    admittance: Array


class Solution(NamedTuple):
    """Where the iteration ended, per scenario."""

    deviation: jax.Array  # [..., n_bus], complex e; 0 at dead buses
    iterations: jax.Array  # [...], int32
    change: jax.Array  # [...], largest change of e by the last full step; inf where there was none
    limited: jax.Array  # [..., n_pv], int8: 1 or -1 where a reactive limit, upper or lower, binds


def prepare_newton(network: Network) -> Newton:
    """Nominal state and admittance matrix in the precision of `network`."""
    admittance = admittance_matrix(network)
    return Newton(nominal=solve_nominal(network, admittance), admittance=admittance)


def around(network: Network, nominal: Nominal) -> Newton:
    """Newton's method for a network whose nominal state another method has prepared."""
    return Newton(nominal=nominal, admittance=admittance_matrix(jax.tree.map(jnp.asarray, network)))


def find(
    newton: Newton,
    system: Equations,
    start: jax.Array,
    tolerance: float,
    max_iterations: int,
    enforce_reactive_limits: bool = False,
) -> Solution:
    """Solve `system` from e = `start`, complex `[..., n_bus]`, which slack buses keep.

    A scenario has converged where the last full Newton step changed e by less than `tolerance`, p.u.

    With `enforce_reactive_limits` PV buses whose generators violate a limit are fixed at it, all at once,
    and the scenario is solved again until none does; a bus that was fixed stays so (as pandapower with
    `enforce_q_lims=True`). A scenario that does not converge is left at that.
    """
    network = system.network
    batch = jnp.broadcast_shapes(
        start.shape[:-1], system.injection.shape[:-1], system.slack.shape[:-1], system.energised.shape[:-1]
    )
    real = start.real.dtype
    first = Solution(
        deviation=jnp.broadcast_to(jnp.where(system.energised, start, 0.0), (*batch, network.n_bus)),
        iterations=jnp.zeros(batch, jnp.int32),
        change=jnp.full(batch, jnp.inf, real),
        limited=jnp.zeros((*batch, len(network.pv_buses)), jnp.int8),
    )
    if not (enforce_reactive_limits and network.pv_buses):
        return _iterate(newton, system, first, tolerance, max_iterations)

    def again(carry):
        solution, _ = carry
        fixed = limit_reactive(system, solution.limited)
        solution = _iterate(newton, fixed, solution, tolerance, max_iterations)
        beyond = violated(system, solution.deviation, solution.limited)
        beyond = beyond * (solution.change < tolerance)[..., None].astype(jnp.int8)
        more = jnp.any(beyond != 0, axis=-1)
        return solution._replace(
            limited=solution.limited + beyond,
            change=jnp.where(more, jnp.inf, solution.change),
        ), jnp.any(more)

    # every round fixes at least one bus of a scenario that goes on
    return jax.lax.while_loop(lambda carry: carry[1], again, (first, jnp.asarray(True)))[0]


def _iterate(
    newton: Newton, system: Equations, first: Solution, tolerance: float, max_iterations: int
) -> Solution:
    every = admittance(system, newton.admittance)

    def active(solution):
        return (solution.change >= tolerance) & (solution.iterations - first.iterations < max_iterations)

    def body(solution):
        e = solution.deviation
        unbalanced = residual(system, e)
        matrix = jacobian(system, every, e)
        step = unpack(elimination.solve(matrix, -pack(unbalanced)))
        sound = jnp.all(jnp.isfinite(step), axis=-1)
        step = jnp.where(sound[..., None], step, 0.0)
        longest = jnp.max(jnp.abs(step), axis=-1)
        change = jnp.where(sound, jnp.max(jnp.abs(step * (1.0 + e)), axis=-1), jnp.inf)
        step = step * jnp.minimum(1.0, _LONGEST / jnp.maximum(longest, _LONGEST))[..., None]
        new = jnp.where((longest < 1e-3)[..., None], _move(e, step), _search(system, e, step))
        going = active(solution)
        return solution._replace(
            deviation=jnp.where(going[..., None], new, e),
            iterations=solution.iterations + going,
            change=jnp.where(going, change, solution.change),
        )

    return jax.lax.while_loop(lambda solution: jnp.any(active(solution)), body, first)


def _move(deviation: jax.Array, step: jax.Array) -> jax.Array:
    """(1 + e) exp(step) - 1 without cancellation, `[..., n_bus]`."""
    grown = jnp.expm1(step.real)
    half = jnp.sin(0.5 * step.imag)
    re = grown - (1.0 + grown) * 2.0 * half * half
    factor = jax.lax.complex(re, (1.0 + grown) * jnp.sin(step.imag))
    return deviation + (1.0 + deviation) * factor


def _search(system: Equations, deviation: jax.Array, step: jax.Array) -> jax.Array:
    """The candidate along `step` with the smallest residual."""

    def consider(share, carry):
        best, least = carry
        candidate = _move(deviation, share * step)
        r = residual(system, candidate)
        size = jnp.sum(r.real**2 + r.imag**2, axis=-1)
        better = size < least
        return jnp.where(better[..., None], candidate, best), jnp.where(better, size, least)

    shares = jnp.asarray(_SHARES, step.real.dtype)
    # a loop, for the residual is the larger part of what there is to compile
    first = deviation, jnp.full(step.shape[:-1], jnp.inf, step.real.dtype)
    return jax.lax.fori_loop(0, len(_SHARES), lambda k, carry: consider(shares[k], carry), first)[0]


def violated(system: Equations, deviation: jax.Array, limited: jax.Array) -> jax.Array:
    """1 or -1 where the generators of a PV bus exceed their upper or lower limit, int8 `[..., n_pv]`.

    Zero at buses that `limited`, of the same kind, already holds at a limit.
    """
    network = system.network
    rows = np.array(network.pv_buses, int)
    reactive = (drawn(system, deviation) - scheduled(system, deviation)).imag[..., rows]
    margin = _MARGIN[reactive.dtype.name]
    over = reactive > jnp.asarray(network.reactive_max, reactive.dtype) + margin
    under = reactive < jnp.asarray(network.reactive_min, reactive.dtype) - margin
    open_ = (limited == 0) & system.controlled[..., rows]
    return jnp.where(open_, over.astype(jnp.int8) - under.astype(jnp.int8), jnp.int8(0))


def linear_response(newton: Newton, system: Equations, deviation: jax.Array, rhs: jax.Array) -> jax.Array:
    """The complex x `[..., n_bus]` with (d residual / d e) x = rhs; 0 at slack and dead buses.

    `system` has its limited generators fixed (`limit_reactive`). Linear in `rhs` over the reals,
    differentiable and transposable: a dense factorisation.
    """
    free = system.energised & ~system.slack
    matrix = jacobian(system, admittance(system, newton.admittance), deviation)
    rhs = pack(jnp.where(free, rhs, 0.0))
    return (1.0 + deviation) * unpack(elimination.solve(matrix, rhs))
