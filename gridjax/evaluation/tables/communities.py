"""How rates grow with a community, as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.tables.markdown import table


def communities_table(report: Mapping[str, Any]) -> str:
    """Rates of every community of a result of `benchmarks.communities`, and how they grow."""
    names = [row["name"] for row in report["communities"][0]["rows"]]
    rows = [
        ["agents", "network", "buses", *(f"{name}, per second" for name in names), "agent steps per second"]
    ]
    for one in report["communities"]:
        rates = {row["name"]: row["per_second_median"] for row in one["rows"]}
        row = [str(one["agents"]), one["network"], str(one["buses"])]
        row += [f"{rates[name]:,.0f}" for name in names]
        rows.append([*row, f"{one['agents'] * rates['environment step']:,.0f}"])
    versions = ", ".join(f"{name} {value}" for name, value in report["versions"].items() if value)
    busy = (
        f" Other processes ran beside it (load average {report['load_before']:g} before): rates are too low."
        if report["load_before"] > 0.5
        else ""
    )
    return (
        f"{table(rows)}\n\nBatches of {report['batch']}, {report['precision']}, one {report['device']} "
        f"device on {report['cores']} cores; {versions}. Medians of {report['rounds']} rounds.{busy}"
    )
