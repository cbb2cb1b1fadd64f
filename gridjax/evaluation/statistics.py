"""Interquartile means, bootstrap intervals and paired differences of scores `[n_run, n_day]`.

A run is one training seed, a day one held-out task. Agarwal et al., Deep Reinforcement Learning at the Edge
of the Statistical Precipice, NeurIPS 2021, section 4.3: the interquartile mean over all runs and tasks, and
intervals by a bootstrap stratified by task, that is, runs are drawn anew within each task. That interval says
how far another set of seeds might score on the same days; a controller without seeds has one run, so its
width is zero. How far other days might score is another question, answered by
drawing days: `interval_over_days`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# of scores [..., n_score] over the last axis
Statistic = Callable[[np.ndarray], np.ndarray]

_RESAMPLES = 2000
_LEVEL = 0.95


class Estimate(NamedTuple):
    """A statistic and its interval."""

    value: float
    low: float
    high: float


def iqm(scores: np.ndarray) -> np.ndarray:
    """Mean over the last axis without the lowest and the highest quarter (rounded down)."""
    scores = np.sort(np.asarray(scores, float), axis=-1)
    cut = scores.shape[-1] // 4
    return scores[..., cut : scores.shape[-1] - cut].mean(axis=-1)


def mean(scores: np.ndarray) -> np.ndarray:
    """Mean over the last axis."""
    return np.mean(np.asarray(scores, float), axis=-1)


def optimality_gap(scores: np.ndarray, threshold: float = 1.0) -> np.ndarray:
    """By how much scores over the last axis fall short of `threshold` in the mean; above it they count 0."""
    return threshold - np.minimum(np.asarray(scores, float), threshold).mean(axis=-1)


def interval_over_runs(
    scores: np.ndarray, statistic: Statistic = iqm, resamples: int = _RESAMPLES, seed: int = 0
) -> Estimate:
    """`statistic` of `[n_run, n_day]` scores, with the stratified bootstrap's 95 % interval (percentiles)."""
    scores = checked(scores)
    samples = draw_runs(scores, resamples, np.random.default_rng(seed))
    return _estimate(scores, statistic(samples.reshape(resamples, -1)), statistic)


def interval_over_days(
    scores: np.ndarray, statistic: Statistic = iqm, resamples: int = _RESAMPLES, seed: int = 0
) -> Estimate:
    """`statistic` of `[n_run, n_day]` scores, with a 95 % interval for other days and other runs.

    Days are drawn, and whole runs where there is more than one.
    """
    scores = checked(scores)
    samples = resample(scores, *draw_days(scores.shape[1], resamples, seed))
    return _estimate(scores, statistic(samples.reshape(resamples, -1)), statistic)


def paired_difference(
    first: np.ndarray,
    second: np.ndarray,
    statistic: Statistic = mean,
    resamples: int = _RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """`statistic` of the differences first - second day by day, each the mean over its runs; 95 % interval.

    Both are `[n_run, n_day]` on the same days, with as many runs as each has. Days are drawn together,
    whole runs apart.
    """
    first, second = paired(first, second)
    days, generator = draw_days(first.shape[1], resamples, seed)
    drawn = [resample(scores, days, generator).mean(axis=1) for scores in (first, second)]
    return _estimate(first.mean(axis=0) - second.mean(axis=0), statistic(drawn[0] - drawn[1]), statistic)


def relative_excess(
    first: np.ndarray, second: np.ndarray, resamples: int = _RESAMPLES, seed: int = 0
) -> Estimate:
    """By how much the mean of `first` lies above that of `second`, as a share of it; 95 % interval.

    Shapes and draws as in `paired_difference`.
    """
    first, second = paired(first, second)
    days, generator = draw_days(first.shape[1], resamples, seed)
    means = [resample(scores, days, generator).mean(axis=(1, 2)) for scores in (first, second)]
    return Estimate(first.mean() / second.mean() - 1.0, *between(means[0] / means[1] - 1.0))


def draw_runs(scores: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Scores `[resamples, n_run, n_day]` of runs drawn anew within each day from `[n_run, n_day]`."""
    runs, days = scores.shape
    drawn = generator.integers(runs, size=(resamples, runs, days))
    return scores[drawn, np.arange(days)]


def draw_days(number: int, resamples: int, seed: int) -> tuple[np.ndarray, np.random.Generator]:
    """Rows of drawn days `[resamples, number]`, and the generator to draw runs with."""
    generator = np.random.default_rng(seed)
    return generator.integers(number, size=(resamples, number)), generator


def resample(scores: np.ndarray, days: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Scores `[resamples, n_run, n_day]` of drawn `days` and of whole runs drawn from `[n_run, n_day]`."""
    resamples, runs = days.shape[0], scores.shape[0]
    chosen = generator.integers(runs, size=(resamples, runs))
    return scores[chosen[:, :, None], days[:, None, :]]


def between(samples: np.ndarray) -> tuple[float, float]:
    """The percentiles that enclose 95 % of `samples`."""
    low, high = np.quantile(samples, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def _estimate(scores: np.ndarray, samples: np.ndarray, statistic: Statistic) -> Estimate:
    return Estimate(float(statistic(scores.ravel())), *between(samples))


def paired(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as `checked`. Raises `ValueError` unless they are of as many days."""
    first, second = checked(first), checked(second)
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"scores of {first.shape[1]} and {second.shape[1]} days cannot be paired")
    return first, second


def checked(scores: np.ndarray) -> np.ndarray:
    """As an array. Raises `ValueError` unless they are finite `[n_run, n_day]`."""
    scores = np.asarray(scores, float)
    if scores.ndim != 2 or not scores.size:
        raise ValueError(f"scores have shape {scores.shape}, expected [n_run, n_day], neither of them 0")
    if not np.isfinite(scores).all():
        raise ValueError(f"scores hold {np.count_nonzero(~np.isfinite(scores))} values that are not finite")
    return scores
