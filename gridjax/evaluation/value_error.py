"""How far a critic's values are from the discounted returns that followed.

An error of the value has a bias, which a calibration curve shows (the mean return after steps whose value
was about so high), and a scatter, which is the environment's as much as the critic's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# A return of which more than this is the critic's own value at the end of the case tells little of its error.
MOST_BOOTSTRAPPED = 0.05
_BINS = 40


def realised_returns(
    paid: np.ndarray,
    next_value: np.ndarray,
    terminated: np.ndarray,
    truncated: np.ndarray,
    gamma: float,
    finite_horizon: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Discounted returns `[n_case, n_step, ...]`, and the weight of `next_value` in each `[n_case, n_step]`.

    `paid` and `next_value` are `[n_case, n_step, ...]`, ends are bool `[n_case, n_step]`. Where time runs
    out, and in the last step, what would follow is `next_value`; nothing follows termination, or with
    `finite_horizon` any end.
    """
    paid, next_value = np.asarray(paid, float), np.asarray(next_value, float)
    shape = (-1, *(1,) * (paid.ndim - 2))
    ended = np.asarray(terminated | truncated, bool).copy()
    ended[:, -1] = True
    nothing = ended if finite_horizon else np.asarray(terminated, bool)
    returns, weights = np.zeros_like(paid), np.zeros(paid.shape[:2])
    later, weight = np.zeros_like(paid[:, 0]), np.zeros(paid.shape[0])
    for step in reversed(range(paid.shape[1])):
        end, stop = ended[:, step], nothing[:, step]
        later = np.where(end.reshape(shape), next_value[:, step], later)
        later = paid[:, step] + gamma * np.where(stop.reshape(shape), 0.0, later)
        weight = gamma * np.where(stop, 0.0, np.where(end, 1.0, weight))
        returns[:, step], weights[:, step] = later, weight
    return returns, weights


def telling(weights: np.ndarray) -> np.ndarray:
    """Steps to judge by, bool as `weights`: those hardly bootstrapped, or all where these are too few."""
    chosen = weights <= MOST_BOOTSTRAPPED
    return chosen if chosen.mean() >= 0.25 else np.ones_like(chosen)


def calibration(value: np.ndarray, realised: np.ndarray, bins: int = 10) -> dict[str, Any]:
    """Errors of `value` `[n]` against `realised` `[n]`, and what a calibration plot shows.

    `bins` hold equally many samples each, by their value: mean value, mean return and its quartiles.
    `counts` `[_BINS, _BINS]` is their joint histogram between `edges` (value first), extremes left out.
    """
    value, realised = np.ravel(np.asarray(value, float)), np.ravel(np.asarray(realised, float))
    if value.shape != realised.shape or not value.size:
        raise ValueError(f"got {value.size} values and {realised.size} returns, expected as many, and some")
    error, spread = value - realised, realised.var()
    parts = [part for part in np.array_split(np.argsort(value, kind="stable"), bins) if part.size]
    both = np.concatenate([value, realised])
    low, high = np.quantile(both, [0.005, 0.995])
    edges = np.linspace(low, high if high > low else low + 1e-6, _BINS + 1)
    counts = np.histogram2d(value, realised, (edges, edges))[0]
    return {
        "samples": value.size,
        "bias": error.mean(),
        "root_mean_square": np.sqrt(np.mean(error**2)),
        "explained_variance": 1.0 - error.var() / spread if spread > 0 else None,
        "bins": {
            "value": [value[part].mean() for part in parts],
            "realised": [realised[part].mean() for part in parts],
            "quartiles": [np.quantile(realised[part], [0.25, 0.75]).tolist() for part in parts],
            "samples": [part.size for part in parts],
        },
        "edges": edges,
        "counts": counts.astype(int),
    }
