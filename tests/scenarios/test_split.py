import datetime
import hashlib

import numpy as np
import pytest

from gridjax.scenarios import HOUSEHOLDS, load_simbench
from gridjax.scenarios.split import SPLITS, days, held_out_days, week_of


def _date(day):
    return datetime.date(2016, 1, 1) + datetime.timedelta(days=int(day))


def test_splits_are_disjoint_and_cover_the_year():
    together = np.concatenate([days(split) for split in SPLITS])
    assert np.array_equal(np.sort(together), np.arange(366))
    assert {split: len(days(split)) for split in SPLITS} == {"train": 156, "validation": 42, "test": 168}


def test_no_calendar_week_is_broken():
    weeks = {split: {_date(d).isocalendar()[:2] for d in days(split)} for split in SPLITS}
    assert not weeks["train"] & weeks["validation"]
    assert not weeks["train"] & weeks["test"]
    assert not weeks["validation"] & weeks["test"]


@pytest.mark.parametrize("split", SPLITS)
def test_spans_stay_within_their_split(split):
    every = days(split)
    for span in (1, 2, 3, 7):
        expected = [day for day in every if np.isin(np.arange(day, day + span), every).all()]
        assert days(split, span).tolist() == expected
    assert {s: days(s, 3).size for s in SPLITS} == {"train": 116, "validation": 30, "test": 120}
    np.testing.assert_array_equal(days(split, 30), every)


def test_week_numbers_are_those_of_the_calendar():
    for day in range(3, 366):
        assert week_of(day) == _date(day).isocalendar().week
    assert list(week_of(np.arange(4))) == [0, 0, 0, 1]


def test_two_test_weeks_inside_each_month_and_no_two_adjacent():
    test = days("test").reshape(-1, 7)
    assert [_date(week[0]).weekday() for week in test] == [0] * 24
    assert [{_date(d).month for d in week} for week in test] == [{m} for m in range(1, 13) for _ in range(2)]
    assert np.diff(test[:, 0]).min() >= 14


def test_held_out_days_are_ten_dates_of_each_month_all_in_test():
    held_out = held_out_days()
    assert held_out.shape == (120,)
    assert len(set(held_out.tolist())) == 120
    assert np.isin(held_out, days("test")).all()
    months = np.array([_date(d).month for d in held_out])
    assert np.array_equal(np.bincount(months)[1:], np.full(12, 10))


def test_held_out_weekdays_are_even():
    weekdays = np.array([_date(d).weekday() for d in held_out_days()])
    months = np.array([_date(d).month for d in held_out_days()])
    assert set(np.bincount(weekdays)) <= {17, 18}
    assert all(set(weekdays[months == m]) == set(range(7)) for m in range(1, 13))


def test_held_out_days_never_change():
    # published results refer to these dates
    held_out = held_out_days().tolist()
    assert held_out[:10] == [5, 6, 7, 8, 9, 24, 25, 28, 29, 30]
    fingerprint = hashlib.sha256(",".join(map(str, held_out)).encode()).hexdigest()
    assert fingerprint == "8e52923ce173d961e913e54c348370092493e3ae2c151616d665d058d3a7d995"


@pytest.mark.parametrize(("split", "tolerance"), [("train", 0.01), ("validation", 0.02), ("test", 0.01)])
def test_each_split_has_the_demand_and_sun_of_the_year(split, tolerance):
    profiles = load_simbench()
    for series in (profiles.select(HOUSEHOLDS).load_p, profiles.load_p, profiles.pv):
        daily = series.astype(np.float64).mean(1).reshape(366, 96).mean(1)
        assert daily[days(split)].mean() == pytest.approx(daily.mean(), rel=tolerance)


@pytest.mark.parametrize(("split", "tolerance"), [("train", 0.06), ("test", 0.06)])
def test_each_season_is_balanced(split, tolerance):
    profiles = load_simbench()
    season = np.array([_date(d).month % 12 // 3 for d in range(366)])
    for series in (profiles.load_p, profiles.pv):
        daily = series.astype(np.float64).mean(1).reshape(366, 96).mean(1)
        for s in range(4):
            inside = [d for d in days(split) if season[d] == s]
            assert daily[inside].mean() == pytest.approx(daily[season == s].mean(), rel=tolerance)


def test_the_held_out_days_have_the_demand_and_sun_of_the_year():
    profiles = load_simbench()
    for series, tolerance in ((profiles.load_p, 0.02), (profiles.pv, 0.05)):
        daily = series.astype(np.float64).mean(1).reshape(366, 96).mean(1)
        assert daily[held_out_days()].mean() == pytest.approx(daily.mean(), rel=tolerance)


def test_unknown_split_names_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown split 'dev'; known: train, validation, test"):
        days("dev")
