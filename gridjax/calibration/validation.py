"""gridjax's power flow against pandapower's, on random states of a calibrated network."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pandapower
from pandapower.auxiliary import pandapowerNet

from gridjax.calibration.reference import Reference, random_reference
from gridjax.network import Network
from gridjax.powerflow import Flow, prepare, solve

Report = dict[str, Any]


def validate(network: Network, net: pandapowerNet, n_states: int = 256, seed: int = 0) -> Report:
    """Compare `gridjax.powerflow.solve` with pandapower on `n_states` random states (`random_reference`).

    `network` must come from `from_pandapower(net)`. The report holds, for float64 and float32, the
    largest absolute errors over all states, in p.u. of the network's base (loading: share of the
    rating): complex voltage, branch power and current, loading, losses, slack power; further the
    mismatch, iterations and the states that did not converge although pandapower's did.
    """
    reference = random_reference(network, net, n_states, seed)
    solved = reference.solved
    voltage = np.abs(reference.voltage[solved])
    tolerance = f"tolerance {reference.tolerance_mva:.0e} MVA"
    report: Report = {
        "reference": f"pandapower {pandapower.__version__} runpp, {tolerance}",
        "states": n_states,
        "seed": seed,
        "reference_failures": int((~solved).sum()),
        "voltage_range": [float(np.nanmin(voltage)), float(np.nanmax(voltage))],
        "loading_max": float(np.max(np.nan_to_num(reference.loading[solved]), initial=0.0)),
        "losses_max": float(reference.losses[solved].max()),
    }
    for precision in ("float64", "float32"):
        report[precision] = compare(network, reference, precision)
    return report


def compare(network: Network, reference: Reference, precision: str) -> Report:
    """Largest errors of `solve` in `precision` ("float64" or "float32") over the solved states."""
    solved = reference.solved
    double = precision == "float64"
    with jax.enable_x64(double):
        flow = solve_batch(network, reference.injection[solved].astype(complex if double else np.complex64))
    ends = (
        np.stack([flow.power_from, flow.power_to], -1),
        np.stack([flow.current_from, flow.current_to], -1),
    )
    return {
        "voltage_error": _worst(flow.voltage, reference.voltage[solved]),
        "power_error": _worst(ends[0], reference.power[solved]),
        "current_error": _worst(ends[1], reference.current[solved]),
        "loading_error": _worst(flow.loading, np.where(_rated(network), reference.loading[solved], 0.0)),
        "losses_error": _worst(flow.losses, reference.losses[solved]),
        "slack_power_error": _worst(flow.slack_power, reference.slack_power[solved]),
        "mismatch_max": float(np.max(flow.mismatch)),
        "iterations_max": int(np.max(flow.iterations)),
        "iterations_mean": float(np.mean(flow.iterations)),
        "failures": int(np.count_nonzero(flow.status)),
    }


def solve_batch(network: Network, injection: np.ndarray) -> Flow:
    """`gridjax.powerflow.solve` on the host: numpy in, numpy out."""
    solver = prepare(network)  # outside of jit, so that it is prepared on the host in float64
    run = jax.jit(lambda powers: solve(network, powers, solver=solver))
    return jax.tree.map(np.asarray, run(injection))


def _rated(network: Network) -> np.ndarray:
    return np.isfinite(network.rating_from) | np.isfinite(network.rating_to)


def _worst(value: Any, expected: np.ndarray) -> float:
    """Largest absolute difference where the reference has a value; NaN in `value` counts as infinite."""
    known = ~np.isnan(expected)
    difference = np.abs(np.asarray(value).astype(expected.dtype) - expected)[known]
    return float(np.max(np.nan_to_num(difference, nan=np.inf), initial=0.0))
