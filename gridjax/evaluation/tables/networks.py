"""The Markdown table of a survey: every network of pandapower, how true it is solved, or why it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.tables.markdown import table

Record = Mapping[str, Any]

_HEADING = [
    "network",
    "buses",
    "PV",
    "method",
    "iterations, mean (max)",
    "V (p.u.), float64",
    "V, float32",
    "losses, float32",
    "flows, float32",
    "loading, float32",
    "slack, float32",
    "not converged",
    "lowest to highest V",
]


def networks_table(content: Mapping[str, Any]) -> str:
    """One row per surveyed network, and below it the reasons for those left out."""
    networks = content["networks"]
    solved = {name: record for name, record in networks.items() if "left_out" not in record}
    rows = [_HEADING, *(_row(name, record) for name, record in solved.items())]
    states = min(record["states"] for record in solved.values())
    note = (
        f"Largest errors against pandapower {content['versions']['pandapower']}, its solution refined in "
        f"extended precision, over {states} random states each: loads times U[0, 1.5], generation times "
        "U[0, 1]; losses as a share of the losses, flows and slack power of the largest power in the state. "
        "† generation follows the load, ‡ states drawn less far from nominal: otherwise fewer than a quarter "
        "of them have a solution. Iterations in float64; not converged: of all states in both precisions."
    )
    left = [f"- {name}: {record['left_out']}" for name, record in networks.items() if "left_out" in record]
    parts = [table(rows), note]
    if left:
        parts += ["Left out:", "\n".join(left)]
    return "\n\n".join(parts)


def _row(name: str, record: Record) -> list[str]:
    double, single = record["float64"], record["float32"]
    low, high = record["voltage_range"]
    mark = ("†" if record["generation_follows_load"] else "") + ("‡" if record["depth"] < 1.0 else "")
    return [
        f"{name} {mark}".strip(),
        str(record["buses"]),
        str(record["pv_buses"]),
        record["method"],
        f"{double['iterations_mean']:.1f} ({double['iterations_max']})",
        f"{double['voltage_error']:.0e}",
        f"{single['voltage_error']:.0e}",
        f"{single['losses_relative']:.0e}",
        f"{single['power_relative']:.0e}",
        f"{single['loading_error']:.0e}",
        f"{single['slack_power_relative']:.0e}",
        str(double["failures"] + single["failures"]),
        f"{low:.3f} to {high:.3f}",
    ]
