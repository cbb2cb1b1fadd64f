"""The figure of the power-flow benchmark: cost against network size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gridjax.evaluation.figures.style import COLOURS, dress, new_figure, save

_SERIES = {
    ("gridjax", "float64"): ("gridjax, float64", COLOURS["mappo"], "o"),
    ("gridjax", "float32"): ("gridjax, float32", COLOURS["tuned_droop"], "s"),
    ("lightsim2grid, tuned", "float64"): ("lightsim2grid, tuned", COLOURS["no_control"], "^"),
    ("power-grid-model, iterative current", "float64"): (
        "power-grid-model, it. current",
        COLOURS["steep"],
        "v",
    ),
    ("power-grid-model, Newton", "float64"): ("power-grid-model, Newton", COLOURS["optimum"], "D"),
    ("pandapower, recycled", "float64"): ("pandapower, recycled", COLOURS["category_b"], "P"),
}


def draw(report: Mapping[str, Any], path: Path) -> dict[str, dict[str, float]]:
    """Draw processor time and memory per scenario against buses; return the exponents fitted to the trees."""
    figure = new_figure(11.0, 5.6)
    left, right = figure.subplots(1, 2)
    buses = {name: network["buses"] for name, network in report["networks"].items()}
    exponents: dict[str, dict[str, float]] = {"time": {}, "memory": {}}
    for key, (label, colour, marker) in _SERIES.items():
        best = _best(report["rows"], *key)
        seconds = {name: 1e6 / row["per_core_second_median"] for name, row in best.items()}
        exponents["time"] |= _series(left, buses, seconds, label, colour, marker)
        memory = {
            name: row["memory_bytes"] / row["batch"] for name, row in best.items() if row.get("memory_bytes")
        }
        if memory:
            exponents["memory"] |= _series(right, buses, memory, label, colour, marker)
    solver = {name: network["solver_bytes"] for name, network in report["networks"].items()}
    found = _series(right, buses, solver, "prepared solver, once per network", "#444444", "x")
    exponents["memory"] |= found
    dress(left, "buses", "processor time per power flow (µs)", "time: filled and fitted, generated feeders")
    dress(right, "buses", "bytes per scenario, arguments and results included", "memory")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
        axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)
    save(figure, path)
    return exponents


def _best(rows: Sequence[Mapping[str, Any]], solver: str, precision: str) -> dict[str, Mapping[str, Any]]:
    """Per network the row with the least processor time."""
    best: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if row["solver"] != solver or row["precision"] != precision or row["batch"] < 8:
            continue
        held = best.get(row["network"])
        if held is None or row["per_core_second_median"] > held["per_core_second_median"]:
            best[row["network"]] = row
    return best


def _series(
    axes: Any, buses: Mapping[str, int], value: Mapping[str, float], label: str, colour: str, marker: str
) -> dict[str, float]:
    """Points, filled for generated feeders, and the line through those; returns its exponent."""
    fitted: dict[str, float] = {}
    for tree in (True, False):
        chosen = [name for name in value if name.startswith("tree") == tree]
        if not chosen:
            continue
        x, y = (np.array([table[name] for name in chosen], float) for table in (buses, value))
        face = colour if tree or marker in "xP" else "none"
        axes.plot(x, y, marker, color=colour, markerfacecolor=face, markersize=5)
        if tree and len(chosen) > 2:
            slope, offset = np.polyfit(np.log(x), np.log(y), 1)
            ends = np.array([x.min(), x.max()])
            axes.plot(ends, np.exp(offset) * ends**slope, color=colour, lw=1.2)
            fitted[label] = float(slope)
    axes.plot(
        [], [], marker, color=colour, label=label + (f" (N$^{{{fitted[label]:.2f}}}$)" if fitted else "")
    )
    return fitted
