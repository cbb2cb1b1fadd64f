"""How many scores lie above a threshold, for every threshold.

Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice, NeurIPS 2021, section
4.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gridjax.evaluation.statistics import between, checked, draw_runs


class Profile(NamedTuple):
    """Shares of the scores above each threshold, and their intervals; all `[n_threshold]`."""

    thresholds: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


def performance_profile(
    scores: np.ndarray, thresholds: Sequence[float] | np.ndarray, resamples: int = 2000, seed: int = 0
) -> Profile:
    """The score distribution of `[n_run, n_day]` scores: the share of all runs and days above each threshold.

    Intervals hold 95 % at each threshold, by the stratified bootstrap of `interval_over_runs`.
    """
    scores = checked(scores)
    thresholds = np.asarray(thresholds, float)
    samples = draw_runs(scores, resamples, np.random.default_rng(seed)).reshape(resamples, -1)
    bounds = np.array([between((samples > threshold).mean(axis=1)) for threshold in thresholds])
    share = (scores.ravel() > thresholds[:, None]).mean(axis=1)
    return Profile(thresholds, share, bounds[:, 0], bounds[:, 1])
