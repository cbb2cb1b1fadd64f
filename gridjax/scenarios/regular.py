"""Rows at any times become equidistant rows of whole days: duplicates, gaps, coarser and finer steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

LONG_GAPS = ("error", "week_before")
_DAY = 86_400
_WEEK = 7 * _DAY
_SPARSEST = 20


@dataclass(frozen=True)
class Regular:
    """Equidistant rows from a midnight on, of whole days."""

    values: np.ndarray  # [n_time, n_column], float64
    filled: np.ndarray  # [n_time], bool, where a long gap was filled
    start: int  # s, of the first row, on the clock of the times given
    step: int  # s


def native_step(seconds: np.ndarray) -> int:
    """The step in s that most rows are apart. Raises `ValueError` if it does not divide a day."""
    apart = np.diff(np.unique(seconds))
    if apart.size == 0:
        raise ValueError(f"the table has {seconds.size} rows of one time, expected at least two times")
    found, count = np.unique(apart, return_counts=True)
    step = int(found[np.argmax(count)])
    if _DAY % step:
        raise ValueError(f"most rows are {step} s apart, expected a step that divides a day")
    return step


def regular(
    seconds: np.ndarray,
    values: np.ndarray,
    names: tuple[str, ...],
    step: int,
    longest_gap: float,
    long_gaps: str,
) -> tuple[Regular, list[str]]:
    """Rows every `step` s, and the choices that were made.

    Means where the table is finer, each value repeated where it is coarser: both keep the energy. Gaps up to
    `longest_gap` (h) are bridged by straight lines; longer ones raise, or take the values of the week before.
    At both ends short gaps take the nearest value; longer ones, and days that are not whole, are cut off.

    Raises `ValueError` for rows of one time that differ, gaps that may not or cannot be filled, steps that do
    not divide one another, or less than a whole day.
    """
    notes: list[str] = []
    native = native_step(seconds)
    if max(native, step) % min(native, step):
        raise ValueError(f"rows are {native} s apart, expected a divisor or a multiple of {step} s")
    seconds, values = _distinct(seconds, values, names, notes)
    grid, first = _on_grid(seconds, values, native, notes)
    grid, cut = _trim(grid, names, int(longest_gap * 3600 / native), notes)
    first += cut
    long: Any = _bridge(grid, native, first, names, longest_gap, long_gaps, notes)
    if native < step:
        times = step // native
        lead = -first % times
        n = (grid.shape[0] - lead) // times
        grid = grid[lead : lead + n * times].reshape(n, times, -1).mean(axis=1)
        long = long[lead : lead + n * times].reshape(n, times).any(axis=1)
        first = (first + lead) // times
        notes.append(f"{native} s steps averaged to {step} s")
    elif native > step:
        times = native // step
        grid, long, first = grid.repeat(times, axis=0), long.repeat(times), first * times
        notes.append(f"{native} s steps repeated at {step} s")
    per_day = _DAY // step
    lead = -first % per_day
    days = (grid.shape[0] - lead) // per_day
    if days < 1:
        raise ValueError(
            f"the table spans {grid.shape[0] * step / 3600:g} h, expected one whole day at least"
        )
    kept = slice(lead, lead + days * per_day)
    if grid.shape[0] != days * per_day:
        notes.append(f"{grid.shape[0] - days * per_day} steps of days that are not whole cut off")
    return Regular(grid[kept], long[kept], (first + lead) * step, step), notes


def _distinct(seconds: np.ndarray, values: np.ndarray, names: tuple[str, ...], notes: list[str]):
    order = np.argsort(seconds, kind="stable")
    if (order != np.arange(order.size)).any():
        notes.append("rows sorted by time")
    seconds, values = seconds[order], values[order]
    again = np.concatenate([[False], np.diff(seconds) == 0])
    if again.any():
        here = np.flatnonzero(again)
        differ = ~((values[here] == values[here - 1]) | np.isnan(values[here]) & np.isnan(values[here - 1]))
        if differ.any():
            row, column = np.argwhere(differ)[0]
            raise ValueError(
                f"{int(differ.any(axis=1).sum())} times occur again with other values, the first "
                f"{_at(seconds[here[row]])} in column {names[column]!r}"
            )
        notes.append(f"{here.size} rows that repeat another left out")
    return seconds[~again], values[~again]


def _on_grid(seconds: np.ndarray, values: np.ndarray, native: int, notes: list[str]):
    off = int((seconds % native != 0).sum())
    if off:
        notes.append(f"{off} rows between the steps of {native} s averaged into them")
    row = seconds // native
    row, first = row - row[0], int(row[0])
    if row[-1] >= (_SPARSEST + 1) * seconds.size:
        raise ValueError(
            f"{seconds.size} rows of {native} s lie between {_at(seconds[0])} and {_at(seconds[-1])}: more "
            f"than {_SPARSEST} times as many are missing; is a time wrong?"
        )
    total, count = (np.zeros((int(row[-1]) + 1, values.shape[1])) for _ in range(2))
    np.add.at(total, row, np.nan_to_num(values))
    np.add.at(count, row, ~np.isnan(values))
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0), first


def _trim(
    grid: np.ndarray, names: tuple[str, ...], tolerated: int, notes: list[str]
) -> tuple[np.ndarray, int]:
    empty = np.isnan(grid).all(axis=0)
    if empty.any():
        raise ValueError(f"column {names[int(np.argmax(empty))]!r} has no value")
    there = ~np.isnan(grid)
    low, rest = (int(side.argmax(axis=0).max()) for side in (there, there[::-1]))
    # an hourly column ends three quarters of an hour before one of quarter hours: no reason to lose a day
    low, high = low if low > tolerated else 0, grid.shape[0] - (rest if rest > tolerated else 0)
    if high <= low:
        raise ValueError(f"columns {', '.join(names)} have no time in common")
    if low or high < grid.shape[0]:
        notes.append(f"{low} steps cut off before all columns begin, {grid.shape[0] - high} after one ends")
    return grid[low:high], low


def _bridge(grid, native, first, names, longest_gap, long_gaps, notes) -> np.ndarray:
    """Fills the gaps of `grid` in place; `[n_row]`, whether a long one was filled."""
    long = np.zeros(grid.shape[0], bool)
    week = _WEEK // native
    for column, name in enumerate(names):
        missing = np.isnan(grid[:, column])
        if not missing.any():
            continue
        edges = np.flatnonzero(np.diff(np.concatenate([[0], missing.astype(int), [0]])))
        begins, ends = edges[::2], edges[1::2]
        tolerated = (ends - begins) * native <= longest_gap * 3600
        if not tolerated.all() and long_gaps == "error":
            worst = [f"{_at((first + b) * native)} ({(e - b) * native / 3600:g} h)"
                     for b, e in zip(begins[~tolerated], ends[~tolerated])]  # fmt: skip
            more = ", ..." if len(worst) > 3 else ""
            raise ValueError(
                f"column {name!r} has {len(worst)} gaps of more than {longest_gap:g} h: "
                f"{', '.join(worst[:3])}{more}; fill them, or give long_gaps='week_before'"
            )
        for begin, end in zip(begins[~tolerated], ends[~tolerated]):
            if begin < week:
                raise ValueError(
                    f"column {name!r} has a gap at {_at((first + begin) * native)}, less than a week after "
                    "the beginning: there is no week before to fill it from"
                )
            for row in range(begin, end):  # one by one, for a gap may be longer than a week
                grid[row, column] = grid[row - week, column]
            long[begin:end] = True
        # short gaps of the week before may have been copied, so they are bridged last
        rest = np.isnan(grid[:, column])
        rows = np.arange(grid.shape[0])
        grid[rest, column] = np.interp(rows[rest], rows[~rest], grid[~rest, column])
        for count, how in (
            ((ends - begins)[tolerated].sum(), "bridged by straight lines"),
            ((ends - begins)[~tolerated].sum(), "of long gaps filled from the week before"),
        ):
            if count:
                notes.append(f"column {name!r}: {count} steps {how}")
    return long


def _at(seconds: Any) -> str:
    return str(np.datetime64(int(seconds), "s")).replace("T", " ")
