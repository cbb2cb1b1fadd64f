"""How likely a run of one learner beats a run of another on the same day.

Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice, NeurIPS 2021, section
4.3.
"""

from __future__ import annotations

import numpy as np

from gridjax.evaluation.statistics import Estimate, between, draw_days, draw_runs, paired, resample


def probability_of_improvement(
    first: np.ndarray, second: np.ndarray, resamples: int = 2000, seed: int = 0
) -> Estimate:
    """Chance that a run of `first` scores above one of `second`, averaged over the days; ties count a half.

    Both are `[n_run, n_day]` on the same days, with as many runs as each has: the Mann-Whitney statistic of
    each day, over the number of pairs. The 95 % interval is the stratified bootstrap's, in which the runs of
    both are drawn apart, anew within each day: a run that is better on all days has no part in it.
    """
    first, second = paired(first, second)
    generator = np.random.default_rng(seed)
    drawn = [draw_runs(scores, resamples, generator) for scores in (first, second)]
    return _estimate(first, second, *drawn)


def improvement_over_days(
    first: np.ndarray, second: np.ndarray, resamples: int = 2000, seed: int = 0
) -> Estimate:
    """The same chance, with a 95 % interval for other days and other runs: days are drawn, and whole runs."""
    first, second = paired(first, second)
    days, generator = draw_days(first.shape[1], resamples, seed)
    return _estimate(first, second, *(resample(scores, days, generator) for scores in (first, second)))


def _estimate(first: np.ndarray, second: np.ndarray, *drawn: np.ndarray) -> Estimate:
    samples = np.array([_chance(x, y) for x, y in zip(*drawn)])
    return Estimate(_chance(first, second), *between(samples))


def _chance(first: np.ndarray, second: np.ndarray) -> float:
    x, y = first[:, None], second[None]
    return float(np.mean(x > y) + 0.5 * np.mean(x == y))
