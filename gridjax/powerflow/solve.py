"""One entry point to the power flow: `solve`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.network.validation import expect_network
from gridjax.powerflow import newton, topology
from gridjax.powerflow.branch import BranchFlow, branch_flow
from gridjax.powerflow.case import Case
from gridjax.powerflow.chord import Chord
from gridjax.powerflow.deviation import Deviation, Options, find, remainder, slack_deviation, sound, system_of
from gridjax.powerflow.double import in_double, unshared
from gridjax.powerflow.equations import drawn, in_service, scheduled
from gridjax.powerflow.flow import Flow
from gridjax.powerflow.nominal import Nominal
from gridjax.powerflow.prepare import Solver, check_method, prepare
from gridjax.powerflow.status import Status

Array = Any

_LOWEST = 0.4  # p.u.: what has no solution and a voltage below has collapsed


def solve(
    network: Network,
    injection: Array,
    method: str = "auto",
    *,
    tolerance: float | None = None,
    max_iterations: int | None = None,
    solver: Solver | None = None,
    start: Array | None = None,
    constant_current: Array | None = None,
    constant_impedance: Array | None = None,
    pv_voltage: Array | None = None,
    branch_status: Array | None = None,
    backup_slack: Sequence[tuple[int, float]] = (),
    backup_available: Array | None = None,
    enforce_reactive_limits: bool = False,
) -> Flow:
    """Solve the AC power flow of `network` for every scenario of `injection`.

    Args:
        network: any; slack, PV and PQ buses, radial or meshed.
        injection: complex p.u. `[..., n_bus]`, generation positive; leading axes are scenarios.
            Entries at slack buses only enter `slack_power`, reactive entries at PV buses
            `generator_reactive`.
        method: `"auto"`: the chord where all buses are slack or PQ, else the log-polar chord, and Newton's
            method for scenarios in which that does not converge, for changed topology and for reactive
            limits that bind. `"chord"`, `"polar"` or `"newton"`: that method alone.
        tolerance: largest estimated error of V / V_n, p.u.; default 1e-10 in float64, in
            float32 1e-6, for the log-polar chord 3e-7 (Newton, which counts its last step, 1e-5).
        max_iterations: default 40 for the chord, 80 for the log-polar chord, 20 for Newton.
        solver: from `prepare(network, method)`; prepared here if absent.
        start: e to start from, complex `[..., n_bus]`, such as `flow.deviation`; default nominal.
        constant_current, constant_impedance: voltage-dependent injection at 1 p.u., complex p.u.
            `[..., n_bus]`; default the network's own.
        pv_voltage: set-points |V| of the PV buses, p.u. `[..., n_pv]`; default the network's own.
        branch_status: `[..., n_branch]`, zero takes a branch out of service in that scenario. Buses that
            lose every source are dead: see `Flow.energised`.
        backup_slack: (bus row, |V| in p.u.) in order of priority; the first of them in an island without a
            source becomes its slack bus.
        backup_available: `[..., n_backup]`, zero where a backup cannot take over in that scenario (an empty
            battery, a generator at rest); the next in order does, or the island is dead. Default all can.
        enforce_reactive_limits: PV buses whose generators would exceed a limit become PQ buses at it, all
            at once, until none does.

    Precision is that of `injection` under JAX's rules (float64 needs `jax_enable_x64`). In float32 with
    `"auto"` or `"polar"`, scenarios that need more than a few iterations are carried on in float64, and in
    float64 flows and losses are worked out. A scenario that does not converge is flagged in `flow.status`
    and finite; nothing is raised on data.
    Differentiable in `injection`, the voltage-dependent parts and every real leaf of `network` by the
    implicit function theorem, forward and reverse, also under `jit` and `vmap`; differentiate only
    converged scenarios.

    Raises `ValueError` for an unknown method, a method that does not suit the network or the options, or
    arrays whose last axis does not fit; `TypeError` for what is no `Network`.
    """
    expect_network(network)
    network, solver, start = unshared((network, solver, start))
    injection = jnp.asarray(unshared(injection))
    _check_last(network, "injection", injection, network.n_bus)
    check_method(method)
    if solver is None:
        # its inverse can be compensated where the topology changes
        by_polar = method == "auto" and branch_status is not None
        solver = prepare(network, "polar" if by_polar else method)
    injection = injection.astype(jnp.result_type(injection.dtype, jnp.complex64))
    if branch_status is not None:
        branch_status = jnp.asarray(branch_status)
        _check_last(network, "branch_status", branch_status, network.n_branch)
    backup = tuple((int(row), float(magnitude)) for row, magnitude in backup_slack)
    if backup and branch_status is None:
        branch_status = jnp.ones(network.n_branch)
    if backup_available is not None:
        if not backup:
            raise ValueError("backup_available is given without backup_slack, whose entries it is about")
        backup_available = jnp.asarray(backup_available)
        _check_last(network, "backup_available", backup_available, len(backup))
    changed = branch_status is not None or (enforce_reactive_limits and network.n_pv > 0)
    if changed and method not in ("auto", "newton"):
        raise ValueError(
            f"method {method!r} knows neither branch_status nor reactive limits; take 'auto' or 'newton'"
        )
    parts = {}
    for name, value in (("constant_current", constant_current), ("constant_impedance", constant_impedance)):
        own = getattr(network, name)
        if value is None and isinstance(own, np.ndarray) and not own.any():
            parts[name] = None  # the common case costs nothing
            continue
        value = jnp.asarray(unshared(own if value is None else value))
        _check_last(network, name, value, network.n_bus)
        parts[name] = jnp.broadcast_to(value.astype(injection.dtype), injection.shape)
    if pv_voltage is not None:
        pv_voltage = jnp.asarray(unshared(pv_voltage), injection.real.dtype)
        _check_last(network, "pv_voltage", pv_voltage, network.n_pv)
    single = injection.dtype == jnp.complex64
    by_newton = isinstance(solver, newton.Newton)
    if tolerance is None:
        by_chord = isinstance(solver, Chord)
        tolerance = (1e-5 if by_newton else 1e-6 if by_chord else 3e-7) if single else 1e-10
    if max_iterations is None:
        max_iterations = 20 if by_newton else 40 if isinstance(solver, Chord) else 80
    if start is not None:
        start = jnp.asarray(start, injection.dtype)
        _check_last(network, "start", start, network.n_bus)
    options = Options(
        tolerance=float(tolerance),
        max_iterations=int(max_iterations),
        fall_back=method == "auto",
        reactive_limits=bool(enforce_reactive_limits),
    )
    return _solve(
        options,
        backup,
        network,
        injection,
        solver,
        start,
        branch_status,
        backup_available,
        pv_voltage,
        **parts,
    )


def _check_last(network: Network, name: str, value: jax.Array, length: int) -> None:
    if value.ndim == 0 or value.shape[-1] != length:
        raise ValueError(
            f"{name} has shape {value.shape}, expected [..., {length}] for network {network.name!r}"
        )


@partial(jax.jit, static_argnums=(0, 1))
def _solve(
    options: Options,
    backup: tuple[tuple[int, float], ...],
    network: Network,
    injection: jax.Array,
    solver: Solver,
    start: jax.Array | None,
    branch_status: jax.Array | None,
    backup_available: jax.Array | None,
    pv_voltage: jax.Array | None,
    constant_current: jax.Array | None,
    constant_impedance: jax.Array | None,
) -> Flow:
    batch = injection.shape[:-1]
    if branch_status is not None:
        batch = jnp.broadcast_shapes(batch, branch_status.shape[:-1])
    if backup_available is not None:
        batch = jnp.broadcast_shapes(batch, backup_available.shape[:-1])
    if pv_voltage is not None:
        batch = jnp.broadcast_shapes(batch, pv_voltage.shape[:-1])
    injection = jnp.broadcast_to(injection, (*batch, network.n_bus))
    if branch_status is not None:
        branch_status = jnp.broadcast_to(branch_status, (*batch, network.n_branch))
    constant_current, constant_impedance, start = (
        None if part is None else jnp.broadcast_to(part, (*batch, network.n_bus))
        for part in (constant_current, constant_impedance, start)
    )
    if pv_voltage is not None:
        pv_voltage = jnp.broadcast_to(pv_voltage, (*batch, network.n_pv))
    if start is not None:
        start = jax.lax.stop_gradient(jnp.where(topology.slack_mask(network), 0.0, start))
    case = Case(injection, constant_current, constant_impedance, pv_voltage, branch_status)
    sources = None
    if branch_status is not None:
        fixed = jax.lax.stop_gradient(branch_status)
        sources = topology.sources(network, fixed, backup, backup_available)
        case = case._replace(slack=sources.slack, energised=sources.energised)
        size = jnp.abs(jnp.asarray(solver.nominal.voltage)).astype(injection.real.dtype)
        held = (sources.magnitude.astype(size.dtype) / size - 1.0).astype(injection.dtype)
        start = jnp.where(sources.magnitude > 0.0, held, 0.0 if start is None else start)
    found = find(options, network, solver, case, start)
    status = _status(found, _fits(network, solver), options.tolerance)
    case = sound(network, solver.nominal, case, status != Status.NOT_FINITE)
    rows = (*network.slack_buses, *(row for row, _ in backup))
    flow = _flow(network, solver, case, found, status, rows)
    if sources is not None and len(set(rows)) < len(rows):
        # of several sources at one bus only one injects
        own = jnp.ones((*batch, len(network.slack_buses)), bool)
        active = jnp.concatenate([own, sources.took_over], axis=-1)
        flow = replace(flow, slack_power=jnp.where(active, flow.slack_power, 0.0))
    return flow


def _fits(network: Network, solver: Solver) -> jax.Array:
    """Whether the solver's nominal state is one of this network: a scalar."""
    nominal = solver.nominal
    dtype = jnp.result_type(nominal.voltage.dtype, jnp.complex64)
    rest = jnp.zeros(network.n_bus, dtype)
    system = system_of(network, nominal, Case(jnp.asarray(nominal.injection, dtype), rest, rest))
    free = ~topology.slack_mask(network)
    admittance = 1.0 / jnp.hypot(network.resistance, network.reactance)
    allowed = jnp.sqrt(jnp.finfo(dtype).eps) * jnp.max(admittance, initial=1.0)
    short = jnp.abs(drawn(system, rest) - system.injection)
    voltage, pv = jnp.asarray(nominal.voltage), np.array(network.pv_buses, int)
    held = jnp.abs(voltage[np.array(network.slack_buses)] - network.slack_voltage)
    held = jnp.append(held, jnp.abs(jnp.abs(voltage[pv]) - network.pv_voltage))
    return (jnp.max(jnp.where(free, short, 0.0)) < allowed) & (jnp.max(held) < 1e-4)


class _Carried(NamedTuple):
    """What follows from a solved state, complex p.u."""

    branches: BranchFlow
    unbalanced: jax.Array  # [..., n_bus], what sources and generators inject; zero elsewhere but for rounding


def _carried(network: Network, nominal: Nominal, case: Case, e: jax.Array) -> _Carried:
    system = system_of(network, nominal, case)
    flow = branch_flow(network, nominal, e, in_service(system))
    unbalanced = jnp.where(system.energised, drawn(system, e) - scheduled(system, e), 0.0)
    return _Carried(flow, unbalanced)


@jax.custom_jvp
def _carried_in_double(network: Network, nominal: Nominal, case: Case, e: jax.Array, rest: jax.Array):
    """`_carried` at e + `rest` in float64: losses are small differences of large numbers."""
    return in_double(
        lambda network, case, e, rest: _carried(network, nominal.widened(), case, e + rest),
        network,
        case,
        e,
        rest,
    )


@_carried_in_double.defjvp
def _carried_jvp(primals, tangents):  # pyright: ignore[reportUnusedFunction]
    # slopes ask for no more digits than float32 has
    _, slope = jax.jvp(_carried, primals[:-1], tangents[:-1])
    return _carried_in_double(*primals), slope


def _flow(network, solver, case: Case, found, status, sources) -> Flow:
    e = found.deviation + slack_deviation(network, solver.nominal, found.deviation.dtype)
    system = system_of(network, solver.nominal, case)
    live = jnp.asarray(system.energised)
    voltage = jnp.where(live, jnp.asarray(solver.nominal.voltage, e.dtype) * (1.0 + e), 0.0)
    if e.dtype == jnp.complex64:
        rest = remainder(network, solver, case, found)
        flow, unbalanced = _carried_in_double(network, solver.nominal, case, e, rest)
    else:
        flow, unbalanced = _carried(network, solver.nominal, case, e)
    slack, pv = jnp.asarray(system.slack), np.array(network.pv_buses, int)
    # what the generators of a PV bus inject is not missing there
    controlled = jnp.asarray(np.isin(np.arange(network.n_bus), pv))
    short = jnp.where(controlled, jnp.abs(unbalanced.real), jnp.abs(unbalanced))
    current_from, current_to = _magnitude(flow.current_from), _magnitude(flow.current_to)
    return Flow(
        voltage=voltage,
        deviation=e,
        status=status,
        iterations=found.iterations,
        mismatch=jnp.max(jnp.where(slack, 0.0, short), axis=-1),
        power_from=flow.power_from,
        power_to=flow.power_to,
        current_from=current_from,
        current_to=current_to,
        loading=jnp.maximum(current_from / network.rating_from, current_to / network.rating_to),
        losses=flow.losses,
        slack_power=jnp.where(slack, unbalanced, 0.0)[..., np.array(sources)],
        generator_reactive=unbalanced.imag[..., pv],
        limited=found.limited != 0,
        energised=jnp.broadcast_to(live, voltage.shape),
    )


def _magnitude(value: jax.Array) -> jax.Array:
    squared = value.real**2 + value.imag**2
    positive = squared > 0.0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squared, 1.0)), 0.0)  # no NaN gradient at zero


def _status(found: Deviation, fits: jax.Array, tolerance: float) -> jax.Array:
    status = jnp.where(found.lowest < _LOWEST, Status.COLLAPSED, Status.ITERATION_LIMIT)
    # the matrix of another network would lead elsewhere, and as surely
    status = jnp.where((found.error < tolerance) & fits, Status.CONVERGED, status)
    return jnp.where(jnp.isnan(found.error), Status.NOT_FINITE, status).astype(jnp.int32)
