"""Controllers side by side: summaries, the share of the way to the optimum, and who beats whom.

A result is `{controller: {measure: scores [n_run, n_day]}}`, every measure a mean over the steps of a day
(`diverged` a number of steps), with `reward` among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gridjax.evaluation.statistics import (
    Statistic,
    between,
    draw_days,
    interval_over_days,
    interval_over_runs,
    mean,
    paired_difference,
    resample,
)

Results = Mapping[str, Mapping[str, np.ndarray]]

METHOD = (
    "Scores are means over the steps of a day. iqm: interquartile mean over all seeds and days; its "
    "interval over_seeds is rliable's, a bootstrap that draws seeds anew within each day, of width zero for "
    "a controller without seeds; over_days draws days, and whole seeds. mean: over all seeds and days, with "
    "an interval over days. Differences are paired day by day, with an interval over days and seeds. All "
    "intervals hold 95 %, between percentiles of 2000 draws. A learner's policies act deterministically; as "
    "_stochastic their actions are sampled, for as many steps each as in training."
)


def summarise(measures: Mapping[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """Interquartile mean and mean of every measure of one controller, with intervals."""
    summary = {}
    for name, scores in measures.items():
        runs, days, plain = (
            interval_over_runs(scores),
            interval_over_days(scores),
            interval_over_days(scores, mean),
        )
        summary[name] = {
            "iqm": runs.value,
            "over_seeds": [runs.low, runs.high],
            "over_days": [days.low, days.high],
            "mean": plain.value,
            "mean_over_days": [plain.low, plain.high],
        }
    return summary


def share_of_way(
    rewards: Mapping[str, np.ndarray], start: str, end: str, resamples: int = 2000
) -> dict[str, dict[str, Any]]:
    """How far each controller's mean reward lies from `start` (0) to `end` (1), with an interval over days.

    In every draw all controllers live through the same days. Empty where `end` does not beat `start`.
    """
    days, generator = draw_days(rewards[start].shape[1], resamples, seed=0)
    drawn = {name: resample(x, days, generator).mean(axis=(1, 2)) for name, x in rewards.items()}
    whole = rewards[end].mean() - rewards[start].mean()
    if whole <= 0 or np.any(drawn[end] <= drawn[start]):
        return {}
    shares = {}
    for name, scores in rewards.items():
        samples = (drawn[name] - drawn[start]) / (drawn[end] - drawn[start])
        shares[name] = {
            "value": (scores.mean() - rewards[start].mean()) / whole,
            "over_days": between(samples),
        }
    return shares


def order_check(
    rewards: Mapping[str, np.ndarray],
    order: Sequence[str],
    last_may_tie: bool = True,
    statistic: Statistic = mean,
) -> list[dict]:
    """Whether each controller of `order` scores above the one before it on the same days.

    Differences are taken day by day, and `statistic` of them. A step of the order holds where the whole
    interval lies above zero; the last one, to the optimum, also where it begins at zero.
    """
    checks = []
    for k, (lower, higher) in enumerate(pairwise(order)):
        difference = paired_difference(rewards[higher], rewards[lower], statistic)
        tie = last_may_tie and k == len(order) - 2
        checks.append(
            {
                "claim": f"{lower} {'<=' if tie else '<'} {higher}",
                "difference": difference.value,
                "over_days": [difference.low, difference.high],
                "holds": bool(difference.low >= 0 if tie else difference.low > 0),
            }
        )
    return checks


def bound_check(measures: Mapping[str, np.ndarray], bounds: Mapping[str, float]) -> list[dict[str, Any]]:
    """Whether the mean of each named cost is below its bound, with its whole interval over days and seeds.

    `measures` holds `cost_NAME`, `[n_run, n_day]`, for every name in `bounds`.
    """
    checks = []
    for name, bound in bounds.items():
        found = interval_over_days(measures[f"cost_{name}"], mean)
        checks.append(
            {
                "cost": name,
                "bound": bound,
                "mean": found.value,
                "over_days": [found.low, found.high],
                "holds": bool(found.high <= bound),
            }
        )
    return checks
