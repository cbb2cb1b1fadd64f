"""Any year laid onto 2016, the calendar of the tasks: their days, splits, weekdays and seasons are its."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import numpy as np

from gridjax.scenarios.profiles import Profiles
from gridjax.scenarios.split import N_DAYS, SPLITS, days

if TYPE_CHECKING:
    from gridjax.scenarios.scenario_pack import ScenarioPack

STEP_HOURS = 0.25
_YEAR = 364
"""Days after which weekday and season come again."""
_POWER_FACTOR_RATIO = 0.395
_BEGIN = datetime.date(2016, 1, 1)


def day_of_2016(start: datetime.datetime, n_days: int) -> np.ndarray:
    """Day 0..363 of 2016 that each of `n_days` days from `start` on stands for, `[n_days]` int64.

    Same weekday, and the same place in the year within three days at the middle of the data. One shift holds
    for all, so that days in a row stay so, and any 364 of them stand for 364 different ones. A year is of 52
    weeks: the place in it drifts by nine days in seven years. Days 364 and 365 are those of days 0 and 1.
    """
    middle = n_days // 2
    date = start.date() + datetime.timedelta(days=middle)
    of_year = date.timetuple().tm_yday - 1
    shift = ((date - _BEGIN).days - of_year + 3) % 7 - 3
    return (of_year + shift + np.arange(n_days) - middle) % _YEAR


def splits_of(start: datetime.datetime, n_days: int) -> np.ndarray:
    """Split of each day, `[n_days]` str: that of the day of 2016 it stands for, see `day_of_2016`.

    A forecaster thus never trains on the days that a task is tested on. Whole calendar weeks, whatever the
    year: `gridjax.scenarios.split`.
    """
    table = np.empty(N_DAYS, object)
    for split in SPLITS:
        table[days(split)] = split
    return table[day_of_2016(start, n_days)].astype(str)


def check_year(profiles: Profiles) -> Profiles:
    """`profiles` if a task can run on them: quarter hours of the 366 days of 2016.

    Raises `ValueError` that says what they are, or which column has what is not finite or negative.
    """
    rows = N_DAYS * round(24 / STEP_HOURS)
    if profiles.step_hours != STEP_HOURS or profiles.load_p.shape[0] != rows:
        raise ValueError(
            f"profiles have {profiles.load_p.shape[0]} rows of {profiles.step_hours:g} h, expected {rows} of "
            f"{STEP_HOURS} h, the days of 2016: gridjax.scenarios.task_profiles lays any year onto them"
        )
    for name in ("load_p", "load_q", "pv"):
        value = getattr(profiles, name)
        if value.ndim != 2 or value.shape[0] != rows or value.shape[1] == 0:
            raise ValueError(f"profiles.{name} has shape {value.shape}, expected {rows} rows and a column")
        if not np.isfinite(value).all() or (name != "load_q" and value.min() < 0):
            raise ValueError(f"profiles.{name} must be finite{'' if name == 'load_q' else ', not negative'}")
    _peaks(profiles.load_p, profiles.load_names)
    _peaks(profiles.pv, profiles.pv_names)
    return profiles


def task_profiles(pack: ScenarioPack, sun: Profiles | None = None) -> Profiles:
    """What every task takes as `profiles`: a year of `pack`, relative to each column's own peak.

    Day d of 2016 takes the day that stands for it, see `day_of_2016`: of longer data the first 366 days from
    day 0 on; of a year that begins elsewhere, or has 365 days, the days that are lacking at one end come from
    the other. Reactive demand is over 0.395 of the active peak; without any it follows the active, at the
    power factor of the network's loads. Generation is over its largest value. `sun`: whose generation is
    taken where the pack has none, such as `load_simbench()`.

    Raises `ValueError` for less than 364 days, other steps than quarter hours, no load, no generation, or a
    column that is never above zero.
    """
    if not pack.load_names:
        raise ValueError("the pack has no load, tasks need one")
    if not pack.generation_names and sun is None:
        raise ValueError(
            "the pack has no generation: give one, or sun=load_simbench() to take that of SimBench"
        )
    rows = _rows_of_year(pack)
    load, made = pack.load[rows], pack.generation[rows]
    peak = _peaks(load, pack.load_names)
    active = load / peak
    has_reactive = pack.reactive.shape[1] > 0
    if pack.generation_names:
        pv, pv_names = made / _peaks(made, pack.generation_names), pack.generation_names
    else:
        assert sun is not None
        pv, pv_names = check_year(sun).pv, sun.pv_names
    parts = {
        "load_p": active,
        "load_q": pack.reactive[rows] / (_POWER_FACTOR_RATIO * peak) if has_reactive else active.copy(),
        "pv": pv.copy(),
    }
    for value in parts.values():
        value.flags.writeable = False
    return check_year(Profiles(**parts, load_names=pack.load_names, pv_names=pv_names))


def task_prices(pack: ScenarioPack, column: str | None = None) -> np.ndarray:
    """Prices of `pack` for `gridjax.scenarios.prices.tariff(market=...)`: EUR/kWh `[366, 96]`.

    Days are laid onto 2016 as `task_profiles` does. `column`: which, where the pack has several.

    Raises `ValueError` for a pack that no task can run on, an unknown column, none, or several to choose
    from.
    """
    names = pack.price_names if column is None else (column,)
    if len(names) != 1 or names[0] not in pack.price_names:
        known = ", ".join(pack.price_names) or "none"
        raise ValueError(f"column is {column!r}, expected one of the pack's prices: {known}")
    prices = pack.price[_rows_of_year(pack), pack.price_names.index(names[0])]
    return prices.reshape(N_DAYS, pack.steps_per_day)


def _rows_of_year(pack: ScenarioPack) -> np.ndarray:
    """Rows of `pack` that stand for the quarter hours of 2016, `[366 * 96]`."""
    if pack.step_hours != STEP_HOURS:
        raise ValueError(
            f"the pack has steps of {pack.step_hours:g} h, tasks have {STEP_HOURS} h: read it with them"
        )
    if pack.n_days < _YEAR:
        raise ValueError(f"the pack has {pack.n_days} whole days, tasks need a year, {_YEAR} at least")
    stands_for = day_of_2016(pack.start, pack.n_days)
    source = int(np.flatnonzero(stands_for == 0)[0]) + np.arange(N_DAYS)
    source = np.where(source >= pack.n_days, source - _YEAR, source)
    return (source[:, None] * pack.steps_per_day + np.arange(pack.steps_per_day)).ravel()


def _peaks(values: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    peaks = values.max(axis=0)
    still = [name for name, peak in zip(names, peaks) if peak <= 0]
    if still:
        raise ValueError(f"columns {', '.join(still)} are never above zero, tasks need what has a peak")
    return peaks
