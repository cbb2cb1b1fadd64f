"""The nominal state of a network: one exact power flow on the host, from which deviations are counted.

With V = V_n (1 + e) everything that a float32 program computes is a small deviation from a float64
state, so losses and branch flows keep their digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network

Array = Any

_MAX_NEWTON = 20


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Nominal:
    """A solved state of the network, complex p.u."""

    voltage: Array  # [n_bus]
    injection: Array  # [n_bus], exact for `voltage` on free buses, as given on slack buses
    drop: Array  # [n_branch], V_from / t - V_to, across the series element
    inverse_tap: Array  # [n_branch], 1 / t at which `drop` was taken


def complex_tap(network: Network) -> Array:
    """Tap t = tap_ratio exp(j phase_shift), `[n_branch]`."""
    return network.tap_ratio * namespace(network).exp(1j * network.phase_shift)


def namespace(network: Network) -> Any:
    """`numpy` for a network on the host, `jax.numpy` for one inside a trace."""
    return np if isinstance(network.resistance, np.ndarray) else jnp


def admittance_matrix(network: Network) -> Array:
    """Bus admittance matrix, complex p.u. `[n_bus, n_bus]`; stated with `Network`."""
    xp = namespace(network)
    series = 1.0 / (network.resistance + 1j * network.reactance)
    tap = complex_tap(network)
    f, t, n = network.from_bus, network.to_bus, network.n_bus
    bus = np.arange(n)
    entries = (
        (f, f, (series + network.charging_from) / xp.abs(tap) ** 2),
        (f, t, -series / xp.conj(tap)),
        (t, f, -series / tap),
        (t, t, series + network.charging_to),
        (bus, bus, network.shunt),
    )
    matrix = xp.zeros((n, n), dtype=xp.result_type(series, xp.complex64))
    for row, column, value in entries:
        if xp is np:
            np.add.at(matrix, (row, column), value)
        else:
            matrix = matrix.at[row, column].add(value)
    return matrix


def real_form(linear: Array, conjugate: Array, xp: Any = np) -> Array:
    """Real matrix of x -> linear x + diag(conjugate) conj(x), real parts stacked on imaginary ones.

    `linear` is complex `[..., n, n]`, `conjugate` complex `[..., n]`; the result is `[..., 2n, 2n]`.
    """
    diagonal = conjugate[..., None] * xp.eye(conjugate.shape[-1], dtype=conjugate.dtype)
    total, difference = linear + diagonal, linear - diagonal
    top = xp.concatenate([total.real, -difference.imag], axis=-1)
    return xp.concatenate([top, xp.concatenate([total.imag, difference.real], axis=-1)], axis=-2)


def solve_nominal(network: Network, admittance: Array) -> Nominal:
    """Solve the network at its nominal injection by Newton's method.

    Where there is no solution the load is halved (inside a trace: dropped) until there is one: any solved
    state will do. Raises `ValueError` on the host if there is none at all.
    """
    injection = network.nominal_injection
    if namespace(network) is np:
        for scale in (1.0, 0.5, 0.25, 0.125, 0.0):
            voltage, good = _newton(network, admittance, scale * injection)
            if good:
                break
        else:
            raise ValueError(f"network {network.name!r} has no power flow solution even without load")
        return _nominal(network, admittance, voltage, scale * injection)
    voltage, good = _newton(network, admittance, injection)
    idle, _ = _newton(network, admittance, 0.0 * injection)
    voltage = jnp.where(good, voltage, idle)
    return _nominal(network, admittance, voltage, jnp.where(good, injection, 0.0))


def _nominal(network: Network, admittance: Array, voltage: Array, injection: Array) -> Nominal:
    xp = namespace(network)
    free = np.isin(np.arange(network.n_bus), network.free_buses)
    solved = xp.where(free, voltage * xp.conj(admittance @ voltage), injection)
    inverse_tap = 1.0 / complex_tap(network)
    drop = voltage[network.from_bus] * inverse_tap - voltage[network.to_bus]
    return Nominal(voltage=voltage, injection=solved, drop=drop, inverse_tap=inverse_tap)


def _newton(network: Network, admittance: Array, injection: Array) -> tuple[Array, Array]:
    """Voltages `[n_bus]` after Newton's method, and whether they are a solution."""
    xp = namespace(network)
    free, slack = network.free_buses, np.array(network.slack_buses)
    back = np.argsort(np.concatenate([slack, free]))
    source = xp.asarray(network.slack_voltage)
    square = admittance[np.ix_(free, free)]
    # the no-load state carries phase shifts and tap steps that a flat start would not survive
    voltage = xp.linalg.solve(square, -admittance[np.ix_(free, slack)] @ source)
    change = xp.inf

    def newton(voltage):
        current = admittance[free] @ xp.concatenate([source, voltage])[back]
        residual = xp.conj(voltage) * current - xp.conj(injection[free])
        jacobian = real_form(xp.conj(voltage)[:, None] * square, current, xp)
        step = xp.linalg.solve(jacobian, xp.concatenate([residual.real, residual.imag]))
        return voltage - (step[: free.size] + 1j * step[free.size :]), xp.max(xp.abs(step), initial=0.0)

    if xp is np:
        for _ in range(_MAX_NEWTON):
            voltage, change = newton(voltage)
            if not change < 10.0 or change < 1e-13:
                break
    else:
        carry = (voltage, jnp.asarray(jnp.inf, voltage.real.dtype))
        voltage, change = jax.lax.fori_loop(0, _MAX_NEWTON, lambda _, c: newton(c[0]), carry)
    good = (change < 1e-9) & xp.all(xp.isfinite(voltage))
    return xp.concatenate([source, voltage])[back], good
