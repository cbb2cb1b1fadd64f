"""How the validation reward of a run grew, and when it had covered most of the way to the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gridjax.evaluation.statistics import interval_over_runs, mean

SHARE = 0.95
"""Of the way from the start to the best, after which a run counts as having learned."""


class LearningCurve(NamedTuple):
    """Validations of one run, first to last."""

    steps: np.ndarray  # [n], environment steps of each seed
    seconds: np.ndarray  # [n], wall-clock of all seeds side by side
    rewards: np.ndarray  # [n_seed, n], mean reward per step on the validation cases

    @property
    def mean(self) -> np.ndarray:
        """Over the seeds, `[n]`."""
        return self.rewards.mean(axis=0)

    def band(self) -> tuple[np.ndarray, np.ndarray]:
        """95 % bootstrap interval of the mean over the seeds: low and high, each `[n]`."""
        found = [interval_over_runs(rewards[:, None], mean) for rewards in self.rewards.T]
        return np.array([each.low for each in found]), np.array([each.high for each in found])


class Goal(NamedTuple):
    """What the runs of one task have to reach."""

    start: float  # median over the runs of their first validation
    best: float  # highest mean validation of any run
    level: float  # SHARE of the way from start to best


class Reached(NamedTuple):
    """The first validation of which the mean over the seeds lies at the goal's level or above."""

    steps: int
    seconds: float


def learning_curve(records: Sequence[Mapping[str, Any]]) -> LearningCurve | None:
    """From the records of a `metrics.jsonl`; None where none holds a validation.

    Raises `ValueError` for validation rewards that are not finite, naming the step.
    """
    chosen = [record for record in records if "validation/reward" in record]
    if not chosen:
        return None
    rewards = []
    for record in chosen:
        value = np.atleast_1d(np.array(record["validation/reward"], float))
        if not np.isfinite(value).all():
            raise ValueError(f"validation/reward of step {record['step']} is {value}, expected it finite")
        rewards.append(value)
    return LearningCurve(
        steps=np.array([record["step"] for record in chosen]),
        seconds=np.array([record["seconds"] for record in chosen], float),
        rewards=np.stack(rewards, axis=1),
    )


def goal(curves: Sequence[LearningCurve]) -> Goal | None:
    """One for all runs of a task, so that their times compare.

    None where no run ever did better than the best of them when it began: there is no way to measure.
    """
    if not curves:
        return None
    firsts = [float(curve.mean[0]) for curve in curves]
    start = float(np.median(firsts))
    best = max(float(curve.mean.max()) for curve in curves)
    return Goal(start, best, start + SHARE * (best - start)) if best > max(firsts) else None


def reached(curve: LearningCurve, level: float) -> Reached | None:
    """When `curve` first came to `level`; None where it never did."""
    there = curve.mean >= level
    if not there.any():
        return None
    first = int(there.argmax())
    return Reached(int(curve.steps[first]), float(curve.seconds[first]))
