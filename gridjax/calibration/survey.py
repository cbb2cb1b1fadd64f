"""Every network that pandapower ships, solved by gridjax: size, method, errors, or why it is left out."""

from __future__ import annotations

import copy
import json
import os
import platform
import random
import types
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandapower
import pandapower.networks as library
from pandapower.auxiliary import pandapowerNet

from gridjax.calibration.conversion import from_pandapower
from gridjax.calibration.reference import random_reference
from gridjax.calibration.tables import internal_tables
from gridjax.calibration.truth import Truth
from gridjax.calibration.validation import compare, describe
from gridjax.network import Network
from gridjax.powerflow import prepare

Record = dict[str, Any]

# builders whose variants differ in more than numbers
_VARIANTS: dict[str, list[dict[str, Any]]] = {
    "create_cigre_network_mv": [{"with_der": False}, {"with_der": "pv_wind"}, {"with_der": "all"}],
    "create_synthetic_voltage_control_lv_network": [
        {"network_class": c} for c in ("rural_1", "rural_2", "village_1", "village_2", "suburb_1")
    ],
    "create_dickert_lv_network": [
        {"feeders_range": "short"},
        {"feeders_range": "middle", "linetype": "C&OHL", "customer": "multiple", "case": "average"},
        {"feeders_range": "long", "linetype": "C&OHL", "customer": "multiple", "case": "bad"},
    ],
    "ieee_european_lv_asymmetric": [{"scenario": s} for s in ("on_peak_566", "off_peak_1", "off_peak_1440")],
    "lv_schutterwald": [{}, {"include_heat_pumps": True}],
    "mv_oberrhein": [{}, {"scenario": "generation"}, {"include_substations": True}],
}


def candidates() -> dict[str, Callable[[], pandapowerNet]]:
    """All builders in `pandapower.networks` that need no argument, by name, with their main variants."""
    found = {}
    for name in sorted(dir(library)):
        function = getattr(library, name)
        if not isinstance(function, types.FunctionType) or name == "create_dickert_lv_feeders":
            continue
        if not function.__module__.startswith("pandapower.networks") or name == "sorted_from_json":
            continue
        for options in _VARIANTS.get(name, [{}]):
            words = [f"{key}={value}" for key, value in options.items()]
            found[f"{name}({', '.join(words)})" if words else name] = partial(_repeatable, function, options)
    return found


def _repeatable(function: Callable[..., pandapowerNet], options: dict[str, Any]) -> pandapowerNet:
    """Some builders draw line types by chance: here always the same."""
    state = random.getstate()
    random.seed(0)
    try:
        return function(**options)
    finally:
        random.setstate(state)


def survey(names: Iterable[str], path: Path, n_states: int = 256, seed: int = 0) -> Record:
    """Examine the networks `names` of `candidates` and merge their records into the JSON file at `path`.

    The file is written after every network, under a temporary name first, so that a long run that is
    stopped keeps what it has. Returns the whole content.
    """
    builders = candidates()
    content: Record = json.loads(path.read_text()) if path.is_file() else {"networks": {}}
    for name in names:
        record = examine(name, builders[name], n_states, seed)
        content["networks"][name] = record
        content["networks"] = dict(sorted(content["networks"].items()))
        content |= {
            "versions": {
                "pandapower": pandapower.__version__,
                "jax": jax.__version__,
                "numpy": np.__version__,
            },
            "device": jax.devices()[0].device_kind,
            "machine": platform.machine(),
            "command": f"python -m gridjax.calibration --survey --states {n_states} --seed {seed}",
        }
        unfinished = path.with_name(path.name + ".partial")
        unfinished.write_text(json.dumps(content, indent=1) + "\n")
        os.replace(unfinished, path)
        jax.clear_caches()
        print(summary(name, record), flush=True)
    return content


def examine(name: str, build: Callable[[], pandapowerNet], n_states: int, seed: int) -> Record:
    """The record of one network: sizes, states, errors in both precisions; or `left_out`, the reason."""
    try:
        net = build()
        network, _ = from_pandapower(net, name)
        size = {
            "buses": network.n_bus,
            "branches": network.n_branch,
            "slack_buses": len(network.slack_buses),
            "pv_buses": network.n_pv,
            "voltage_dependent": bool(network.constant_current.any() or network.constant_impedance.any()),
        }
    except (ValueError, TypeError, NotImplementedError) as refusal:
        return {"left_out": str(refusal)}
    try:
        reference = random_reference(network, net, n_states, seed)
    except ValueError as refusal:
        return size | {"left_out": str(refusal)}
    return (
        size
        | {"method": method_of(network), "seed": seed, "runpp": against_runpp(network, net)}
        | describe(network, reference)
        | {precision: compare(network, reference, precision) for precision in ("float64", "float32")}
    )


def method_of(network: Network) -> str:
    """What `method="auto"` chooses: the method and, in brackets, the form of its inverse."""
    solver = prepare(network)
    parts = [type(solver).__name__.lower()]
    inverse = getattr(solver, "inverse", None)
    if inverse is not None and not isinstance(inverse, np.ndarray):
        parts.append(f"({type(inverse).__name__.lower().removesuffix('inverse')})")
    return " ".join(parts)


def against_runpp(network: Network, net: pandapowerNet) -> Record:
    """The reference's own nominal state against `runpp`: largest differences of voltage and of loading."""
    net = copy.deepcopy(net)
    options = {"trafo_model": "t", "calculate_voltage_angles": True, "max_iteration": 30}
    pandapower.runpp(net, tolerance_mva=1e-8, **options)
    nominal = Truth(internal_tables(net)[1]).nominal
    assert nominal is not None
    buses = list(network.bus_index)
    found = net.res_bus.loc[buses]
    voltage = found.vm_pu.to_numpy() * np.exp(1j * np.deg2rad(found.va_degree.to_numpy()))
    worst: dict[tuple[str, int], float] = {}
    with np.errstate(invalid="ignore"):
        loading = nominal.current / np.stack([network.rating_from, network.rating_to], axis=-1)
    for label, value in zip(network.branch_labels, loading.max(axis=-1)):
        table, index, *_ = label.split()
        if table in ("line", "trafo", "trafo3w") and value > 0.0:
            worst[table, int(index)] = max(float(value), worst.get((table, int(index)), 0.0))
    expected = [net["res_" + table].at[index, "loading_percent"] / 100.0 for table, index in worst]
    return {
        "voltage": float(np.abs(nominal.voltage[network.bus_index[buses]] - voltage).max()),
        "loading": float(np.max(np.abs(np.array(expected) - np.array([*worst.values()])), initial=0.0)),
    }


def summary(name: str, record: Record) -> str:
    """One line about one network."""
    if "left_out" in record:
        return f"{name}: left out: {record['left_out']}"
    double, single = record["float64"], record["float32"]
    return (
        f"{name}: {record['buses']} buses, {record['method']}, "
        f"{double['iterations_mean']:.1f} iterations, voltage {double['voltage_error']:.1e} and "
        f"{single['voltage_error']:.1e}, losses {single['losses_relative']:.1e}, "
        f"not converged {double['failures']} and {single['failures']} of {record['states']}"
    )
