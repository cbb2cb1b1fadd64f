"""The nominal state of a network: one exact power flow on the host, from which deviations are counted.

With V = V_n (1 + e) everything that a float32 program computes is a small deviation from a float64
state, so losses and branch flows keep their digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from gridjax.network import Network

Array = Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Nominal:
    """A solved state of the network, complex p.u."""

    voltage: Array  # [n_bus]
    injection: Array  # [n_bus], exact for `voltage` on free buses, as given on slack buses
    drop: Array  # [n_branch], V_from / t - V_to, across the series element
    inverse_tap: Array  # [n_branch], 1 / t at which `drop` was taken


def complex_tap(network: Network, xp=np) -> Array:
    """Tap t = tap_ratio exp(j phase_shift), `[n_branch]`."""
    return network.tap_ratio * xp.exp(1j * network.phase_shift)


def admittance_matrix(network: Network) -> np.ndarray:
    """Bus admittance matrix, complex p.u. `[n_bus, n_bus]`, on the host in float64."""
    series = 1.0 / (network.resistance + 1j * network.reactance)
    tap = complex_tap(network)
    f, t, n = np.asarray(network.from_bus), np.asarray(network.to_bus), network.n_bus
    matrix = np.zeros((n, n), dtype=np.complex128)
    np.add.at(matrix, (f, f), (series + network.charging_from) / np.abs(tap) ** 2)
    np.add.at(matrix, (f, t), -series / np.conj(tap))
    np.add.at(matrix, (t, f), -series / tap)
    np.add.at(matrix, (t, t), series + network.charging_to)
    matrix[np.arange(n), np.arange(n)] += network.shunt
    return matrix


def real_form(linear: np.ndarray, conjugate: np.ndarray) -> np.ndarray:
    """Real matrix `[2n, 2n]` of x -> linear x + diag(conjugate) conj(x), real parts stacked on imaginary."""
    total, difference = linear + np.diag(conjugate), linear - np.diag(conjugate)
    return np.block([[total.real, -difference.imag], [total.imag, difference.real]])


def solve_nominal(network: Network, admittance: np.ndarray) -> Nominal:
    """Solve the network at its nominal injection by Newton's method in float64.

    Where there is no solution the load is halved until there is one: any solved state will do.
    """
    injection = np.array(network.nominal_injection, dtype=np.complex128)
    for scale in (1.0, 0.5, 0.25, 0.125, 0.0):
        voltage = _newton(network, admittance, scale * injection)
        if voltage is not None:
            break
    else:
        raise ValueError(f"network {network.name!r} has no power flow solution even without load")
    solved = voltage * np.conj(admittance @ voltage)
    slack = list(network.slack_buses)
    solved[slack] = scale * injection[slack]
    inverse_tap = 1.0 / complex_tap(network)
    drop = voltage[network.from_bus] * inverse_tap - voltage[network.to_bus]
    return Nominal(voltage=voltage, injection=solved, drop=drop, inverse_tap=inverse_tap)


def _newton(network: Network, admittance: np.ndarray, injection: np.ndarray) -> np.ndarray | None:
    free, slack = network.free_buses, list(network.slack_buses)
    voltage = np.ones(network.n_bus, dtype=np.complex128) * network.slack_voltage[0]
    voltage[slack] = network.slack_voltage
    # the no-load state carries phase shifts and tap steps that a flat start would not survive
    voltage[free] = np.linalg.solve(
        admittance[np.ix_(free, free)], -admittance[np.ix_(free, slack)] @ voltage[slack]
    )
    y_free = admittance[np.ix_(free, free)]
    for _ in range(30):
        current = admittance[free] @ voltage
        residual = np.conj(voltage[free]) * current - np.conj(injection[free])
        jacobian = real_form(np.conj(voltage[free])[:, None] * y_free, current)
        step = np.linalg.solve(jacobian, np.concatenate([residual.real, residual.imag]))
        voltage[free] -= step[: free.size] + 1j * step[free.size :]
        if not np.isfinite(voltage).all() or np.abs(voltage).max() > 10.0:
            return None
        if free.size == 0 or np.abs(step).max() < 1e-13:
            return voltage
    return voltage if np.abs(step).max() < 1e-9 else None
