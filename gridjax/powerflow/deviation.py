"""From a case to e, the deviation of the bus voltages: the method, its fallback, their derivative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.powerflow import chord, newton, polar
from gridjax.powerflow.batch import in_chunks, repair
from gridjax.powerflow.case import Case
from gridjax.powerflow.compensation import compensate
from gridjax.powerflow.double import in_double
from gridjax.powerflow.equations import Equations, equations, limit_reactive, residual
from gridjax.powerflow.nominal import Nominal
from gridjax.powerflow.prepare import Solver
from gridjax.powerflow.response import respond
from gridjax.powerflow.topology import slack_mask

Array = Any

_NEWTON_ITERATIONS = 25
_REPAIRED = 16  # scenarios that Newton's method takes at a time
_NEWTON_MEMORY = 2**24  # bytes of Jacobians at a time: their factorisation lives in the cache
_CHUNK = 64  # scenarios at a time on a CPU: enough for its vectors, few enough for its cache
# iterations of the log-polar chord after which scenarios that need more are gathered
_EASY = {"complex64": 6, "complex128": 8}
_DOUBLE = 3e-8  # tolerance in float64 of what is rounded to float32


_NUMBERS = ("injection", "constant_current", "constant_impedance", "pv_voltage")

Given = tuple[Case, Array | None]


class Deviation(NamedTuple):
    """Where the iteration ended, per scenario."""

    deviation: Array  # [..., n_bus], complex e, zero at the network's slack buses
    rest: Array  # [..., n_bus], complex: what e has lost where float64 was narrowed to float32
    iterations: Array  # [...], int32
    error: Array  # [...], estimated error of e; infinite where there is no solution, NaN where no question
    lowest: Array  # [...], smallest |V| of energised buses
    limited: Array  # [..., n_pv], int8, 1 or -1 where an upper or lower reactive limit binds


@dataclass(frozen=True)
class Options:
    """How to solve; part of the program."""

    tolerance: float
    max_iterations: int
    fall_back: bool  # to Newton's method
    reactive_limits: bool


def system_of(network: Network, nominal: Nominal, case: Case) -> Equations:
    """The equations of `case`."""
    rest = case._asdict()
    injection, voltage = rest.pop("injection"), rest.pop("pv_voltage")
    system = equations(network, nominal, injection, **rest)
    if voltage is None:
        return system
    pv = np.array(network.pv_buses, int)
    shape = (*voltage.shape[:-1], network.n_bus)
    return replace(system, set_point=jnp.broadcast_to(system.set_point, shape).at[..., pv].set(voltage))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def find(options: Options, network: Network, solver: Solver, case: Case, start: Array | None) -> Deviation:
    """Solve `case` from e = `start`, complex `[..., n_bus]`, which buses that took over an island keep;
    `None` is the nominal state.

    Differentiable in `network` and `case` by the implicit function theorem.
    """
    return _vectorised(options)(network, solver, case, start)


def _vectorised(options: Options):
    """`_find` under `jax.vmap` over cases is one larger batch, not a batch of single scenarios."""

    @jax.custom_batching.custom_vmap
    def function(network, solver, case, start):
        return _find(options, network, solver, case, start)

    @function.def_vmap
    def rule(size, batched, network, solver, case, start):  # pyright: ignore[reportUnusedFunction]
        if any(jax.tree.leaves(batched[:2])):
            axes = jax.tree.map(lambda is_batched: 0 if is_batched else None, batched)
            raw = partial(_find, options)
            out = jax.vmap(raw, in_axes=tuple(axes), axis_size=size)(network, solver, case, start)
        else:

            def widen(value, is_batched):
                return value if is_batched else jnp.broadcast_to(value, (size, *jnp.shape(value)))

            case, start = jax.tree.map(widen, (case, start), tuple(batched[2:]))
            out = function(network, solver, case, start)
        return out, jax.tree.map(lambda _: True, out)

    return function


def _find(options: Options, network: Network, solver: Solver, case: Case, start: Array | None) -> Deviation:
    batch = case.injection.shape[:-1]
    given = jax.tree.map(lambda x: x.reshape(-1, x.shape[-1]), (case, start))
    dtype = case.injection.dtype
    if isinstance(solver, newton.Newton):
        size, whole = _newton_chunk(network, dtype), 1
    else:
        size, whole = (_CHUNK if jax.default_backend() == "cpu" else 2**16), _CHUNK

    nominal = solver.nominal
    scale = jnp.abs(jnp.asarray(nominal.voltage)).astype(case.injection.real.dtype)

    def solved(method: Callable[[Given], Deviation], given: Given) -> Deviation:
        case, start = given
        finite = jnp.ones(case.injection.shape[0], bool)
        for part in (*(getattr(case, name) for name in _NUMBERS), start):
            if part is not None:
                finite &= jnp.all(jnp.isfinite(part), axis=-1)
        start = None if start is None else jnp.where(finite[:, None], start, 0.0)
        found = method((sound(network, nominal, case, finite), start))
        live = True if case.energised is None else case.energised
        e = found.deviation
        size = jnp.where(live, scale * jnp.sqrt((1.0 + e.real) ** 2 + e.imag**2), jnp.inf)
        return found._replace(error=jnp.where(finite, found.error, jnp.nan), lowest=jnp.min(size, axis=-1))

    few = options
    if isinstance(solver, polar.Polar):
        few = replace(options, max_iterations=min(_EASY[dtype.name], options.max_iterations))
    found = in_chunks(partial(solved, partial(_by_method, few, network, solver)), given, size, whole)
    if isinstance(solver, polar.Polar) and few.max_iterations < options.max_iterations:
        # together: a chunk takes as long as its slowest scenario
        hard = jnp.isfinite(found.error) & ~(found.error < options.tolerance)
        continued = partial(solved, partial(_continued, options, network, solver))
        rows = _CHUNK if size == _CHUNK else max(_CHUNK, size // 8)
        found = repair(continued, (given[0], found.deviation), found, hard, rows)
    if options.fall_back and not isinstance(solver, newton.Newton):
        # after all chunks: within one, the choice of rows would cost the others several passes over memory
        failed = ~(found.error < options.tolerance) & ~jnp.isnan(found.error)
        by_newton = partial(_by_newton, options, network, nominal)
        if dtype == jnp.complex64:
            by_newton = partial(_by_newton_in_double, options, network, nominal)
        rows = min(_newton_chunk(network, dtype), _REPAIRED)
        if jax.default_backend() == "cpu":  # factorises matrix after matrix: few that fail should cost little
            rows = max(1, min(rows, _newton_chunk(network, dtype) // 4))
        found = repair(partial(solved, by_newton), given, found, failed, rows)
    return jax.tree.map(lambda x: x.reshape(*batch, *x.shape[1:]), found)


def sound(network: Network, nominal: Nominal, case: Case, which: Array) -> Case:
    """`case` where `which` `[...]`, elsewhere the nominal state."""
    instead: dict[str, Any] = dict.fromkeys(_NUMBERS, 0.0)
    instead |= {"injection": nominal.injection, "pv_voltage": network.pv_voltage}

    def replaced(value: Array, other: Any) -> jax.Array:
        return jnp.where(which[..., None], value, jnp.asarray(other, value.dtype))

    given = {name: getattr(case, name) for name in _NUMBERS if getattr(case, name) is not None}
    return case._replace(**{name: replaced(value, instead[name]) for name, value in given.items()})


def _by_method(
    options: Options, network: Network, solver: Solver, given: tuple[Case, Array | None]
) -> Deviation:
    case, start = given
    if isinstance(solver, newton.Newton):
        return _by_newton(options, network, solver.nominal, given)
    batch = case.injection.shape[:-1]
    free = jnp.zeros((*batch, network.n_pv), jnp.int8)
    changed = case.branch_status is not None or case.slack is not None
    if changed and not isinstance(solver, polar.Polar):
        # the shared matrix belongs to another topology: every scenario is left to Newton's method
        error = jnp.full(batch, jnp.inf, case.injection.real.dtype)
        nothing = jnp.zeros_like(case.injection)
        return Deviation(nothing, nothing, jnp.zeros(batch, jnp.int32), error, error, free)
    limits = options.tolerance, options.max_iterations
    if isinstance(solver, polar.Polar):
        state, iterations, error = _by_polar(network, solver, case, start, *limits)
    else:
        state, iterations, error = chord.find(solver, case, start, *limits)
    if options.reactive_limits and network.n_pv:
        system = system_of(network, solver.nominal, case)
        over = newton.violated(system, state, free)
        error = jnp.where(jnp.any(over != 0, axis=-1), jnp.inf, error)
    return Deviation(state, jnp.zeros_like(state), iterations, error, error, free)


def _by_polar(network: Network, solver: polar.Polar, case: Case, start, tolerance, max_iterations):
    if case.branch_status is None:
        return polar.find(solver, case, start, tolerance, max_iterations)
    system = system_of(network, solver.nominal, case)
    live = jnp.asarray(system.energised)
    status = case.branch_status.astype(case.injection.real.dtype)
    outages = compensate(network, solver, status, live)
    found = polar.find(solver, case, start, tolerance, max_iterations, outages)
    # an island on a slack bus of its own is left to Newton's method
    possible = outages.possible & jnp.all((system.slack == slack_mask(network)) | ~live, axis=-1)
    return found._replace(
        state=jnp.where(live, found.state, 0.0), error=jnp.where(possible, found.error, jnp.inf)
    )


def _continued(options: Options, network: Network, solver: polar.Polar, given: Given) -> Deviation:
    """As `_by_method` after the first iterations, in float64."""
    dtype = given[0].injection.dtype
    done = _EASY[dtype.name]
    options = replace(options, max_iterations=options.max_iterations - done)
    if dtype == jnp.complex64:
        options = replace(options, tolerance=min(options.tolerance, _DOUBLE))
        found = in_double(lambda n, g: _split(_by_method(options, n, solver.widened(), g)), network, given)
    else:
        found = _by_method(options, network, solver, given)
    unfinished = ~(found.error < options.tolerance)
    return found._replace(
        iterations=found.iterations + done, error=jnp.where(unfinished, jnp.inf, found.error)
    )


def _by_newton(options: Options, network: Network, nominal: Nominal, given: Given) -> Deviation:
    # tied to the scenarios: XLA would else form the admittance matrix for every chunk, whether needed or not
    network, (case, start) = jax.lax.optimization_barrier((network, given))
    start = jnp.zeros_like(case.injection) if start is None else start
    tolerance = options.tolerance
    if start.dtype == jnp.complex64:
        tolerance = max(tolerance, 1e-5)
    system = system_of(network, nominal, case)
    most = options.max_iterations if not options.fall_back else _NEWTON_ITERATIONS
    found = newton.find(
        newton.around(network, nominal), system, start, tolerance, most, options.reactive_limits
    )
    # what is left after a step is of the order of its square
    error = jnp.where(found.change < tolerance, jnp.minimum(found.change**2, found.change), jnp.inf)
    e = found.deviation
    return Deviation(e, jnp.zeros_like(e), found.iterations, error, error, found.limited)


def _by_newton_in_double(options: Options, network: Network, nominal: Nominal, given: Given) -> Deviation:
    return in_double(lambda n, g: _split(_by_newton(options, n, nominal.widened(), g)), network, given)


def _split(found: Deviation) -> Deviation:
    """e in float32, and the rest."""
    e = found.deviation.astype(jnp.complex64)
    return found._replace(deviation=e, rest=found.deviation - e)


def _newton_chunk(network: Network, dtype) -> int:
    return max(1, int(_NEWTON_MEMORY / (2 * network.n_bus**2 * dtype.itemsize)))


def slack_deviation(network: Network, nominal: Nominal, dtype) -> jax.Array:
    """e at slack buses, `[n_bus]`: zero in value, it carries the derivative in the slack voltage."""
    slack = np.array(network.slack_buses)
    reference = jnp.asarray(nominal.voltage, dtype)[slack]
    # not v / v - 1: a complex quotient need not round to one
    offset = (jnp.asarray(network.slack_voltage, dtype) - reference) / reference
    return jnp.zeros(network.n_bus, dtype).at[slack].set(offset)


@find.defjvp
def _find_jvp(options: Options, primals, tangents):
    network, solver, case, start = primals
    d_network, _, d_case, _ = tangents
    found = find(options, network, solver, case, start)
    nominal = solver.nominal
    # an iterate that is no solution has no derivative: keep its response bounded by that of nominal
    solved = (found.error < options.tolerance)[..., None]
    e = jnp.where(solved, found.deviation, 0.0)
    safe = sound(network, nominal, case, solved[..., 0])

    def unbalanced(network, case):
        total = e + slack_deviation(network, nominal, e.dtype)
        return residual(limit_reactive(system_of(network, nominal, case), found.limited), total)

    _, rhs = jax.jvp(unbalanced, (network, safe), (d_network, d_case))
    system = limit_reactive(system_of(network, nominal, safe), found.limited)
    d_e = _respond(network, solver, system, e, -jnp.where(solved, rhs, 0.0))
    zero = lambda x: np.zeros(x.shape, jax.dtypes.float0)  # noqa: E731
    flat = jnp.zeros_like(found.error)
    nothing = jnp.zeros_like(d_e)
    return found, Deviation(d_e, nothing, zero(found.iterations), flat, flat, zero(found.limited))


def _respond(network: Network, solver: Solver, system: Equations, e: Array, rhs: Array) -> jax.Array:
    if isinstance(solver, newton.Newton):
        return newton.linear_response(solver, system, e, rhs)
    return respond(system, e, partial(_approximate, solver, e), rhs)


def _approximate(solver: Any, e: Array, r: Array) -> jax.Array:
    apply: Any = polar.precondition if isinstance(solver, polar.Polar) else chord.precondition
    n = e.shape[-1]
    return apply(solver, e.reshape(-1, n), r.reshape(-1, n)).reshape(r.shape)


def remainder(network: Network, solver: Solver, case: Case, found: Deviation) -> jax.Array:
    """What the last iteration left of e, complex `[..., n_bus]`, to be kept apart from it.

    In float32 the current of a short branch hangs on digits of e that e itself does not hold.
    """

    def left_in_double(network, given):
        case, e, rest = given
        system = limit_reactive(system_of(network, solver.nominal.widened(), case), found.limited)
        return residual(system, e + rest)

    network, solver, case, found = jax.lax.stop_gradient((network, solver, case, found))
    system = limit_reactive(system_of(network, solver.nominal, case), found.limited)
    e = found.deviation
    free = jnp.asarray(system.energised & ~system.slack)
    rest = found.rest
    for _ in range(2):  # the first is off by the rate of convergence
        left = in_double(left_in_double, network, (case, e, rest))
        if isinstance(solver, newton.Newton):
            change = newton.linear_response(solver, system, e, left)
        else:
            change = _approximate(solver, e, left)
        rest = rest - jnp.where(free, change, 0.0)
    return rest
