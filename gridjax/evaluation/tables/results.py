"""Trained agents on every task beside the rule that was tuned as hard, as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.evaluated_run import EvaluatedRun
from gridjax.evaluation.tables.markdown import interval, percent, table
from gridjax.evaluation.tables.titles import TITLES, machine


def results_table(evaluations: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each `evaluation.json`, in their order.

    Raises `KeyError` for one whose learner is compared with no other controller.
    """
    rows = [
        [
            "task",
            "the way begins at",
            "tuned rule (% of the way)",
            "trained (% of the way)",
            "reward per step over the rule's",
            "held-out cases",
            "seeds",
            "minutes of training",
        ]
    ]
    for evaluation in evaluations.values():
        run = EvaluatedRun("", evaluation)
        rule, gain = _against(evaluation, run.learner)
        rows.append(
            [
                run.task,
                TITLES.get(run.start, run.start),
                _share(evaluation, rule),
                f"{TITLES.get(run.learner, run.learner)}: {_share(evaluation, run.learner)}",
                f"{gain['difference']:.4f} ({interval(gain['over_days'], 4)})",
                str(len(evaluation["days"])),
                str(len(evaluation["seeds"])),
                f"{evaluation['training_seconds'] / 60:.0f}",
            ]
        )
    machines = sorted({machine(evaluation["versions"]) for evaluation in evaluations.values()})
    return (
        f"{table(rows)}\n\nThe way is to the optimum with perfect information, 100 %. Means over "
        "cases that neither training nor tuning saw, with 95 % intervals over cases and seeds; differences "
        f"are paired case by case. Minutes are those of all seeds side by side, on {'; '.join(machines)}."
    )


def _against(evaluation: Mapping[str, Any], learner: str) -> tuple[str, Mapping[str, Any]]:
    """The controller right below the learner in the order that was expected, and what was found."""
    for check in evaluation["order"]:
        lower, _, higher = check["claim"].split()
        if higher == learner:
            return lower, check
    raise KeyError(f"no controller is expected below {learner}")


def _share(evaluation: Mapping[str, Any], name: str) -> str:
    found = evaluation["controllers"][name]["share_of_way"]
    return percent(found["value"], found["over_days"]) if found else "-"
