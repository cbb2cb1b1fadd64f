import numpy as np
import pytest

from gridjax.scenarios.regular import regular

DAY, WEEK = 86_400, 7 * 86_400


def quarter_hours(days=1, column=None):
    seconds = np.arange(days * 96) * 900
    return seconds, (np.arange(days * 96.0) if column is None else column)[:, None]


def made(seconds, values, step=900, longest_gap=1.0, long_gaps="error"):
    names = tuple(f"c{k}" for k in range(values.shape[1]))
    return regular(seconds, values, names, step, longest_gap, long_gaps)


def test_what_is_regular_stays():
    rows, notes = made(*quarter_hours(2))
    np.testing.assert_array_equal(rows.values[:, 0], np.arange(192))
    assert (rows.start, rows.step, notes) == (0, 900, [])
    assert not rows.filled.any()


@pytest.mark.parametrize("lost", [slice(10, 14), slice(10, 11)])
def test_a_short_gap_is_a_straight_line(lost):
    seconds, values = quarter_hours()
    keep = np.ones(96, bool)
    keep[lost] = False
    rows, notes = made(seconds[keep], values[keep])
    np.testing.assert_allclose(rows.values[:, 0], np.arange(96))
    assert notes == [f"column 'c0': {(~keep).sum()} steps bridged by straight lines"]
    blank = values.copy()
    blank[lost] = np.nan
    np.testing.assert_array_equal(made(seconds, blank)[0].values, rows.values)


def test_a_long_gap_raises_with_its_place():
    seconds, values = quarter_hours()
    values[10:15] = np.nan
    with pytest.raises(
        ValueError, match=r"column 'c0' has 1 gaps of more than 1 h: 1970-01-01 02:30:00 \(1.25 h\)"
    ):
        made(seconds, values)


def test_a_long_gap_takes_the_week_before_and_is_marked():
    seconds, values = quarter_hours(24)
    truth = values.copy()
    values[700:1500] = np.nan  # more than a week: what was filled is copied on
    values[100] = np.nan  # a short gap that is copied, too
    rows, notes = made(seconds, values, long_gaps="week_before")
    np.testing.assert_array_equal(np.flatnonzero(rows.filled), np.arange(700, 1500))
    np.testing.assert_allclose(
        rows.values[700:1500, 0], truth[np.arange(700, 1500) - 672 * (1 + (np.arange(800) >= 672)), 0]
    )
    assert any("800 steps of long gaps" in note for note in notes)
    values[:] = truth
    values[300:400] = np.nan
    with pytest.raises(ValueError, match="no week before"):
        made(seconds, values, long_gaps="week_before")


def test_times_that_come_twice():
    seconds, values = quarter_hours()
    again = np.concatenate([seconds, seconds[3:5]]), np.concatenate([values, values[3:5]])
    rows, notes = made(*again)
    np.testing.assert_array_equal(rows.values, values)
    assert notes == ["rows sorted by time", "2 rows that repeat another left out"]
    again[1][-1] = 99.0
    with pytest.raises(
        ValueError, match=r"1 times occur again with other values, the first 1970-01-01 01:00"
    ):
        made(*again)


@pytest.mark.parametrize("step", [300, 3600])
def test_means_and_repetition_keep_the_energy(step):
    seconds, values = quarter_hours()
    rows, notes = made(seconds, values, step)
    assert rows.values.shape == (DAY // step, 1)
    np.testing.assert_allclose(rows.values.sum() * step, values.sum() * 900)
    assert notes == [f"900 s steps {'averaged to' if step > 900 else 'repeated at'} {step} s"]
    expected = values.reshape(24, 4).mean(1) if step > 900 else values[:, 0].repeat(3)
    np.testing.assert_allclose(rows.values[:, 0], expected)


def test_steps_that_do_not_fit():
    with pytest.raises(ValueError, match="900 s apart, expected a divisor or a multiple of 1200 s"):
        made(*quarter_hours(), step=1200)
    with pytest.raises(ValueError, match="7000 s apart, expected a step that divides a day"):
        made(np.arange(100) * 7000, np.ones((100, 1)))
    with pytest.raises(ValueError, match="rows of one time"):
        made(np.zeros(3, int), np.ones((3, 1)))


def test_a_time_of_another_century():
    seconds, values = quarter_hours()
    seconds[-1] = 4_000_000_000
    with pytest.raises(
        ValueError, match=r"96 rows of 900 s lie between 1970-01-01 00:00:00 and 2096-10-02.*wrong"
    ):
        made(seconds, values)


def test_an_hourly_column_beside_one_of_quarter_hours_keeps_its_last_day():
    seconds, values = quarter_hours(2)
    both = np.concatenate([values, np.where(np.arange(192)[:, None] % 4, np.nan, values)], axis=1)
    rows, notes = made(seconds, both)
    np.testing.assert_allclose(rows.values[:, 1], np.minimum(np.arange(192), 188))
    assert notes == ["column 'c1': 144 steps bridged by straight lines"]


def test_rows_beside_the_steps_are_averaged_into_them():
    seconds, values = quarter_hours()
    late = seconds.copy()
    late[7] += 3
    rows, notes = made(late, values)
    np.testing.assert_array_equal(rows.values, values)
    assert "1 rows between the steps of 900 s averaged into them" in notes


def test_days_are_whole_and_columns_begin_together():
    seconds, values = quarter_hours(4)
    both = np.concatenate([values, values], axis=1)
    both[:5, 1] = np.nan
    rows, notes = made(seconds[:-1] + 0, both[:-1])
    assert rows.start == DAY
    np.testing.assert_array_equal(rows.values[:, 0], np.arange(96, 288))
    assert notes[0] == "5 steps cut off before all columns begin, 0 after one ends"
    with pytest.raises(ValueError, match="one whole day"):
        made(seconds[5:100], values[5:100])
    with pytest.raises(ValueError, match="column 'c0' has no value"):
        made(seconds, np.full_like(values, np.nan))
    both[:300, 0], both[100:, 1] = np.nan, np.nan
    with pytest.raises(ValueError, match="no time in common"):
        made(seconds, both)
