"""The cases that cost most: ranked by all named costs, or by one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

RELATIVE = "relative"


def check_rank_by(by: str | None, costs: Collection[str]) -> None:
    """Refuse a name that is no cost."""
    if by is not None and by not in costs:
        raise ValueError(f"rank by {by!r}: expected a cost, one of {', '.join(sorted(costs)) or 'none'}")


def rank_cases(
    costs: Mapping[str, np.ndarray],
    reward: np.ndarray,
    rows: Sequence[int] | np.ndarray,
    by: str | None = None,
) -> list[dict[str, Any]]:
    """Cases, the costliest first: `row`, `relative`, every cost, and `reward`, by which ties are broken.

    `costs` are means over each case, `[n_case]` by name, and so is `reward`. Units differ, so that what they
    come to together is relative: the mean over the costs of each over its usual size, see `usual_costs`. `by`
    names one cost to rank by instead. Raises `ValueError` for a name that is none.
    """
    check_rank_by(by, costs)
    values = {name: np.asarray(value, float) for name, value in costs.items()}
    scales = usual_costs(values)
    relative = np.mean(
        [values[name] / scale for name, scale in scales.items()] or [np.zeros(len(rows))], axis=0
    )
    reward = np.asarray(reward, float)
    order = np.lexsort((reward, -(relative if by is None else values[by])))
    return [
        {
            "row": int(rows[k]),
            RELATIVE: relative[k],
            **{name: value[k] for name, value in values.items()},
            "reward": reward[k],
        }
        for k in order
    ]


def usual_costs(costs: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Mean of each cost `[n_case]` over the cases in which it occurs; costs that never do are left out.

    Not over all cases: a cost that is rare, and small where it occurs, would outweigh all others.
    """
    values = {name: np.asarray(value, float) for name, value in costs.items()}
    return {name: float(value[value > 0.0].mean()) for name, value in values.items() if (value > 0.0).any()}


def cases_table(ranked: Sequence[Mapping[str, Any]], number: int = 10) -> str:
    """The first of `ranked` as a Markdown table."""
    if not ranked:
        return ""
    names = [name for name in ranked[0] if name not in ("row", RELATIVE, "name")]
    head = ["case", "times the usual cost", *(f"{name}, mean per step" for name in names)]
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    for case in ranked[:number]:
        cells = [str(case.get("name", case["row"])), f"{case[RELATIVE]:.2f}"]
        lines.append("| " + " | ".join(cells + [f"{case[name]:.4g}" for name in names]) + " |")
    return "\n".join(lines)
