"""What a set of days looks like in numbers: the statistics on which real and synthetic must agree."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridjax.scenarios.profiles import Profiles

SEASONS = {"winter": (11, 0, 1), "spring": (2, 3, 4), "summer": (5, 6, 7), "autumn": (8, 9, 10)}
"""Months 0..11 of each season."""
_MONTH_STARTS = np.array([0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335])


def season_days(season: str) -> np.ndarray:
    """Days 0..365 of 2016 in `season`; `ValueError` naming the four if unknown."""
    if season not in SEASONS:
        raise ValueError(f"unknown season {season!r}; known: {', '.join(SEASONS)}")
    month = np.searchsorted(_MONTH_STARTS, np.arange(366), side="right") - 1
    return np.flatnonzero(np.isin(month, SEASONS[season]))


def by_day(source: Profiles | Any) -> dict[str, np.ndarray]:
    """`load_p`, `load_q`, `pv` of one year as `[366, steps, n]` float64.

    source: `Profiles`, or a `Day` whose leaves are `[366, steps, n]` (see `synthetic.sample_year`).
    Raises `ValueError` naming the series that is not a whole year of 366 days, or is not finite.
    """
    series = {}
    for name in ("load_p", "load_q", "pv"):
        value = np.asarray(getattr(source, name), np.float64)
        if isinstance(source, Profiles):
            value = value.reshape(source.n_days, source.steps_per_day, -1)
        if value.ndim != 3 or value.shape[0] != 366:
            raise ValueError(f"{name} has shape {value.shape}, expected [366, steps, n]")
        if not np.isfinite(value).all():
            raise ValueError(f"{name} holds values that are not finite")
        series[name] = value
    return series


def moments(source: Profiles | Any) -> dict[str, float]:
    """Statistics of one year, see `by_day` for `source`; all relative to nominal or without unit.

    Means over days and columns unless named otherwise: `std` pools time and columns; `daily_max` the mean
    of each day's maximum; `load_factor` a day's mean over its maximum; `autocorrelation_*` per column over
    the year; `site_correlation` the mean over pairs of columns; `*_spread` the coefficient of variation.
    """
    series = by_day(source)
    p, q, pv = series["load_p"], series["load_q"], series["pv"]
    lag = p.shape[1] // 24  # steps in an hour
    weekend = (np.arange(366) + 4) % 7 >= 5
    season = {name: season_days(name) for name in SEASONS}
    result = {
        "load_mean": p.mean(),
        "load_std": p.std(),
        "load_daily_max": p.max(1).mean(),
        "load_factor": (p.mean(1) / p.max(1)).mean(),
        "load_autocorrelation_step": _autocorrelation(p, 1),
        "load_autocorrelation_1h": _autocorrelation(p, lag),
        "load_autocorrelation_3h": _autocorrelation(p, 3 * lag),
        "load_site_correlation": _site_correlation(p),
        "load_site_spread": _spread(p.mean((0, 1))),
        "load_day_spread": np.mean([_spread(p[:, :, i].mean(1)) for i in range(p.shape[2])]),
        "load_winter_over_summer": p[season["winter"]].mean() / p[season["summer"]].mean(),
        "load_weekend_over_weekday": p[weekend].mean() / p[~weekend].mean(),
        "load_night_over_mean": p[:, : p.shape[1] // 4].mean() / p.mean(),
        "load_quantile_99": np.quantile(p, 0.99),
        "reactive_mean": q.mean(),
        "reactive_std": q.std(),
        "reactive_active_correlation": _columns_mean(p, q),
        "pv_std": pv.std(),
        "pv_maximum": pv.max((0, 1)).mean(),
        "pv_daily_max": pv.max(1).mean(),
        "pv_capacity_factor": pv.mean(),
        **{f"pv_capacity_factor_{name}": pv[days].mean() for name, days in season.items()},
        "pv_day_spread": np.mean([_spread(pv[:, :, i].mean(1)) for i in range(pv.shape[2])]),
        "pv_autocorrelation_step": _autocorrelation(pv, 1),
        "pv_autocorrelation_1h": _autocorrelation(pv, lag),
        "pv_ramp_std": (pv[:, 1:] - pv[:, :-1]).std(),
        "pv_site_correlation": _site_correlation(pv),
        "pv_site_correlation_daily": _site_correlation(pv.mean(1, keepdims=True)),
        "pv_site_spread": _spread(pv.mean((0, 1))),
    }
    return {name: float(value) for name, value in result.items()}


def autocorrelation(values: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """`[n_lag]` correlation of `[day, steps, n]` with itself `lags` steps later on the same day."""
    return np.array([_autocorrelation(values, int(lag)) for lag in lags])


def _autocorrelation(values: np.ndarray, lag: int) -> float:
    # within a day only, because synthetic days are independent
    return _columns_mean(values[:, : values.shape[1] - lag], values[:, lag:])


def _site_correlation(values: np.ndarray) -> float:
    n = values.shape[2]
    if n < 2:
        return float("nan")
    matrix = np.corrcoef(values.reshape(-1, n).T)
    return float(matrix[np.triu_indices(n, 1)].mean())


def _columns_mean(a: np.ndarray, b: np.ndarray) -> float:
    pairs = zip(a.reshape(-1, a.shape[2]).T, b.reshape(-1, b.shape[2]).T)
    return float(np.mean([np.corrcoef(x, y)[0, 1] for x, y in pairs]))


def _spread(values: np.ndarray) -> float:
    return float(values.std() / values.mean())
