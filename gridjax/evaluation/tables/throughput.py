"""Rates of power flows and steps, as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.tables.markdown import table


def throughput_table(report: Mapping[str, Any]) -> str:
    """The rows of a result of `benchmarks.throughput`, beside the fastest peer measured in the same run."""
    peers = [row for row in report["rows"] if row["name"].startswith(("pandapower", "lightsim2grid"))]
    fastest = max(peers, key=lambda row: row["per_second_median"], default=None)
    heading = ["what", "batch", "per second, median", "best", "compile (s)"]
    rows = [heading + ([f"times {fastest['name']}"] if fastest else [])]
    for row in report["rows"]:
        peer = row in peers
        cells = [
            row["name"],
            f"{row['batch']:,}",
            f"{row['per_second_median']:,.0f}",
            f"{row['per_second_best']:,.0f}",
            "-" if peer else f"{row['compile_seconds']:.1f}",
        ]
        if fastest:
            cells.append(f"{row['per_second_median'] / fastest['per_second_median']:.3g}")
        rows.append(cells)
    versions = ", ".join(f"{name} {value}" for name, value in report["versions"].items() if value)
    note = (
        f"{report['network']}, {report['precision']}, {report['devices']} x {report['device']} on "
        f"{report['cores']} cores; {versions}. One run, rows interleaved over {report['rounds']} rounds."
    )
    return f"{table(rows)}\n\n{note}"
