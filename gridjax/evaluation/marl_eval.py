"""Runs as marl-eval reads them.

Gorsane et al., Towards a Standardised Performance Evaluation Protocol for Cooperative MARL, NeurIPS 2022; the
format is that of the package id-marl-eval, "Data Structure for Raw Experiment data": environment, task,
algorithm, run, then `step_1` to `step_k` and `absolute_metrics`, every metric a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gridjax.evaluation.evaluated_run import EvaluatedRun
from gridjax.evaluation.learning_curve import LearningCurve

METRIC = "reward"
"""Mean per step: over the validation cases at every step, over the held-out cases as the absolute metric."""


def marl_eval_data(runs: Sequence[EvaluatedRun]) -> dict[str, Any]:
    """Every seed of every run; a list holds one number, the mean over the cases.

    marl-eval asks for the same algorithms, seeds and number of steps on all tasks of an environment. Where
    runs were validated at other steps or more often, those of the run with the fewest validations are taken,
    with the last validation up to there. Raises `ValueError` where a run was not validated, where algorithms
    or numbers of seeds differ, and for a name with a comma.
    """
    environments: dict[str, dict[str, list[EvaluatedRun]]] = {}
    for run in runs:
        if "," in run.name:
            raise ValueError(f"{run.name!r} has a comma, which marl-eval does not allow in a name")
        tasks = environments.setdefault(run.evaluation["task"]["env"], {})
        tasks.setdefault(run.task.partition(", ")[2], []).append(run)
    return {env: _environment(env, tasks) for env, tasks in environments.items()}


def _environment(env: str, tasks: dict[str, list[EvaluatedRun]]) -> dict[str, Any]:
    every = [run for found in tasks.values() for run in found]
    first = next(iter(tasks.values()))
    for title, found in tasks.items():
        names, expected = sorted(run.name for run in found), sorted(run.name for run in first)
        if names != expected:
            raise ValueError(
                f"{env}, {title}: marl-eval needs the same runs on all tasks, {expected}: {names}"
            )
    seeds = {run.name: len(run.evaluation["seeds"]) for run in every}
    if len({len(run.evaluation["seeds"]) for run in every}) > 1:
        raise ValueError(f"{env}: marl-eval needs as many seeds in every run, got {seeds}")
    grids = {title: _grid([_curve(run) for run in found]) for title, found in tasks.items()}
    number = min(grid.size for grid in grids.values())
    return {
        title: {run.name: _algorithm(run, _thinned(grids[title], number)) for run in found}
        for title, found in tasks.items()
    }


def _curve(run: EvaluatedRun) -> LearningCurve:
    if run.curve is None:
        raise ValueError(f"{run.name} on {run.task} has no validations in its metrics.jsonl")
    return run.curve


def _grid(curves: Sequence[LearningCurve]) -> np.ndarray:
    """Steps of the run with the fewest validations, from where all have one to where the first one ends."""
    grid = min((curve.steps for curve in curves), key=len)
    begin, end = max(curve.steps[0] for curve in curves), min(curve.steps[-1] for curve in curves)
    inside = grid[(grid >= begin) & (grid <= end)]
    return inside if inside.size else np.array([begin])


def _thinned(grid: np.ndarray, number: int) -> np.ndarray:
    return grid[np.linspace(0, grid.size - 1, number).round().astype(int)]


def _algorithm(run: EvaluatedRun, grid: np.ndarray) -> dict[str, Any]:
    curve = _curve(run)
    rows = np.searchsorted(curve.steps, grid, side="right") - 1
    final = run.scores()["reward"].mean(axis=1)
    return {
        f"seed_{seed}": {
            **{
                f"step_{k}": {"step_count": int(step), METRIC: [float(curve.rewards[index, row])]}
                for k, (step, row) in enumerate(zip(grid, rows), 1)
            },
            "absolute_metrics": {METRIC: [float(final[index])]},
        }
        for index, seed in enumerate(run.evaluation["seeds"])
    }
