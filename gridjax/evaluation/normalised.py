"""Rewards as shares of the way from a start to the best that is known, so that tasks can stand together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gridjax.evaluation.comparison import share_of_way
from gridjax.evaluation.evaluated_run import EvaluatedRun
from gridjax.evaluation.improvement import improvement_over_days, probability_of_improvement
from gridjax.evaluation.performance_profile import performance_profile
from gridjax.evaluation.statistics import Estimate, interval_over_runs, optimality_gap

_THRESHOLDS = 101  # of a performance profile


class Way(NamedTuple):
    """Two controllers of a task and their mean rewards on the held-out cases."""

    start: str
    end: str  # "optimum", or "best": that of any controller, where no optimum was evaluated
    low: float
    high: float

    def shares(self, rewards: np.ndarray) -> np.ndarray:
        """Of `[n_run, n_day]` rewards: 0 where they are the mean at the start, 1 where that at the end."""
        return (rewards - self.low) / (self.high - self.low)


def way_of(run: EvaluatedRun, alike: Sequence[EvaluatedRun]) -> Way | None:
    """The way of `run`, whose end may be found in any of `alike`; None where that is not above the start."""
    low = float(run.scores(run.start)["reward"].mean())
    optimum = optimum_of(run, alike)
    if optimum is not None:
        high = float(optimum.mean())
    else:
        every = [other.scores(name)["reward"] for other in alike for name in other.evaluation["per_day"]]
        high = max(float(rewards.mean()) for rewards in every)
    return Way(run.start, "best" if optimum is None else "optimum", low, high) if high > low else None


def optimum_of(run: EvaluatedRun, alike: Sequence[EvaluatedRun]) -> np.ndarray | None:
    """Rewards `[1, n_day]` of the optimum: of the run's own evaluation, or else that of another."""
    for other in (run, *alike):
        if "optimum" in other.evaluation["per_day"]:
            return other.scores("optimum")["reward"]
    return None


def share_of(run: EvaluatedRun, controller: str, alike: Sequence[EvaluatedRun]) -> dict[str, Any] | None:
    """How far the mean reward of one controller of `run` came, with an interval over days and seeds."""
    found = run.evaluation["controllers"][controller]["share_of_way"]
    optimum = optimum_of(run, alike)
    if found or optimum is None:
        return found
    rewards = {name: run.scores(name)["reward"] for name in (run.start, controller)} | {"optimum": optimum}
    return share_of_way(rewards, run.start, "optimum").get(controller)


def aggregates(shares: Mapping[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """rliable's figures of each run's `[n_run, n_day]` shares; the first run is what others improve on.

    The chance to do so has an interval over days and whole seeds, too.
    """
    if not shares:
        return {}
    thresholds = _thresholds(list(shares.values()))
    first = next(iter(shares.values()))
    return {
        name: {
            "iqm": entry(interval_over_runs(scores)),
            "optimality_gap": entry(interval_over_runs(scores, optimality_gap)),
            "improvement": entry(probability_of_improvement(scores, first))
            | entry(improvement_over_days(scores, first), "over_days"),
            "profile": performance_profile(scores, thresholds)._asdict(),
        }
        for name, scores in shares.items()
    }


def entry(estimate: Estimate, interval: str = "over_seeds") -> dict[str, Any]:
    """As reports hold it."""
    return {"value": estimate.value, interval: [estimate.low, estimate.high]}


def _thresholds(scores: Sequence[np.ndarray]) -> np.ndarray:
    """From where nearly all scores lie above to where nearly none does: outliers would squeeze the rest."""
    low, high = np.quantile(np.concatenate([each.ravel() for each in scores]), [0.01, 0.99])
    return np.linspace(min(low, 0.0), max(high, 1.0), _THRESHOLDS)
