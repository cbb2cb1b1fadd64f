"""Days of 2016 for training, validation and test, in whole calendar weeks.

Week 0 is 1-3 January (Friday to Sunday), week n is ISO week n (Monday to Sunday), week 52 is cut off by the
end of the year. Two whole weeks inside each calendar month, never adjacent to another test week, are test;
six spread over the year are validation; the rest trains. Among all choices that obey this, the one below was
picked once, such that the mean demand and PV of train and test are within one per cent of the year's, those
of validation within two. The tables are constants: results on the held-out days stay comparable for ever.
"""

from __future__ import annotations

import numpy as np

N_DAYS = 366
SPLITS = ("train", "validation", "test")
TEST_WEEKS = (1, 4, 6, 8, 10, 12, 14, 16, 19, 21, 23, 25, 27, 29, 31, 33, 36, 38, 40, 42, 45, 47, 49, 51)
VALIDATION_WEEKS = (2, 15, 26, 32, 39, 48)


def week_of(day: np.ndarray | int) -> np.ndarray:
    """Week 0..52, `[...]`, of days of the year 0..365 (1 January 2016 was a Friday)."""
    return (np.asarray(day) + 4) // 7


def days(split: str, span: int = 1) -> np.ndarray:
    """Days of the year 0..365 in `split` with which `span` days in a row of it begin: `[n_day]`, ascending.

    `"train"` 156, `"validation"` 42, `"test"` 168 days; 116, 30 and 120 for a span of three. Where `span` is
    longer than any row of days (a week), all days of the split. Raises `ValueError` naming the known splits.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    every = np.arange(N_DAYS)
    week = week_of(every)
    test, validation = np.isin(week, TEST_WEEKS), np.isin(week, VALIDATION_WEEKS)
    chosen = {"train": ~test & ~validation, "validation": validation, "test": test}[split]
    whole = np.convolve(chosen, np.ones(span), "full")[span - 1 :] == span
    return every[whole if whole.any() else chosen]


def held_out_days() -> np.ndarray:
    """The 120 evaluation days, `[120]` int64 ascending: ten distinct dates of each calendar month of 2016.

    Each month has fourteen test days. Of each pair of weeks two weekdays are left out, four weekdays a
    month, moving on by four from month to month: every month keeps every weekday at least once, and over
    the year the weekdays are even.
    """
    kept = []
    for month in range(12):
        monday = [7 * week - 4 for week in TEST_WEEKS[2 * month : 2 * month + 2]]
        left_out = [(4 * month + i) % 7 for i in range(4)]
        for first, gone in zip(monday, (left_out[:2], left_out[2:])):
            kept += [first + weekday for weekday in range(7) if weekday not in gone]
    return np.sort(np.array(kept))
