"""The two odd days of 2023 in Berlin: 26 March has no 02:00 to 03:00, 29 October has two."""

import datetime

import numpy as np
import pandas as pd
import pytest

from gridjax.scenarios.clock_time import standard_offset, utc_seconds, zone_of
from gridjax.scenarios.reading import read_table

MARCH, OCTOBER = "2023-03-26", "2023-10-29"


def on_the_wall(day, days=1, zone="Europe/Berlin"):
    """Local times of whole local days as text without offset, as a meter's export has them."""
    end = pd.Timestamp(day, tz=zone) + pd.DateOffset(days=days)
    return pd.date_range(pd.Timestamp(day, tz=zone), end, freq="15min", inclusive="left")


def text(times):
    return pd.Series(times.strftime("%Y-%m-%d %H:%M:%S"))


@pytest.mark.parametrize(("day", "hours"), [(MARCH, 23), (OCTOBER, 25), ("2023-05-05", 24)])
def test_a_clock_on_the_wall(day, hours):
    times = on_the_wall(day)
    seconds, notes = utc_seconds(text(times), "Europe/Berlin")
    assert len(seconds) == 4 * hours
    np.testing.assert_array_equal(np.diff(seconds), 900)  # neither a gap nor a time twice
    np.testing.assert_array_equal(
        seconds, times.tz_convert("UTC").tz_localize(None).to_numpy("M8[s]").astype(int)
    )
    assert notes == []


def test_rows_are_in_standard_time_all_year():
    times = on_the_wall(OCTOBER, 3)
    frame = pd.DataFrame({"time": text(times), "house_kW": np.asarray(times.hour, float)})
    pack = read_table(frame, loads=["house_kW"], timezone="Europe/Berlin")
    assert (pack.start, pack.utc_offset) == (datetime.datetime(2023, 10, 29), 1.0)
    # of its 25 hours on the wall the first is of the day before in standard time
    np.testing.assert_array_equal(pack.load[:96:4, 0], [1, 2, *range(2, 24)])
    assert pack.n_days == 3
    assert "steps of days that are not whole" in pack.notes[0]


def test_times_that_spring_skips():
    naive = text(pd.date_range(MARCH, periods=96, freq="15min"))
    with pytest.raises(
        ValueError, match=r"4 times do not exist in Europe/Berlin, the first 2023-03-26 02:00.*\+01:00"
    ):
        utc_seconds(naive, "Europe/Berlin")
    seconds, _ = utc_seconds(naive, "+01:00")
    np.testing.assert_array_equal(np.diff(seconds), 900)


def test_an_hour_that_is_written_once_is_standard_time_and_leaves_a_gap():
    naive = text(pd.date_range(OCTOBER, periods=96, freq="15min"))
    seconds, notes = utc_seconds(naive, "Europe/Berlin")
    assert np.sort(np.diff(seconds))[-1] == 4500
    assert notes == ["4 times that autumn repeats occur once: taken as standard time"]
    frame = pd.DataFrame(
        {"time": text(pd.date_range("2023-10-28", periods=3 * 96, freq="15min")), "house_kW": 1.0}
    )
    pack = read_table(frame, loads=["house_kW"], timezone="Europe/Berlin")
    assert any("4 steps bridged" in note for note in pack.notes)
    assert not pack.filled.any()


def test_times_with_offsets_need_no_zone():
    times = on_the_wall(OCTOBER)
    seconds, _ = utc_seconds(pd.Series(times.map(lambda t: t.isoformat())), None)
    np.testing.assert_array_equal(np.diff(seconds), 900)
    zulu, _ = utc_seconds(pd.Series(["2023-01-01T00:00Z", "2023-01-01T01:00Z"]), None)
    np.testing.assert_array_equal(np.diff(zulu), 3600)
    aware, _ = utc_seconds(pd.Series(times), None)
    np.testing.assert_array_equal(aware, seconds)


@pytest.mark.parametrize(
    ("stamps", "options", "message"),
    [
        (["2023-01-01 00:00"], (None,), "carry no offset: give timezone="),
        (["2023-01-01 00:00", "2023-01-01T00:15+01:00"], ("UTC",), "row 1 .* unlike"),
        (["2023-01-01 00:00", "noon"], ("UTC",), "1 times cannot be read, the first in row 1, 'noon'"),
        (["01.02.2023 00:00"], ("UTC",), "or give time_format"),
        (["01.13.2023 00:00"], ("UTC", "%d.%m.%Y %H:%M"), "expected the format"),
    ],
)
def test_times_that_cannot_be_read(stamps, options, message):
    with pytest.raises(ValueError, match=message):
        utc_seconds(pd.Series(stamps), *options)


def test_a_format_of_ones_own():
    seconds, _ = utc_seconds(pd.Series(["03.04.2023 00:15"]), "UTC", "%d.%m.%Y %H:%M")
    assert seconds[0] == pd.Timestamp("2023-04-03 00:15").timestamp()


def test_missing_times():
    with pytest.raises(ValueError, match="row 1 has no time"):
        utc_seconds(pd.Series(pd.to_datetime(["2023-01-01", None])), "UTC")


def test_zones():
    assert zone_of("+01:00").utcoffset(None) == datetime.timedelta(hours=1)
    assert zone_of("UTC-5").utcoffset(None) == datetime.timedelta(hours=-5)
    for bad in ("+25:00", "Nowhere", ""):
        with pytest.raises(ValueError, match="timezone is"):
            zone_of(bad)
    assert standard_offset(zone_of("Europe/Berlin"), 2023) == 1.0
    assert standard_offset(zone_of("Australia/Sydney"), 2023) == 10.0
