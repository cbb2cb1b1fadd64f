"""Adapters to other libraries beside the native loop, as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.tables.markdown import table


def adapters_table(report: Mapping[str, Any]) -> str:
    """The rows of a result of `benchmarks.adapters`, beside the native loop of the same batch."""
    native = {r["batch"]: r["per_second_median"] for r in report["rows"] if r["name"] == "native"}
    rows = [["adapter", "copies", "steps per second, median", "best", "of native (%)"]]
    for row in report["rows"]:
        rows.append(
            [
                row["name"],
                f"{row['batch']:,}",
                f"{row['per_second_median']:,.0f}",
                f"{row['per_second_best']:,.0f}",
                f"{100 * row['per_second_median'] / native[row['batch']]:.3g}",
            ]
        )
    versions = ", ".join(f"{name} {value}" for name, value in report["versions"].items() if value)
    busy = (
        f" Other processes ran beside it (load average {report['load_before']:g} before): rates are too low."
        if report["load_before"] > 0.5
        else ""
    )
    return (
        f"{table(rows)}\n\n{report['task']} on {report['network']}, {report['precision']}, one "
        f"{report['device']} device on {report['cores']} cores; {versions}. One run of "
        f"{report['steps_per_call']} steps a call, rows interleaved over {report['rounds']} rounds.{busy}"
    )
