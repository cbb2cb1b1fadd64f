"""Build, validate and write shipped networks, or survey all of pandapower's.

`python -m gridjax.calibration case33bw`, `--all`, or `--survey [names]`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandapower
from pandapower.auxiliary import pandapowerNet

from gridjax.calibration.conversion import from_pandapower
from gridjax.calibration.sources import SOURCES
from gridjax.calibration.survey import candidates, survey
from gridjax.calibration.validation import Report, validate
from gridjax.network import save_network

_SURVEY = Path("benchmarks/results/networks.json")
_DATA = Path(__file__).parents[1] / "network" / "data"
_ROWS = {
    "voltage_error": "complex voltage, p.u.",
    "power_error": "branch power, p.u.",
    "current_error": "branch current, p.u.",
    "loading_error": "loading, share of rating",
    "losses_error": "losses, p.u.",
    "losses_relative": "losses, share of the losses",
    "slack_power_error": "slack power, p.u.",
    "generator_reactive_error": "generators' reactive power, p.u.",
    "mismatch_max": "mismatch, p.u.",
    "iterations_mean": "iterations, mean",
    "iterations_max": "iterations, largest",
    "failures": "not converged",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code (2 for an unknown network)."""
    parser = argparse.ArgumentParser(prog="python -m gridjax.calibration", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"any of {', '.join(SOURCES)}")
    parser.add_argument("--all", action="store_true", help="all shipped networks")
    parser.add_argument(
        "--survey", action="store_true", help="examine the networks of pandapower (or those named), ship none"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="folder of the artefacts (default: the package's), or file of the survey (default: "
        "benchmarks/results/networks.json)",
    )
    parser.add_argument("--states", type=int, default=256, help="random states in the validation")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random states")
    given = parser.parse_args(arguments)
    known = candidates() if given.survey else SOURCES
    unknown = [name for name in given.names if name not in known]
    if unknown or not (given.names or given.all or given.survey):
        what = f"unknown network {unknown[0]!r}" if unknown else "no network given"
        print(f"{what}; known: {', '.join(known)} (or --all)", file=sys.stderr)
        return 2
    if given.states < 1:
        print(f"--states must be at least 1, is {given.states}", file=sys.stderr)
        return 2
    if given.survey:
        survey(given.names or known, given.out or _SURVEY, given.states, given.seed)
        return 0
    for name in SOURCES if given.all else given.names:
        sheet, record = calibrate(name, given.out or _DATA, given.states, given.seed)
        print(table(name, record["validation"]))
        print(f"written: {sheet}\n")
    return 0


def calibrate(name: str, folder: Path, n_states: int = 256, seed: int = 0) -> tuple[Path, dict[str, Any]]:
    """Build, validate and write the shipped network `name`; return its JSON sheet and the description."""
    source = SOURCES[name]
    net = source.build()
    network, _ = from_pandapower(net, name)
    record = {
        "title": source.title,
        "source": source.citation,
        "licence": source.licence,
        "ratings": source.ratings,
        "coordinates": source.coordinates,
        "versions": {"pandapower": pandapower.__version__, "numpy": np.__version__},
        "command": f"python -m gridjax.calibration {name} --states {n_states} --seed {seed}",
        "base_case": _base_case(net),
        "validation": validate(network, net, n_states, seed),
    }
    return save_network(network, folder, record), record


def table(name: str, report: Report) -> str:
    """The report as a table for people."""
    low, high = report["voltage_range"]
    lines = [
        f"{name}: {report['states']} random states against {report['reference']}",
        f"  voltage {low:.4f} to {high:.4f} p.u., loading up to {report['loading_max']:.0%}, some branch "
        f"above 100 % in {report['overloaded_states']:.0%} of the states; "
        f"{report['reference_failures']} more states were drawn that have no solution",
        f"  {'largest error':28}{'float64':>12}{'float32':>12}",
    ]
    for key, words in _ROWS.items():
        double, single = report["float64"][key], report["float32"][key]
        style = ".1e" if key.endswith(("error", "relative", "mismatch_max")) else ".3g"
        lines.append(f"  {words:28}{double:>12{style}}{single:>12{style}}")
    return "\n".join(lines)


def _base_case(net: pandapowerNet) -> dict[str, float]:
    """pandapower's own solution at nominal load."""
    pandapower.runpp(net, calculate_voltage_angles=True, trafo_model="t", tolerance_mva=1e-8, numba=False)
    losses = sum(
        float(net["res_" + kind]["pl_mw"].sum()) for kind in ("line", "trafo", "trafo3w", "impedance")
    )
    loading = [net[kind]["loading_percent"].max() for kind in ("res_line", "res_trafo") if len(net[kind])]
    consumed = net.res_load.sum() + net.res_asymmetric_load.sum()
    return {
        "load_mw": float(consumed.p_mw),
        "load_mvar": float(consumed.q_mvar),
        "generation_mw": float(net.res_gen.p_mw.sum() + net.res_sgen.p_mw.sum()),
        "losses_kw": 1e3 * losses,
        "lowest_voltage_pu": float(net.res_bus.vm_pu.min()),
        "highest_voltage_pu": float(net.res_bus.vm_pu.max()),
        "highest_loading": float(max(loading)) / 100.0,
    }


if __name__ == "__main__":
    sys.exit(main())
