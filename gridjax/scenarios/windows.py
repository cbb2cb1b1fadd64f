"""Sequences for forecasting: what was seen and what came next, cut from one split's days alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gridjax.scenarios.normalise import Statistics
from gridjax.scenarios.scenario_pack import ScenarioPack
from gridjax.scenarios.split import SPLITS


class Batch(NamedTuple):
    """What was seen and what came next.

    history: `[n, n_history, n_column]`. target: `[n, n_horizon, n_column]`. row: `[n]`, the row of the pack
    in which each target begins, right after its history.
    """

    history: np.ndarray
    target: np.ndarray
    row: np.ndarray


@dataclasses.dataclass(frozen=True)
class Windows:
    """Windows of one split, cut when they are asked for; read-only.

    values: `[n_time, n_column]` float32, of the pack or normalised. rows: `[n_window]` int64 ascending, in
    which targets begin.
    """

    values: np.ndarray
    names: tuple[str, ...]
    rows: np.ndarray
    n_history: int
    n_horizon: int

    def __len__(self) -> int:
        return self.rows.size

    def normalised(self, statistics: Statistics) -> Windows:
        """The same windows of normalised values: give those of the training split, for every split."""
        if statistics.names != self.names:
            raise ValueError(
                f"statistics are of {', '.join(statistics.names)}, expected {', '.join(self.names)}"
            )
        return dataclasses.replace(self, values=statistics.apply(self.values))

    def arrays(self) -> Batch:
        """All of them at once."""
        return self._cut(self.rows)

    def batches(self, size: int, seed: int | None = None, drop_last: bool = False) -> Iterator[Batch]:
        """All of them once, `size` at a time: in order of time, or in an order that is a function of `seed`.

        The last batch may be smaller; `drop_last` leaves it out. Raises `ValueError` for a size below 1.
        """
        if size < 1:
            raise ValueError(f"size is {size!r}, expected at least 1")
        order = self.rows if seed is None else np.random.default_rng(seed).permutation(self.rows)
        stop = order.size - order.size % size if drop_last else order.size
        return (self._cut(order[first : first + size]) for first in range(0, stop, size))

    def _cut(self, rows: np.ndarray) -> Batch:
        seen = rows[:, None] + np.arange(-self.n_history, 0)
        to_come = rows[:, None] + np.arange(self.n_horizon)
        return Batch(self.values[seen], self.values[to_come], rows)


def windows(pack: ScenarioPack, split: str, n_history: int, n_horizon: int, stride: int = 1) -> Windows:
    """Windows of `n_history` + `n_horizon` steps, every `stride` steps, that lie within days of `split`.

    None reaches into another split, with its history neither, nor into a long gap that was filled: what is
    tested was never trained on. Raises `ValueError` naming an argument out of range, or if none is left.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    for name, value in (("n_history", n_history), ("n_horizon", n_horizon), ("stride", stride)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value!r}, expected a whole number of at least 1")
    bad = np.repeat(pack.splits != split, pack.steps_per_day) | pack.filled
    before = np.concatenate([[0], np.cumsum(bad)])
    first = np.arange(0, bad.size - n_history - n_horizon + 1, stride)
    rows = first[before[first + n_history + n_horizon] == before[first]] + n_history
    if rows.size == 0:
        raise ValueError(
            f"no window of {n_history} + {n_horizon} steps lies within {split} days: the {pack.n_days} days "
            f"from {pack.start:%Y-%m-%d} on hold {int((pack.splits == split).sum())} of them"
        )
    values = pack.values
    for array in (values, rows):
        array.flags.writeable = False
    return Windows(values, pack.names, rows, n_history, n_horizon)
