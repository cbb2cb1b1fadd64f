"""gridjax's power flow against pandapower's, on random states of a calibrated network."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np
import pandapower
from pandapower.auxiliary import pandapowerNet

from gridjax.calibration.reference import Reference, random_reference
from gridjax.network import Network
from gridjax.powerflow import Flow, prepare, solve

Report = dict[str, Any]

_QUANTILES = (0.5, 0.9, 0.99)
_MAX_ENTRIES = 250_000  # buses times scenarios solved at once


def validate(network: Network, net: pandapowerNet, n_states: int = 256, seed: int = 0) -> Report:
    """Compare `gridjax.powerflow.solve` with pandapower on `n_states` random states (`random_reference`).

    `network` must come from `from_pandapower(net)`. The report holds what the states were like and, for
    float64 and float32, the errors (`compare`).
    """
    reference = random_reference(network, net, n_states, seed)
    return describe(network, reference) | {
        "seed": seed,
        "float64": compare(network, reference, "float64"),
        "float32": compare(network, reference, "float32"),
    }


def describe(network: Network, reference: Reference) -> Report:
    """What the states of `reference` are like: ranges in p.u., and how often branches are overloaded."""
    magnitude = np.abs(reference.voltage)
    rated = reference.loading[:, _rated(network)]
    over = rated > 1.0
    return {
        "reference": f"pandapower {pandapower.__version__}, Newton, refined in extended precision "
        f"to a last step of {reference.last_step:.0e} p.u.",
        "states": len(reference.injection),
        "generation_follows_load": reference.balanced,
        "depth": reference.depth,
        "reference_failures": reference.failures,
        "voltage_range": [float(magnitude.min()), float(magnitude.max())],
        "loading_max": float(rated.max(initial=0.0)),
        "overloaded_states": float(over.any(axis=1).mean()) if rated.size else 0.0,
        "overloaded_branches": float(over.mean()) if rated.size else 0.0,
        "losses_max": float(reference.losses.max()),
    }


def compare(network: Network, reference: Reference, precision: str, method: str = "auto") -> Report:
    """Errors of `solve` in `precision` ("float64" or "float32") over all states, p.u. of the network's base.

    `..._error` is the largest absolute one (loading: share of the rating). `..._relative` is the largest as
    a share of the losses of the state, or of the largest power in any branch or source of the state.
    `voltage_quantiles` are the 50, 90 and 99 % quantiles over states of each state's largest error.
    """
    double = precision == "float64"
    with jax.enable_x64(double):
        flow = solve_reference(network, reference, complex if double else np.complex64, method)
    powers = np.stack([flow.power_from, flow.power_to], -1)
    currents = np.stack([flow.current_from, flow.current_to], -1)
    voltage = _error(flow.voltage, reference.voltage)
    power = _error(powers, reference.power)
    losses = _error(flow.losses[:, None], reference.losses[:, None])
    source = _error(flow.slack_power, reference.slack_power)
    reactive = _error(flow.generator_reactive, reference.generator_reactive)
    largest = np.maximum(_largest(reference.power), _largest(reference.slack_power))
    return {
        "voltage_error": float(voltage.max()),
        "voltage_quantiles": [float(q) for q in np.quantile(voltage, _QUANTILES)],
        "power_error": float(power.max()),
        "power_relative": _share(power, largest),
        "current_error": float(_error(currents, reference.current).max()),
        "loading_error": float(_error(flow.loading, reference.loading).max()),
        "losses_error": float(losses.max()),
        "losses_relative": _share(losses, np.abs(reference.losses)),
        "slack_power_error": float(source.max()),
        "slack_power_relative": _share(source, largest),
        "generator_reactive_error": float(reactive.max()),
        "mismatch_max": float(np.max(flow.mismatch)),
        "iterations_max": int(np.max(flow.iterations)),
        "iterations_mean": float(np.mean(flow.iterations)),
        "failures": int(np.count_nonzero(flow.status)),
    }


def solve_reference(network: Network, reference: Reference, dtype: Any, method: str = "auto") -> Flow:
    """`gridjax.powerflow.solve` of all states, in chunks that bound the memory: numpy in, numpy out."""
    solver = prepare(network, method)  # outside of jit, so that it is prepared on the host in float64
    run = jax.jit(partial(_solve, network, solver, method))
    n_states = len(reference.injection)
    size = min(n_states, max(1, _MAX_ENTRIES // max(network.n_bus, network.n_branch)))
    parts = []
    for first in range(0, n_states, size):
        chosen = np.minimum(np.arange(first, first + size), n_states - 1)  # one shape, one compilation
        powers = (reference.injection, reference.constant_current, reference.constant_impedance)
        part = jax.tree.map(np.asarray, run(*(power[chosen].astype(dtype) for power in powers)))
        parts.append(jax.tree.map(lambda leaf, first=first: leaf[: n_states - first], part))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


def _solve(
    network: Network, solver: Any, method: str, injection, constant_current, constant_impedance
) -> Flow:
    if not (np.any(network.constant_current) or np.any(network.constant_impedance)):
        return solve(network, injection, method, solver=solver)
    return solve(
        network,
        injection,
        method,
        solver=solver,
        constant_current=constant_current,
        constant_impedance=constant_impedance,
    )


def _rated(network: Network) -> np.ndarray:
    return np.isfinite(network.rating_from) | np.isfinite(network.rating_to)


def _error(value: Any, expected: np.ndarray) -> np.ndarray:
    """Largest absolute difference per state `[n_states]`; NaN in `value` counts as infinite."""
    difference = np.abs(np.asarray(value).astype(expected.dtype) - expected)
    return _largest(np.nan_to_num(difference, nan=np.inf))


def _largest(value: np.ndarray) -> np.ndarray:
    """Largest magnitude per state `[n_states]`."""
    return np.abs(value).reshape(len(value), -1).max(axis=-1, initial=0.0)


def _share(error: np.ndarray, whole: np.ndarray) -> float:
    return float(np.max(error / np.maximum(whole, 1e-12)))
