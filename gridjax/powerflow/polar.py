"""The log-polar chord: for voltage-controlled buses and meshed transmission networks.

With V_i = V_n,i (1 + e_i), 1 + e_i = exp(lambda_i + j phi_i) and T_ij = conj(V_n,i) Y_ij V_n,j the power flow
equations of bus i, divided by |1 + e_i|^2, are exactly

    sum_j T_ij (e_j - e_i) / (1 + e_i) = conj(S_i) / |1 + e_i|^2 - conj(S_n,i),

active power at PV and PQ buses, reactive power at PQ buses. Every iteration takes what is left of them
through the inverse of the Jacobian at the nominal state, real and shared by the batch, to a correction of phi
and lambda, in which PV buses hold their magnitude; Anderson's acceleration makes up for the change of the
Jacobian. As the inverse only corrects, it is kept and applied in float32 even where the state is float64.

The state is e itself: in float32 as two numbers, so that differences between neighbours, on which powers
hang, are not those of rounded numbers. A step multiplies 1 + e by an exponential.

Vectors are batch last, `[unknown, batch]`, so that all bookkeeping between buses moves whole rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.powerflow.anderson import State, accelerate, advance, begin, hopeful, no_history
from gridjax.powerflow.case import Case
from gridjax.powerflow.compensation import Compensation
from gridjax.powerflow.exponential import LARGE, SMALL, complex_expm1
from gridjax.powerflow.fixed_point import Found
from gridjax.powerflow.incidence import Neighbours, order_by_neighbours, tabulate
from gridjax.powerflow.jacobian import log_polar_jacobian
from gridjax.powerflow.nominal import (
    Nominal,
    admittance_matrix,
    complex_tap,
    namespace,
    solve_nominal,
    sparse_admittance,
)

Array = Any

_MAX_POWER = 1e8  # p.u.
_LOWEST, _HIGHEST = 0.2, 4.0  # |1 + e| below and above which there is no operating point
_SINGLE_FLOOR = 2e-5  # correction at which float64 takes over: below, rounding slows float32 down
_SINGLE_NEAR = 1e-3  # a correction at which float64 takes over where float32 gets no further
_SINGLE_ROUNDING = 3e-6  # of corrections in float32: powers of tens p.u. are known no better


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Polar:
    """What depends on the network alone.

    Buses are in an order that suits their sums, slack buses last. Unknowns are phi at the f buses that are
    not slack, then lambda at PQ buses, m in all; equations are those of P at the former, -Q at the latter.
    """

    nominal: Nominal
    inverse: Array  # [m, m], float32: the inverse of the Jacobian
    order: Array  # [n_bus], bus at every place
    place: Array  # [n_bus], place of every bus
    pq_place: Array  # [m - f], places of PQ buses, ascending
    pv_place: Array  # [n_pv], places of PV buses, in their own order
    lambda_row: Array  # [n_bus], of every place: in lambda of PQ buses, then of PV buses, then zero
    neighbours: Neighbours

    def widened(self) -> Polar:
        """The same with the equations in float64."""
        return replace(self, nominal=self.nominal.widened(), neighbours=self.neighbours.widened())


def prepare_polar(network: Network, tables: bool = True) -> Polar:
    """Nominal state and inverse, once per network; O(n_bus^3) and 4 m^2 bytes.

    A network inside a trace has neighbours without tables, as one on the host has with `tables=False`.
    """
    xp, n = namespace(network), network.n_bus
    admittance = sparse_admittance(network) if xp is np else admittance_matrix(network)
    nominal = solve_nominal(network, admittance)
    f, t = network.from_bus, network.to_bus
    tables = tables and isinstance(f, np.ndarray)
    free = network.free_buses
    if tables:
        free = order_by_neighbours(np.concatenate([f, t]), np.concatenate([t, f]), free, n)
    order = np.concatenate([free, np.array(network.slack_buses, dtype=int)])
    place = np.argsort(order)
    pv_place = place[np.array(network.pv_buses, dtype=int)]
    pq_place = np.setdiff1d(np.arange(free.size), pv_place)
    row = np.full(n, n - len(network.slack_buses))
    row[pq_place] = np.arange(pq_place.size)
    row[pv_place] = pq_place.size + np.arange(pv_place.size)

    v = nominal.voltage
    series = 1.0 / (network.resistance + 1j * network.reactance)
    tap = complex_tap(network)
    forth, back = -xp.conj(v[f]) * series / xp.conj(tap) * v[t], -xp.conj(v[t]) * series / tap * v[f]
    places = xp.asarray(place)
    bus, other = xp.concatenate([places[f], places[t]]), xp.concatenate([places[t], places[f]])
    weight = xp.concatenate([forth, back])
    if tables:
        neighbours = tabulate(bus, other, weight, free.size)
    else:
        neighbours = Neighbours(tables=(), ends=(bus.astype(np.int32), other.astype(np.int32), weight))
    jacobian = _jacobian(network, admittance, nominal, free, order[pq_place])
    dense = jacobian.toarray() if hasattr(jacobian, "toarray") else jacobian
    return Polar(
        nominal=nominal,
        inverse=xp.linalg.inv(dense).astype(np.float32),
        order=order.astype(np.int32),
        place=place.astype(np.int32),
        pq_place=pq_place.astype(np.int32),
        pv_place=pv_place.astype(np.int32),
        lambda_row=row.astype(np.int32),
        neighbours=neighbours,
    )


def _jacobian(network: Network, admittance: Array, nominal: Nominal, free: Array, pq: Array) -> Array:
    """The log-polar Jacobian at the nominal state, `[m, m]`, of the kind of `admittance`."""
    xp, v = namespace(network), nominal.voltage
    if isinstance(admittance, np.ndarray | jax.Array):
        product = xp.conj(v)[:, None] * admittance * v[None, :]
    else:
        import scipy.sparse as sparse

        product = (sparse.diags(v.conj()) @ admittance @ sparse.diags(v)).tocsr()
    size = xp.abs(v)
    slope = xp.conj(network.constant_current) * size + 2.0 * xp.conj(network.constant_impedance) * size**2
    return log_polar_jacobian(product, slope, free, pq, xp)


def find(
    polar: Polar,
    case: Case,
    start: Array | None,
    tolerance: float,
    max_iterations: int,
    outages: Compensation | None = None,
) -> Found:
    """Iterate to e, complex `[batch, n_bus]`, zero at slack buses.

    Args:
        polar: of the network, whose own topology and set-points it holds.
        case: injection `[batch, n_bus]`, voltage-dependent loads, absent where there are none, and
            set-points `[batch or 1, n_pv]` where they differ from the nominal state's.
        start: e to begin with, complex `[batch, n_bus]`; the nominal state where absent.
        tolerance: estimated error of e at which a scenario is finished.
        max_iterations: per scenario.
        outages: branches out of service, see `compensation.compensate`; what e of dead buses is, is open.

    Whatever the input, everything is finite; the error is infinite where a scenario made no more progress.
    """
    kind, batch = case.injection.real.dtype, case.injection.shape[0]
    n_pv, m = polar.pv_place.shape[0], polar.inverse.shape[0]
    n_free = m - polar.pq_place.shape[0]
    size = jnp.abs(jnp.asarray(polar.nominal.voltage)).astype(kind)
    power = _by_place(polar, case.injection)
    total, current = power, None
    if case.constant_current is not None:
        current = _by_place(polar, case.constant_current * size)
        total = total + current
    if case.constant_impedance is not None:
        total = total + _by_place(polar, case.constant_impedance * size**2)
    excess = total - _by_place(polar, jnp.asarray(polar.nominal.injection, case.injection.dtype)[None])
    if outages is not None:
        excess = outages.demanded(excess)
    target = jnp.ones((n_pv, batch), kind)
    if case.pv_voltage is not None:
        place = jnp.asarray(polar.order)[polar.pv_place]
        target = jnp.clip(jnp.asarray(case.pv_voltage, kind) / size[place], _LOWEST, _HIGHEST).T
        target = jnp.broadcast_to(target, (n_pv, batch))

    # rounding of e at PV buses is not to pass for a change of their magnitude
    is_held = jnp.zeros(polar.place.shape[0], bool).at[polar.pv_place].set(True)
    pinned = jnp.zeros((1, 1), kind)
    if case.pv_voltage is not None:
        pinned = jnp.zeros((polar.place.shape[0], batch), kind).at[polar.pv_place].set(target**2 - 1.0)

    def equations(planes: jax.Array) -> jax.Array:
        return jnp.concatenate([planes[:n_free, 0], _rows(planes[:, 1], polar.pq_place)])

    def held(e: jax.Array) -> jax.Array:
        """e with the magnitudes of PV buses at their set-points."""
        at = _rows(e, polar.pv_place)
        longer = target.astype(e.dtype) ** 2 - (1.0 + at[:, 0]) ** 2 - at[:, 1] ** 2
        factor = longer / jnp.maximum((1.0 + at[:, 0]) ** 2 + at[:, 1] ** 2, _LOWEST**2)
        factor = factor / (1.0 + jnp.sqrt(jnp.maximum(1.0 + factor, 0.0)))  # sqrt(1 + factor) - 1
        shift = jnp.stack([(1.0 + at[:, 0]) * factor, at[:, 1] * factor], axis=1)
        return e.at[jnp.asarray(polar.pv_place)].add(shift, unique_indices=True)

    def through(left: jax.Array) -> jax.Array:
        product = partial(_product, polar.inverse)
        return product(left) if outages is None else outages.correct(product, left)

    def correct(state: State) -> jax.Array:
        e = state[0]
        drawn = polar.neighbours.differences(*state)
        if outages is not None:
            drawn = outages.without(drawn, *state)
        re, im = e[:, 0], e[:, 1]
        change = re * (2.0 + re) + im * im  # |1 + e|^2 - 1
        change = jnp.where(is_held[:, None], pinned.astype(e.dtype), change)
        inverse = 1.0 / jnp.maximum(1.0 + change, _LOWEST**2)
        turned = e.at[:, 0].add(1.0) * inverse[:, None]  # of 1 / (1 + e), conjugated
        quotient = jnp.stack(
            [
                drawn[:, 0] * turned[:, 0] + drawn[:, 1] * turned[:, 1],
                drawn[:, 1] * turned[:, 0] - drawn[:, 0] * turned[:, 1],
            ],
            axis=1,
        )
        left = excess.astype(e.dtype) - (power.astype(e.dtype) * (change * inverse)[:, None] + quotient)
        if current is not None:
            lost = change * inverse / (1.0 + jnp.sqrt(inverse))  # 1 - 1 / |1 + e|
            left = left - current.astype(e.dtype) * lost[:, None]
        return through(equations(left))

    def move(state: State, step: jax.Array) -> State:
        e, single = state[0], len(state) == 2
        longest = LARGE if single else SMALL
        step = jnp.clip(step, -longest, longest).astype(e.dtype)
        magnitude = _rows(
            jnp.concatenate([step[n_free:], jnp.zeros((n_pv + 1, batch), e.dtype)]), polar.lambda_row
        )
        angle = jnp.concatenate([step[:n_free], jnp.zeros((e.shape[0] - n_free, batch), e.dtype)])
        re, im = complex_expm1(magnitude, angle, halve=single)
        bottom = 1.0 + e[:, 0]
        shift = jnp.stack([bottom * re - e[:, 1] * im, bottom * im + e[:, 1] * re], axis=1)
        if not single:
            return (jnp.clip(e + shift, -_HIGHEST, _HIGHEST),)
        return _add(e, state[1], shift)

    tiny = jnp.zeros((polar.place.shape[0], 2, batch), jnp.float32)
    progress, history = begin(batch), no_history(m, batch)
    if start is None:
        high, low = held(tiny), tiny
        if case.pv_voltage is None:
            # the first iteration is a product alone
            correction = jnp.clip(through(equations(excess)), -LARGE, LARGE)
            progress = advance(progress, progress.iterations == 0, correction, correction, tolerance, 0.0)
            high, low = move((tiny, tiny), correction)
            history = history._replace(correction=correction, step=correction, steps=jnp.int32(1))
    else:
        given = held(_rows(jnp.stack([start.real.T, start.imag.T], axis=1), polar.order))
        given = jnp.clip(given, -_HIGHEST, _HIGHEST)
        high = given.astype(jnp.float32)
        low = (given - high.astype(kind)).astype(jnp.float32)
    double = kind == jnp.float64 and tolerance < _SINGLE_FLOOR
    floor = _SINGLE_FLOOR if double else tolerance
    (high, low), progress, history = accelerate(
        correct, move, (high, low), progress, history, floor, max_iterations, _SINGLE_ROUNDING, not double
    )
    stuck = ~hopeful(progress)
    if not double:
        e = held(high.astype(kind))
    else:
        arrived = (progress.error < floor) | (progress.least < _SINGLE_NEAR)
        stuck &= ~arrived
        progress = progress._replace(
            error=jnp.where(
                progress.error < 1e-2 * tolerance, progress.error, jnp.where(arrived, jnp.inf, jnp.nan)
            ),
            least=jnp.full_like(progress.least, jnp.inf),
            idle=jnp.zeros_like(progress.idle),
        )
        # differences of corrections in different precisions would be those of their rounding
        (e,), progress, _ = accelerate(
            correct,
            move,
            (held(high.astype(kind) + low.astype(kind)),),
            progress,
            no_history(m, batch),
            tolerance,
            max_iterations,
            1e-13,
        )
    stuck |= ~hopeful(progress)
    error = jnp.where(progress.error < tolerance, progress.error, jnp.where(stuck, jnp.inf, 2.0 * tolerance))
    e = _rows(e, polar.place)
    return Found(jax.lax.complex(e[:, 0].T, e[:, 1].T), progress.iterations, error.astype(kind))


def precondition(polar: Polar, deviation: Array, residual: Array) -> Array:
    """Approximate x of (d residual / d e) x = `residual`, complex `[batch, n_bus]`.

    Exact at the nominal state but for the rounding of float32. Real-linear in `residual`, which is that of
    `equations.residual`: at PV buses its imaginary part is that of |V|^2 / 2. Zero at slack buses.
    """
    batch, m = residual.shape[0], polar.inverse.shape[0]
    n_free = m - polar.pq_place.shape[0]
    squared = (1.0 + deviation.real) ** 2 + deviation.imag**2
    scaled = residual / squared
    planes = _rows(jnp.stack([scaled.real.T, scaled.imag.T], axis=1), polar.order)
    kind = planes.dtype
    size = jnp.abs(jnp.asarray(polar.nominal.voltage)).astype(kind)[polar.order[polar.pv_place]]
    held = jnp.concatenate(
        [_rows(planes[:, 1], polar.pv_place) / size[:, None] ** 2, jnp.zeros((1, batch), kind)]
    )
    known = jnp.concatenate([jnp.zeros((m - n_free, batch), kind), held])
    magnitude = _rows(known, polar.lambda_row)
    left = planes - polar.neighbours.differences(jnp.stack([magnitude, jnp.zeros_like(magnitude)], axis=1))
    active = jnp.asarray(polar.nominal.injection).real.astype(kind)[polar.order]
    left = left.at[:, 0].add(-2.0 * active[:, None] * magnitude)
    x = _product(polar.inverse, jnp.concatenate([left[:n_free, 0], _rows(left[:, 1], polar.pq_place)]))
    x = x.astype(kind)
    magnitude = _rows(jnp.concatenate([x[n_free:], held]), polar.lambda_row)
    angle = jnp.concatenate([x[:n_free], jnp.zeros((magnitude.shape[0] - n_free, batch), kind)])
    answer = jax.lax.complex(_rows(magnitude, polar.place).T, _rows(angle, polar.place).T)
    return (1.0 + deviation) * answer


def _rows(value: jax.Array, index: Array) -> jax.Array:
    return value.at[jnp.asarray(index)].get(mode="promise_in_bounds")


def _by_place(polar: Polar, power: Array) -> jax.Array:
    """conj of complex `[batch, n_bus]` as real `[n_bus, 2, batch]` in the order of places."""
    planes = jnp.stack([power.real.T, -power.imag.T], axis=1)
    return _rows(jnp.clip(planes, -_MAX_POWER, _MAX_POWER), polar.order)


def _add(high: jax.Array, low: jax.Array, shift: jax.Array) -> State:
    """The sum of `high` + `low` and a shift, as a rounded number and the rest (Knuth's two-sum)."""
    rough = high + shift
    back = rough - high
    rest = low + ((high - (rough - back)) + (shift - back))
    total = rough + rest
    bounded = jnp.clip(total, -_HIGHEST, _HIGHEST)
    return bounded, jnp.where(bounded == total, rest - (total - rough), 0.0)


def _product(inverse: Array, left: jax.Array) -> jax.Array:
    """The correction, in float32: an inverse that is only approximate asks for no more."""
    inverse = jnp.asarray(inverse, jnp.float32)
    return jax.lax.dot(inverse, left.astype(jnp.float32), precision=jax.lax.Precision.HIGHEST)
