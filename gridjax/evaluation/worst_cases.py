"""The cases that cost most: ranked by all named costs, or by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

RELATIVE = "relative"


def rank_cases(
    costs: Mapping[str, np.ndarray], rows: Sequence[int] | np.ndarray, by: str | None = None
) -> list[dict[str, Any]]:
    """Cases, the costliest first: `row`, `relative` and every cost.

    `costs` are means over each case, `[n_case]` by name. Units differ, so that what they come to together is
    relative: each over its mean over all cases, averaged over the costs that occur at all; 1 is a usual case.
    `by` names one cost to rank by instead. Raises `ValueError` for a name that is none.
    """
    if by is not None and by not in costs:
        raise ValueError(f"rank by {by!r}: expected a cost, one of {', '.join(sorted(costs)) or 'none'}")
    values = {name: np.asarray(value, float) for name, value in costs.items()}
    occurring = [value / value.mean() for value in values.values() if value.mean() > 0.0]
    relative = np.mean(occurring, axis=0) if occurring else np.zeros(len(rows))
    order = np.argsort(-(relative if by is None else values[by]), kind="stable")
    return [
        {"row": int(rows[k]), RELATIVE: relative[k], **{name: value[k] for name, value in values.items()}}
        for k in order
    ]


def cases_table(ranked: Sequence[Mapping[str, Any]], number: int = 10) -> str:
    """The first of `ranked` as a Markdown table."""
    if not ranked:
        return ""
    names = [name for name in ranked[0] if name not in ("row", RELATIVE, "name")]
    head = ["case", "times a usual case", *(f"{name}, mean per step" for name in names)]
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    for case in ranked[:number]:
        cells = [str(case.get("name", case["row"])), f"{case[RELATIVE]:.2f}"]
        lines.append("| " + " | ".join(cells + [f"{case[name]:.4g}" for name in names]) + " |")
    return "\n".join(lines)
