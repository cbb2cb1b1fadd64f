"""One entry point to the power flow: `solve`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.powerflow import chord, newton
from gridjax.powerflow.branch import branch_flow, bus_current
from gridjax.powerflow.equations import equations
from gridjax.powerflow.equations import residual as equations_residual
from gridjax.powerflow.flow import Flow
from gridjax.powerflow.prepare import Solver, check_method, prepare
from gridjax.powerflow.status import Status

Array = Any


def solve(
    network: Network,
    injection: Array,
    method: str = "auto",
    *,
    tolerance: float | None = None,
    max_iterations: int | None = None,
    solver: Solver | None = None,
    start: Array | None = None,
) -> Flow:
    """Solve the AC power flow of `network` for every scenario of `injection`.

    Args:
        network: slack and PQ buses, radial or meshed.
        injection: complex p.u. `[..., n_bus]`, generation positive; leading axes are scenarios.
            Entries at slack buses only enter `slack_power`.
        method: `"auto"`, `"chord"` (nominal-deviation chord, dense) or `"newton"`.
        tolerance: largest change of e = V / V_n - 1 in the last iteration, p.u.; default 1e-10 in
            float64; in float32 1e-6, for Newton 1e-5.
        max_iterations: default 40 for the chord and 20 for Newton.
        solver: from `prepare(network, method)`; prepared here if absent.
        start: e to start from, complex `[..., n_bus]`, such as `flow.deviation`; default nominal.

    Precision is that of `injection` under JAX's rules (float64 needs `jax_enable_x64`). A scenario
    that does not converge is flagged in `flow.status` and finite; nothing is raised on data.
    Differentiable in `injection` and in every real leaf of `network` by the implicit function
    theorem, forward and reverse, also under `jit` and `vmap`; differentiate only converged scenarios.

    Raises `ValueError` for an unknown method, or an injection whose last axis is not `n_bus`.
    """
    injection = jnp.asarray(injection)
    if injection.ndim == 0 or injection.shape[-1] != network.n_bus:
        raise ValueError(
            f"injection has shape {injection.shape}, expected [..., {network.n_bus}] "
            f"for network {network.name!r}"
        )
    check_method(method)
    if solver is None:
        solver = prepare(network, method)
    injection = injection.astype(jnp.result_type(injection.dtype, jnp.complex64))
    single = injection.dtype == jnp.complex64
    if tolerance is None:
        rounding = 1e-5 if isinstance(solver, newton.Newton) else 1e-6
        tolerance = rounding if single else 1e-10
    if max_iterations is None:
        max_iterations = 20 if isinstance(solver, newton.Newton) else 40
    if start is None:
        start = jnp.zeros_like(injection)
    start = jnp.asarray(start, injection.dtype)
    return _solve(network, injection, solver, start, float(tolerance), int(max_iterations))


@partial(jax.jit, static_argnames=("tolerance", "max_iterations"))
def _solve(
    network: Network,
    injection: jax.Array,
    solver: Solver,
    start: jax.Array,
    tolerance: float,
    max_iterations: int,
) -> Flow:
    free = np.isin(np.arange(network.n_bus), network.free_buses)
    start = jnp.where(free, start, 0.0)
    finite = jnp.all(jnp.isfinite(injection), axis=-1)
    nominal_injection = jnp.asarray(solver.nominal.injection, injection.dtype)
    safe = jnp.where(finite[..., None], injection, nominal_injection)
    options = (tolerance, max_iterations)
    solved, iterations, change = _deviation(options, network, safe, solver, jax.lax.stop_gradient(start))
    deviation = solved + _slack_deviation(network, solver, injection.dtype)

    flow = branch_flow(network, solver.nominal, deviation)
    voltage = jnp.asarray(solver.nominal.voltage, injection.dtype) * (1.0 + deviation)
    current = bus_current(network, solver.nominal, deviation)
    drawn = voltage * jnp.conj(current)
    mismatch = jnp.max(jnp.where(free, jnp.abs(drawn - safe), 0.0), axis=-1)
    current_from, current_to = _magnitude(flow.current_from), _magnitude(flow.current_to)
    loading = jnp.maximum(current_from / network.rating_from, current_to / network.rating_to)
    slack = np.array(network.slack_buses)
    return Flow(
        voltage=voltage,
        deviation=deviation,
        status=_status(network, finite, change, mismatch, voltage, safe, tolerance),
        iterations=iterations,
        mismatch=mismatch,
        power_from=flow.power_from,
        power_to=flow.power_to,
        current_from=current_from,
        current_to=current_to,
        loading=loading,
        losses=flow.losses,
        slack_power=(drawn - safe)[..., slack],
    )


def _magnitude(value: jax.Array) -> jax.Array:
    squared = value.real**2 + value.imag**2
    positive = squared > 0.0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squared, 1.0)), 0.0)  # no NaN gradient at zero


def _slack_deviation(network: Network, solver: Solver, dtype) -> jax.Array:
    """e at slack buses: zero in value, it carries the derivative in the slack voltage."""
    slack = np.array(network.slack_buses)
    reference = jnp.asarray(solver.nominal.voltage, dtype)[slack]
    offset = jnp.asarray(network.slack_voltage, dtype) / reference - 1.0
    return jnp.zeros(network.n_bus, dtype).at[slack].set(offset)


def _status(network, finite, change, mismatch, voltage, injection, tolerance) -> jax.Array:
    # the mismatch cannot fall below the rounding of the largest branch admittance
    eps = jnp.finfo(mismatch.dtype).eps
    admittance = 1.0 / jnp.sqrt(network.resistance**2 + network.reactance**2)
    rounding = 16.0 * eps * jnp.max(admittance, initial=0.0)
    allowed = 1e2 * tolerance * (jnp.max(jnp.abs(injection), axis=-1) + 1e-3 * jnp.max(admittance)) + rounding
    good = (change < tolerance) & (mismatch < allowed)
    low = jnp.min(jnp.abs(voltage), axis=-1) < 0.4
    status = jnp.where(low, Status.COLLAPSED, Status.ITERATION_LIMIT)
    status = jnp.where(good, Status.CONVERGED, status)
    return jnp.where(finite, status, Status.NOT_FINITE).astype(jnp.int32)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _deviation(options, network: Network, injection, solver: Solver, start):
    """Iterate to the solution: e complex `[..., n_bus]` (zero at slack), iterations, last change."""
    tolerance, max_iterations = options
    if isinstance(solver, newton.Newton):
        system = equations(network, solver.nominal, injection)
        return newton.find(solver, system, start, tolerance, max_iterations)[:3]
    step: Callable[..., jax.Array] = chord.iterate
    change_of_injection = chord.pack(injection - jnp.asarray(solver.nominal.injection, injection.dtype))
    n = network.n_bus

    def unfinished(carry):
        _, change, count, _ = carry
        return (count < max_iterations) & jnp.any(change >= tolerance)

    def body(carry):
        e, change, count, iterations = carry
        active = change >= tolerance
        new = step(solver, change_of_injection, e)
        # a finished scenario is left alone, so that its result does not depend on its batch
        moved = jnp.max(jnp.abs(new - e), axis=-1)
        e = jnp.where(active[..., None], new, e)
        return e, jnp.where(active, moved, change), count + 1, iterations + active

    batch = injection.shape[:-1]
    real = injection.real.dtype
    carry = (
        jnp.broadcast_to(chord.pack(start), (*batch, 2 * n)),
        jnp.full(batch, jnp.inf, real),
        jnp.int32(0),
        jnp.zeros(batch, jnp.int32),
    )
    e, change, _, iterations = jax.lax.while_loop(unfinished, body, carry)
    return chord.unpack(e), iterations, change


@_deviation.defjvp
def _deviation_jvp(options, primals, tangents):
    network, injection, solver, start = primals
    d_network, d_injection, _, _ = tangents
    e, iterations, change = _deviation(options, network, injection, solver, start)

    def residual(network, injection):
        """conj(V) (Y V) - conj(S) at fixed e: what a change of parameters leaves unbalanced."""
        total = e + _slack_deviation(network, solver, e.dtype)
        voltage = jnp.asarray(solver.nominal.voltage, e.dtype) * (1.0 + total)
        if isinstance(solver, newton.Newton):
            return equations_residual(equations(network, solver.nominal, injection), total)
        return jnp.conj(voltage) * bus_current(network, solver.nominal, total) - jnp.conj(injection)

    _, unbalanced = jax.jvp(residual, (network, injection), (d_network, d_injection))
    rhs = -unbalanced / (1.0 + jnp.conj(e))
    # an iterate that is no solution has no derivative: keep its response bounded by that of nominal
    solved = (change < options[0])[..., None]
    at = jnp.where(solved, e, 0.0)
    s = jnp.where(solved, injection, jnp.asarray(solver.nominal.injection, e.dtype))
    tolerance = 1e-6 if e.dtype == jnp.complex64 else 1e-13
    if isinstance(solver, newton.Newton):
        system = equations(network, solver.nominal, s)
        d_e = newton.linear_response(solver, system, at, -unbalanced)
    else:
        d_e = chord.linear_response(solver, at, s, rhs, tolerance)
    zero = np.zeros(iterations.shape, jax.dtypes.float0)
    return (e, iterations, change), (d_e, zero, jnp.zeros_like(change))
