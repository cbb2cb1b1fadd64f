import dataclasses
import datetime

import numpy as np
import pytest

from gridjax.scenarios import load_simbench
from gridjax.scenarios.scenario_pack import ScenarioPack
from gridjax.scenarios.split import SPLITS, days
from gridjax.scenarios.task_year import check_year, day_of_2016, splits_of, task_prices, task_profiles


def pack_of(start, n_days, **changes):
    """A load that says at midnight which day of the data it is of, over a peak of 5000 at 01:15."""
    number = np.arange(n_days, dtype=float).repeat(96)
    number[5::96] = 5000.0
    shape = np.tile(1 + np.arange(96), n_days)
    parts = {
        "load": np.stack([number, shape], axis=1),
        "reactive": np.empty((n_days * 96, 0)),
        "generation": (number * (shape > 30))[:, None],
        "price": np.empty((n_days * 96, 0)),
        "filled": np.zeros(n_days * 96, bool),
        "load_names": ("day", "shape"),
        "generation_names": ("roof",),
        "price_names": (),
    }
    return ScenarioPack(**(parts | changes), start=datetime.datetime.fromisoformat(start), step_hours=0.25)


def taken(profiles):
    return np.rint(profiles.load_p[::96, 0] * 5000).astype(int)


def test_2016_stands_for_itself():
    pack = pack_of("2016-01-01", 366)
    np.testing.assert_array_equal(day_of_2016(pack.start, 366), np.arange(366) % 364)
    profiles = task_profiles(pack)
    np.testing.assert_array_equal(taken(profiles), np.arange(366))
    np.testing.assert_allclose(profiles.load_p, pack.load / [5000, 96], rtol=1e-6)
    for split in SPLITS:
        np.testing.assert_array_equal(np.flatnonzero(pack.splits == split), days(split))


@pytest.mark.parametrize("start", ["2019-01-01", "2021-01-01", "2023-07-05", "2024-02-29", "2025-01-01"])
@pytest.mark.parametrize("n_days", [364, 365, 366, 800])
def test_any_year_keeps_weekdays_seasons_and_splits(start, n_days):
    pack = pack_of(start, n_days)
    profiles = task_profiles(pack)
    source = taken(profiles)
    first = np.datetime64(start)
    of_source, of_task = first + source, np.datetime64("2016-01-01") + np.arange(366)
    monday = np.datetime64("2024-01-01")
    np.testing.assert_array_equal((of_source - monday).astype(int) % 7, (of_task - monday).astype(int) % 7)
    place = (of_source - of_source.astype("M8[Y]").astype("M8[D]")).astype(int) - np.arange(366)
    apart = np.abs((place + 183) % 366 - 183)
    assert apart.max() <= 6
    # what a task tests on is what windows test on
    table = np.empty(366, object)
    for split in SPLITS:
        table[days(split)] = split
    np.testing.assert_array_equal(pack.splits[source], table.astype(str))


def test_no_day_of_one_split_is_taken_for_another():
    for year in range(2010, 2030):
        start = datetime.datetime(year, 1, 1)
        stands_for = day_of_2016(start, 365)
        assert len(set(stands_for[:364])) == 364
    assert set(splits_of(datetime.datetime(2023, 1, 1), 1000)) == set(SPLITS)


def test_relative_to_their_peaks():
    pack = pack_of("2019-01-01", 365)
    profiles = task_profiles(pack)
    np.testing.assert_allclose(profiles.load_p.max(axis=0), 1.0)
    np.testing.assert_allclose(profiles.pv.max(axis=0), 1.0)
    np.testing.assert_array_equal(profiles.load_q, profiles.load_p)
    assert (profiles.load_names, profiles.pv_names) == (("day", "shape"), ("roof",))
    with_reactive = dataclasses.replace(pack, reactive=0.395 * 0.5 * pack.load)
    np.testing.assert_allclose(task_profiles(with_reactive).load_q, 0.5 * profiles.load_p, rtol=1e-5)
    assert not profiles.pv.flags.writeable


@pytest.mark.parametrize(
    ("pack", "message"),
    [
        (pack_of("2019-01-01", 363), "the pack has 363 whole days, tasks need a year, 364"),
        (pack_of("2019-01-01", 364, load=np.zeros((364 * 96, 2))), "columns day, shape are never above zero"),
        (
            pack_of("2019-01-01", 364, generation=np.empty((364 * 96, 0)), generation_names=()),
            "the pack has no generation",
        ),
        (pack_of("2019-01-01", 364, load=np.empty((364 * 96, 0)), load_names=()), "has no load"),
    ],
)
def test_what_no_task_can_run_on(pack, message):
    with pytest.raises(ValueError, match=message):
        task_profiles(pack)


def test_prices_are_those_of_the_days_that_the_profiles_are_of():
    pack = pack_of("2019-01-01", 365)
    numbers = np.arange(365.0).repeat(96)
    both = np.stack([numbers, np.tile(np.arange(96.0), 365)], axis=1)
    pack = dataclasses.replace(pack, price=both, price_names=("day", "step"))
    found = task_prices(pack, "day")
    assert found.shape == (366, 96)
    np.testing.assert_array_equal(found[:, 0], taken(task_profiles(pack)))
    np.testing.assert_array_equal(task_prices(pack, "step"), np.tile(np.arange(96.0), (366, 1)))
    for unclear in (None, "night"):
        with pytest.raises(ValueError, match="expected one of the pack's prices: day, step"):
            task_prices(pack, unclear)
    with pytest.raises(ValueError, match="expected one of the pack's prices: none"):
        task_prices(pack_of("2019-01-01", 365))


def test_the_sun_may_be_borrowed():
    pack = pack_of("2019-01-01", 364, generation=np.empty((364 * 96, 0)), generation_names=())
    profiles = task_profiles(pack, sun=load_simbench())
    np.testing.assert_array_equal(profiles.pv, load_simbench().pv)


def test_check_year():
    year = load_simbench()
    assert check_year(year) is year
    short = dataclasses.replace(year, load_p=year.load_p[:960], load_q=year.load_q[:960], pv=year.pv[:960])
    with pytest.raises(ValueError, match=r"960 rows of 0\.25 h, expected 35136"):
        check_year(short)
    with pytest.raises(ValueError, match="of 1 h"):
        check_year(dataclasses.replace(year, step_hours=1.0))
    with pytest.raises(ValueError, match=r"profiles.pv has shape \(35136, 0\)"):
        check_year(dataclasses.replace(year, pv=year.pv[:, :0]))
    for name, value in (("pv", -1.0), ("load_q", np.nan)):
        spoilt = getattr(year, name).copy()
        spoilt[5] = value
        with pytest.raises(ValueError, match=f"profiles.{name} must be finite"):
            check_year(dataclasses.replace(year, **{name: spoilt}))
