"""Markdown tables of `benchmarks.powerflow`: what was measured, solver by solver and network by network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gridjax.evaluation.tables.markdown import table

Row = Mapping[str, Any]
_PEERS = (
    ("lightsim2grid", "lightsim2grid"),
    ("power-grid-model", "power-grid-model"),
    ("pandapower", "pandapower"),
)


def powerflow_table(report: Row) -> str:
    """One line per network: gridjax, the best way of every peer, errors; then bars and growth."""
    heading = ["network", "buses", "solver", "gridjax float64", "float32"]
    heading += [label for label, _ in _PEERS]
    rows = [[*heading, "float64 error (p.u.)", "float32 error", "iterations", "compile (s)"]]
    for network, about in report["networks"].items():
        here = [row for row in report["rows"] if row["network"] == network]
        double, single = (_fastest(here, "gridjax", precision) for precision in ("float64", "float32"))
        peers = [_fastest(here, prefix, "float64") for _, prefix in _PEERS]
        rows.append(
            [
                network,
                f"{about['buses']:,}",
                about["solver"],
                *(_rate(row) for row in (double, single, *peers)),
                *(f"{row['error']:.0e}" if row else "-" for row in (double, single)),
                f"{double['iterations']:.1f}" if double else "-",
                f"{double['compile_seconds']:.1f}" if double else "-",
            ]
        )
    versions = ", ".join(f"{name} {value}" for name, value in report["versions"].items() if value)
    note = (
        f"Power flows per second by the clock, {report['devices']} x {report['device']} on {report['cores']} "
        f"cores, of every solver its best setting and batch; {versions}. One run, rows interleaved over "
        f"{report['rounds']} rounds, medians. Loads times U[0.5, 1.5] (case300: U[0.9, 1.1]), every float64 "
        "solver at the coarsest tolerance of 1e-8, 1e-9, ... p.u. that leaves its error below 1e-8 p.u., "
        "float32 at the default; peers compute in float64, pandapower on one core. Error in complex "
        "voltage against Newton's method in float64."
    )
    if report.get("load_average_before", 0.0) > 0.5:
        note += (
            f" **Other processes ran beside it (load average {report['load_average_before']:g} before): "
            "figures by the clock are too low, unevenly; those per core-second hold better.**"
        )
    parts = [table(rows), note]
    if report["bars"]:
        parts.append(_bars(report["bars"]))
    parts += [
        _growth(name, report["exponents"][name]) for name in ("time", "memory") if report["exponents"][name]
    ]
    return "\n\n".join(parts)


def powerflow_rows(report: Row) -> str:
    """Every row that was measured."""
    heading = ["network", "solver", "precision", "batch", "cores", "per second", "per core-second", "error"]
    rows = [[*heading, "failed", "iterations", "compile (s)", "memory (MB)", "of arithmetic", "of bandwidth"]]
    for row in report["rows"]:
        share = [row.get(f"{kind}_share") for kind in ("arithmetic", "bandwidth")]
        rows.append(
            [
                row["network"],
                f"{row['solver']} ({row['settings']})",
                row["precision"],
                f"{row['batch']:,}",
                str(row["cores"]),
                f"{row['per_second_median']:,.0f}",
                f"{row['per_core_second_median']:,.0f}",
                f"{row['error']:.0e}",
                str(row["failed"]),
                "-" if row["iterations"] is None else f"{row['iterations']:.1f}",
                f"{row['compile_seconds']:.1f}" if "compile_seconds" in row else "-",
                f"{row['memory_bytes'] / 1e6:.1f}" if row.get("memory_bytes") else "-",
                *("-" if value is None else f"{value:.1%}" for value in share),
            ]
        )
    return table(rows)


def _bars(bars: Sequence[Row]) -> str:
    heading = ["network", "precision", "fastest right peer", "times by the clock", "wanted", ""]
    rows = [[*heading, "times per core-second"]]
    for bar in bars:
        rows.append(
            [
                bar["network"],
                bar["precision"],
                bar["wall"]["solver"],
                f"{bar['wall']['ratio']:.2f}",
                f"{bar['wanted']:g}",
                "met" if bar["met"] else "not met",
                f"{bar['core']['ratio']:.2f}",
            ]
        )
    return table(rows)


def _growth(what: str, exponents: Mapping[str, float]) -> str:
    label = {"time": "Processor time", "memory": "Memory"}[what]
    grown = "; ".join(f"{name} {value:.2f}" for name, value in exponents.items())
    return f"{label} grows with the buses of generated feeders to the power of: {grown}."


def _fastest(rows: Sequence[Row], solver: str, precision: str) -> Row | None:
    """By the clock, among rows of solvers whose name begins so."""
    chosen = [row for row in rows if row["solver"].startswith(solver) and row["precision"] == precision]
    return max(chosen, key=lambda row: row["per_second_median"], default=None)


def _rate(row: Row | None) -> str:
    return "-" if row is None else f"{row['per_second_median']:,.0f}"
