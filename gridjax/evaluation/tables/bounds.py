"""Costs under their bounds, and what they take of the reward, as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.tables.markdown import interval, table
from gridjax.evaluation.tables.titles import COSTS


def bounds_table(report: Mapping[str, Any]) -> str:
    """A row for every bounded cost of every run beside the first of its task, from a result of `compare`."""
    rows = [
        [
            "task",
            "learner",
            "mean cost",
            "without a bound",
            "bound",
            "with it (95 %)",
            "holds",
            "reward",
            "less than without (95 %)",
        ]
    ]
    for title, found in report["tasks"].items():
        first = found["runs"][found["first"]]
        for name, run in found["runs"].items():
            gap = run["difference"]["reward"]
            for bound in run["cost_bounds"]:
                cost = f"cost_{bound['cost']}"
                rows.append(
                    [
                        title,
                        name,
                        COSTS.get(cost, cost.removeprefix("cost_")),
                        _short(first["summary"][cost]["mean"]),
                        _short(bound["bound"]),
                        f"{_short(bound['mean'])} ({' to '.join(map(_short, bound['over_days']))})",
                        "yes" if bound["holds"] else "no",
                        f"{run['summary']['reward']['mean']:.4f}",
                        f"{-gap['value']:.4f} ({interval([-x for x in reversed(gap['over_days'])], 4)})",
                    ]
                )
    return (
        f"{table(rows)}\n\nMeans over held-out cases and seeds with 95 % intervals over both; a bound holds "
        "where the whole interval is below it. Rewards are compared case by case with those of the first "
        "learner of the task, which is trained on the same reward without bounds."
    )


def _short(value: float) -> str:
    return f"{value:.3g}"
