"""The nominal state of a network: one exact power flow on the host, from which deviations are counted.

With V = V_n (1 + e) everything that a float32 program computes is a small deviation from a float64
state, so losses and branch flows keep their digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.powerflow.double import joined, lost
from gridjax.powerflow.jacobian import log_polar_jacobian, unknown_buses

Array = Any

_MAX_NEWTON = 30
_LONGEST_STEP = 1.0  # rad, and as a factor of e in magnitude


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Nominal:
    """A solved state of the network, complex p.u."""

    voltage: Array  # [n_bus]
    # power into the grid, exact for `voltage` on free buses with all that loads draw and generators supply
    # there at this voltage, as given on slack buses
    injection: Array  # [n_bus]
    drop: Array  # [n_branch], V_from / t - V_to, across the series element
    inner: Array  # [n_branch], V_from / t
    inverse_tap: Array  # [n_branch], 1 / t at which they were taken
    series: Array  # [n_branch], admittance of the series element
    charging_from: Array  # [n_branch], admittance
    charging_to: Array  # [n_branch], admittance
    lost: dict[str, Array]  # what all these lose in complex64, by name

    def widened(self) -> Nominal:
        """The same in float64, with all its digits."""
        full = {name: joined(getattr(self, name), rest) for name, rest in self.lost.items()}
        return Nominal(**full, lost=jax.tree.map(jnp.zeros_like, self.lost))


def complex_tap(network: Network) -> Array:
    """Tap t = tap_ratio exp(j phase_shift), `[n_branch]`."""
    return network.tap_ratio * namespace(network).exp(1j * network.phase_shift)


def namespace(network: Network) -> Any:
    """`numpy` for a network on the host, `jax.numpy` for one inside a trace."""
    return np if isinstance(network.resistance, np.ndarray) else jnp


def admittance_matrix(network: Network) -> Array:
    """Bus admittance matrix, complex p.u. `[n_bus, n_bus]`; stated with `Network`."""
    xp, n = namespace(network), network.n_bus
    row, column, value = _admittances(network)
    if xp is np:
        matrix = np.zeros((n, n), dtype=np.result_type(value, np.complex64))
        np.add.at(matrix, (row, column), value)
        return matrix
    return jnp.zeros((n, n), dtype=jnp.result_type(value, jnp.complex64)).at[row, column].add(value)


def sparse_admittance(network: Network) -> Any:
    """The same as a `scipy.sparse` matrix in compressed rows, for a network on the host."""
    import scipy.sparse as sparse

    row, column, value = _admittances(network)
    return sparse.csr_matrix((value, (row, column)), shape=(network.n_bus, network.n_bus))


def _admittances(network: Network) -> tuple[Array, Array, Array]:
    xp = namespace(network)
    series = 1.0 / (network.resistance + 1j * network.reactance)
    tap = complex_tap(network)
    f, t, bus = network.from_bus, network.to_bus, np.arange(network.n_bus)
    values = (
        (series + network.charging_from) / xp.abs(tap) ** 2,
        -series / xp.conj(tap),
        -series / tap,
        series + network.charging_to,
        network.shunt,
    )
    return xp.concatenate([f, f, t, t, bus]), xp.concatenate([f, t, f, t, bus]), xp.concatenate(values)


def real_form(linear: jax.Array, conjugate: jax.Array) -> jax.Array:
    """Real matrix of x -> linear x + diag(conjugate) conj(x), real parts stacked on imaginary ones.

    `linear` is complex `[..., n, n]`, `conjugate` complex `[..., n]`; the result is `[..., 2n, 2n]`.
    """
    linear, place = jnp.asarray(linear), np.arange(conjugate.shape[-1])
    total = linear.at[..., place, place].add(conjugate)
    difference = linear.at[..., place, place].add(-conjugate)
    top = jnp.concatenate([total.real, -difference.imag], axis=-1)
    return jnp.concatenate([top, jnp.concatenate([total.imag, difference.real], axis=-1)], axis=-2)


def solve_nominal(network: Network, admittance: Array | None = None) -> Nominal:
    """Solve the network at its nominal injection, loads and set-points by Newton's method.

    Reactive limits of generators are left aside. Where there is no solution loads and generation are halved
    (inside a trace: dropped) until there is one: any solved state will do. On the host all matrices are
    sparse, also for `admittance` dense or absent; inside a trace all are dense. Raises `ValueError` on the
    host if there is no solution at all.
    """
    if namespace(network) is np:
        admittance = sparse_admittance(network)
        for scale in (1.0, 0.5, 0.25, 0.125, 0.0):
            voltage, good = _newton(network, admittance, scale)
            if good:
                return _nominal(network, admittance, voltage, scale)
        raise ValueError(f"network {network.name!r} has no power flow solution even without load")
    admittance = admittance_matrix(network) if admittance is None else admittance
    voltage, good = _newton(network, admittance, 1.0)
    idle, _ = _newton(network, admittance, 0.0)
    return _nominal(network, admittance, jnp.where(good, voltage, idle), jnp.where(good, 1.0, 0.0))


def _nominal(network: Network, admittance: Array, voltage: Array, scale: Array) -> Nominal:
    xp = namespace(network)
    free = np.isin(np.arange(network.n_bus), network.free_buses)
    power = voltage * xp.conj(admittance @ voltage)
    injection = xp.where(free, power, scale * network.nominal_injection)
    inverse_tap = 1.0 / complex_tap(network)
    inner = voltage[network.from_bus] * inverse_tap
    drop = inner - voltage[network.to_bus]
    series = 1.0 / (network.resistance + 1j * network.reactance)
    full = {
        "voltage": voltage,
        "injection": injection,
        "drop": drop,
        "inner": inner,
        "inverse_tap": inverse_tap,
        "series": series,
        "charging_from": network.charging_from,
        "charging_to": network.charging_to,
    }
    return Nominal(**full, lost={name: lost(value) for name, value in full.items()})


def _newton(network: Network, admittance: Array, scale: float) -> tuple[Array, Array]:
    """Voltages `[n_bus]` after Newton's method in log-polar coordinates, and whether they are a solution."""
    xp = namespace(network)
    angles, magnitudes = unknown_buses(network)
    injection, current, impedance = (
        scale * xp.conj(power)
        for power in (network.nominal_injection, network.constant_current, network.constant_impedance)
    )

    def newton(voltage):
        product = _scaled(admittance, voltage)
        size = xp.abs(voltage)
        slope = current * size + 2.0 * impedance * size**2
        drawn = xp.asarray(product.sum(axis=1)).ravel()
        left = injection + current * size + impedance * size**2 - drawn
        jacobian = log_polar_jacobian(product, slope, angles, magnitudes, xp)
        step = _solve(jacobian, xp.concatenate([left.real[angles], left.imag[magnitudes]]))
        longest = xp.max(xp.abs(step), initial=0.0)
        step = step * xp.minimum(1.0, _LONGEST_STEP / xp.maximum(longest, 1e-300))
        d_phi, d_lambda = step[: angles.size], step[angles.size :]
        if xp is np:
            exponent = np.zeros(network.n_bus, complex)
            exponent[angles] += 1j * d_phi
            exponent[magnitudes] += d_lambda
        else:
            exponent = jnp.zeros(network.n_bus, voltage.dtype).at[angles].add(1j * d_phi)
            exponent = exponent.at[magnitudes].add(d_lambda)
        return voltage * xp.exp(exponent), longest

    try:
        voltage = _start(network, admittance, scale)
        change = xp.inf
        if xp is np:
            for _ in range(_MAX_NEWTON):
                last, (voltage, change) = change, newton(voltage)
                if not np.isfinite(change) or change < 1e-13 or (change < 1e-10 and change >= 0.5 * last):
                    break
        else:
            carry = (voltage, jnp.asarray(jnp.inf, voltage.real.dtype))
            voltage, change = jax.lax.fori_loop(0, _MAX_NEWTON, lambda _, c: newton(c[0]), carry)
    except RuntimeError:  # a singular sparse matrix
        return xp.zeros(network.n_bus, complex), False
    return voltage, (change < 1e-9) & xp.all(xp.isfinite(voltage))


def _start(network: Network, admittance: Array, scale: float) -> Array:
    """Voltages from which Newton's method finds the solution, complex `[n_bus]`; phase shifts included."""
    xp, n = namespace(network), network.n_bus
    free, slack, pv = network.free_buses, np.array(network.slack_buses), np.array(network.pv_buses, dtype=int)
    back = np.argsort(np.concatenate([slack, free]))
    source = xp.asarray(network.slack_voltage)
    if not pv.size:  # without load: exact for the taps, too
        square, border = admittance[free][:, free], admittance[free][:, slack]
        return xp.concatenate([source, _solve(square, -(border @ source))])[back]
    # a direct-current power flow: transmission without load and generation may be far from any other state
    f, t = network.from_bus, network.to_bus
    b = network.reactance / (network.resistance**2 + network.reactance**2) / network.tap_ratio
    rows, columns = xp.concatenate([f, f, t, t]), xp.concatenate([f, t, f, t])
    entries = xp.concatenate([b, -b, -b, b])
    if xp is np:
        import scipy.sparse as sparse

        laplacian = sparse.csr_matrix((entries, (rows, columns)), shape=(n, n))
    else:
        laplacian = jnp.zeros((n, n), b.dtype).at[rows, columns].add(entries)
    shifted = xp.concatenate([b * network.phase_shift, -b * network.phase_shift])
    count = partial(np.bincount, minlength=n) if xp is np else partial(jnp.bincount, length=n)
    loads = network.nominal_injection + network.constant_current + network.constant_impedance
    power = (scale * loads - network.shunt).real + count(xp.concatenate([f, t]), weights=shifted)
    held = xp.angle(source)
    right = power[free] - laplacian[free][:, slack] @ held
    angle = xp.concatenate([held, _solve(laplacian[free][:, free], right)])[back]
    # magnitudes: those held, 1 elsewhere
    place = np.full(n, slack.size + pv.size)
    place[slack], place[pv] = np.arange(slack.size), slack.size + np.arange(pv.size)
    size = xp.concatenate([xp.abs(source), network.pv_voltage, xp.ones(1)])[place]
    return size * xp.exp(1j * angle)


def _scaled(admittance: Array, voltage: Array) -> Array:
    """T_ij = conj(V_i) Y_ij V_j, of the kind of `admittance`."""
    if isinstance(admittance, np.ndarray | jax.Array):
        return voltage.conj()[:, None] * admittance * voltage[None, :]
    import scipy.sparse as sparse

    return (sparse.diags(voltage.conj()) @ admittance @ sparse.diags(voltage)).tocsr()


def _solve(matrix: Array, right: Array) -> Array:
    if isinstance(matrix, jax.Array):
        return jnp.linalg.solve(matrix, right)
    from scipy.sparse.linalg import splu

    return splu(matrix.tocsc()).solve(right)
