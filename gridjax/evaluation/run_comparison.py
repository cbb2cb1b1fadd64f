"""Runs of several learners side by side, on one task or on several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gridjax.evaluation import comparison
from gridjax.evaluation.evaluated_run import EvaluatedRun
from gridjax.evaluation.learning_curve import LearningCurve, goal, reached
from gridjax.evaluation.normalised import aggregates, entry, share_of, way_of
from gridjax.evaluation.statistics import paired_difference

MEASURES = (
    *("reward", "controllable", "losses_mw"),
    *("community_cost", "losses", "unserved", "peer_energy", "self_sufficiency", "peak_import"),
    *("fairness", "reward_cooperation", "cost_voltage", "cost_peak", "cost_unserved"),
    *("ens_critical", "ens_priority", "ens_discretionary", "unserved_cost", "energy_cost", "critical_served"),
)

METHOD = (
    f"{comparison.METHOD} normalised: rewards of every seed and day, as shares of the way between two "
    "mean rewards of the task, from a controller without learning to the optimum, or to the best mean "
    "reward of any controller or run where no optimum was evaluated. Of these the interquartile mean, "
    "the optimality gap, the profile (share of seeds and days above a threshold) and the probability of "
    "improvement (with which a seed scores above one of the first run on the same day) are rliable's, "
    "days being its tasks; over_days draws days and whole seeds there, too. goal: 95 % of the way from the "
    "median of the runs' first validations to the best mean validation of any run whose reward is the "
    "same; reached: the first validation whose mean over the seeds is there. Neither where no run ever did "
    "better than the best of them began."
)


def compare_runs(runs: Sequence[EvaluatedRun]) -> dict[str, Any]:
    """Every task with its runs, each compared with the first of them; and all tasks together, where the first
    run is on each with as many seeds.

    Raises `ValueError` for fewer than two runs, one name twice on a task, or evaluations of other days, or
    of other options of the task than those of the reward and of what agents know.
    """
    if len(runs) < 2:
        raise ValueError(f"got {len(runs)} runs, expected at least 2")
    tasks: dict[str, list[EvaluatedRun]] = {}
    for run in runs:
        tasks.setdefault(run.task, []).append(run)
    for title, found in tasks.items():
        _check(title, found)
    shares = {title: _shares(found) for title, found in tasks.items()}
    together = _together(list(shares.values()))
    return {
        "tasks": {title: _compare(found, shares[title]) for title, found in tasks.items()},
        "all_tasks": aggregates(together) if len(tasks) > 1 and runs[0].name in together else {},
        "method": METHOD,
    }


def _check(title: str, runs: Sequence[EvaluatedRun]) -> None:
    first = runs[0]
    names = [run.name for run in runs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{title}: {', '.join(twice)} stands for several runs, expected one of each name")
    for run in runs:
        if run.evaluation["days"] != first.evaluation["days"]:
            mine, its = (len(one.evaluation["days"]) for one in (run, first))
            raise ValueError(
                f"{title}: the {mine} days of {run.name} are not the {its} of {first.name}; evaluate both "
                "with the same --days"
            )
        mine, its = run.world, first.world
        for option in sorted(mine.keys() | its.keys()):
            if mine.get(option) != its.get(option):
                raise ValueError(
                    f"{title}: {option} of {run.name} is {mine.get(option)!r}, of {first.name} "
                    f"{its.get(option)!r}; they live through other cases and cannot be compared"
                )


def _shares(runs: Sequence[EvaluatedRun]) -> dict[str, np.ndarray]:
    """Normalised rewards of every run that has a way."""
    ways = {run: way_of(run, _alike(run, runs)) for run in runs}
    return {run.name: way.shares(run.scores()["reward"]) for run, way in ways.items() if way is not None}


def _together(tasks: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """All days of all tasks as one, of the runs that are on every task with as many seeds on each."""
    joined = {}
    for name in tasks[0]:
        parts = [shares[name] for shares in tasks if name in shares]
        if len(parts) == len(tasks) and len({part.shape[0] for part in parts}) == 1:
            joined[name] = np.concatenate(parts, axis=1)
    return joined


def _alike(run: EvaluatedRun, runs: Sequence[EvaluatedRun]) -> list[EvaluatedRun]:
    """Those whose rewards compare with the run's, itself among them."""
    return [other for other in runs if other.reward == run.reward]


def _compare(runs: Sequence[EvaluatedRun], shares: Mapping[str, np.ndarray]) -> dict[str, Any]:
    first = runs[0]
    measured = {run.name: run.scores() for run in runs}
    measures = [name for name in MEASURES if all(name in scores for scores in measured.values())]
    normalised = aggregates(shares) if first.name in shares else {}
    compared = {}
    for run in runs:
        alike = _alike(run, runs)
        way = way_of(run, alike)
        sampled = f"{run.learner}_stochastic"
        pairs = {name: (measured[run.name][name], measured[first.name][name]) for name in measures}
        compared[run.name] = {
            "learner": run.learner,
            "seeds": run.evaluation["seeds"],
            "steps_per_seed": run.evaluation["steps_per_seed"],
            "training_seconds": run.evaluation.get("training_seconds"),
            "trained_with": run.trained_with,
            "task": run.evaluation["task"],
            "settings": run.evaluation["learner"],
            "cost_bounds": run.evaluation.get("cost_bounds", []),
            **_quality(run, run.learner, alike, measures),
            "stochastic": _quality(run, sampled, alike, measures)
            if sampled in run.evaluation["controllers"]
            else None,
            "difference": {
                name: entry(paired_difference(*pair), "over_days") for name, pair in pairs.items()
            },
            "way": None if way is None else way._asdict(),
            "normalised": normalised.get(run.name),
            **_learned(run, alike),
        }
    return {"network": first.network, "days": first.evaluation["days"], "first": first.name, "runs": compared}


def _quality(
    run: EvaluatedRun, controller: str, alike: Sequence[EvaluatedRun], measures: Sequence[str]
) -> dict[str, Any]:
    summary = run.evaluation["controllers"][controller]["summary"]
    return {
        "share_of_way": share_of(run, controller, alike),
        "summary": {name: summary[name] for name in measures},
    }


def _learned(run: EvaluatedRun, alike: Sequence[EvaluatedRun]) -> dict[str, Any]:
    """The learning curve, and when it came to the goal of all whose rewards compare; None where unknown."""
    if run.curve is None:
        return {"curve": None, "goal": None, "reached": None}
    aim = goal([other.curve for other in alike if other.curve is not None])
    when = None if aim is None else reached(run.curve, aim.level)
    return {
        "curve": _drawn(run.curve),
        "goal": None if aim is None else aim._asdict(),
        "reached": None if when is None else when._asdict(),
    }


def _drawn(curve: LearningCurve) -> dict[str, Any]:
    low, high = curve.band()
    return {**curve._asdict(), "mean": curve.mean, "low": low, "high": high}
