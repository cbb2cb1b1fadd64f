"""Learners on every task, as a Markdown table: how good they became, and how soon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.learning_curve import SHARE
from gridjax.evaluation.tables.markdown import interval, percent, table
from gridjax.evaluation.tables.titles import machine


def learners_table(report: Mapping[str, Any]) -> str:
    """A row for every learner on every task, from a result of `experiments.compare`."""
    firsts = list(dict.fromkeys(found["first"] for found in report["tasks"].values()))
    over = firsts[0] if len(firsts) == 1 else "the first"
    rows = [
        [
            "task",
            "learner",
            "share of the way (%)",
            "sampled actions (%)",
            "reward per step, IQM",
            "95 % over seeds",
            f"chance to beat {over} (%)",
            f"steps to {100 * SHARE:.0f} % of the best",
            f"minutes to {100 * SHARE:.0f} % of the best",
            "steps each",
            "seeds",
        ]
    ]
    for title, found in report["tasks"].items():
        for name, run in found["runs"].items():
            rows.append([title, name, *_quality(run, name == found["first"]), *_pace(run)])
    return f"{table(rows)}\n\n{_note(report)}"


def _quality(run: Mapping[str, Any], first: bool) -> list[str]:
    reward, chance = run["summary"]["reward"], run["normalised"] and run["normalised"]["improvement"]
    return [
        _share(run["share_of_way"]),
        _share(run["stochastic"] and run["stochastic"]["share_of_way"]),
        f"{reward['iqm']:.5f}",
        interval(reward["over_seeds"], 5) if len(run["seeds"]) > 1 else "-",
        "-" if first or not chance else percent(chance["value"], chance["over_days"]),
    ]


def _pace(run: Mapping[str, Any]) -> list[str]:
    when = run["reached"]
    missed = "not reached" if run["goal"] else "-"
    return [
        f"{when['steps']:,}" if when else missed,
        f"{when['seconds'] / 60:.1f}" if when else missed,
        f"{run['steps_per_seed']:,}",
        str(len(run["seeds"])),
    ]


def _share(found: Mapping[str, Any] | None) -> str:
    return percent(found["value"], found["over_days"]) if found else "-"


def _note(report: Mapping[str, Any]) -> str:
    runs = [run for found in report["tasks"].values() for run in found["runs"].values()]
    days = " and ".join(sorted({str(len(found["days"])) for found in report["tasks"].values()}))
    machines = sorted({machine(run["trained_with"]) for run in runs if run["trained_with"]})
    return (
        f"On {days} held-out cases a task, deterministic policies unless said otherwise; shares of the way "
        "are of mean rewards. Intervals hold 95 %, over cases and seeds unless said otherwise; chances are "
        "those of a seed to score above another on the same case. The best is the highest mean "
        "validation reward of any run of the task, the way to it begins at the median of the first "
        "validations; where no run ever did better than the best began, there is none. Steps are those of "
        "each seed, minutes those of all seeds of a run side by side, compilation included"
        + (f", on {'; '.join(machines)}." if machines else ".")
    )
