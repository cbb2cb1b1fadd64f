"""Columns of mean zero and spread one, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of every column, `[n_column]` float32, in the columns' units.

    Works on numpy and on JAX arrays.
    """

    mean: np.ndarray
    spread: np.ndarray
    names: tuple[str, ...]

    def apply(self, values: Any) -> Any:
        """`values` `[..., n_column]` with mean zero and spread one."""
        return (values - self.mean) / self.spread

    def invert(self, normalised: Any) -> Any:
        """The values whose `apply` is `normalised`, `[..., n_column]`, in the columns' units."""
        return normalised * self.spread + self.mean

    def select(self, columns: Any) -> Statistics:
        """Those of the given rows of `names`."""
        names = tuple(self.names[i] for i in np.atleast_1d(columns))
        return Statistics(self.mean[columns], self.spread[columns], names)

    def as_dict(self) -> dict[str, dict[str, float]]:
        """`{name: {"mean": ..., "spread": ...}}`, for a file."""
        rows = zip(self.names, self.mean.tolist(), self.spread.tolist())
        return {name: {"mean": mean, "spread": spread} for name, mean, spread in rows}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Mapping[str, float]]) -> Statistics:
        """Those that `as_dict` gave."""
        parts = [np.array([row[key] for row in kept.values()], np.float32) for key in ("mean", "spread")]
        return cls(parts[0], parts[1], tuple(kept))


def statistics(values: np.ndarray, names: tuple[str, ...]) -> Statistics:
    """Those of the rows of `values` `[n_time, n_column]`: give training rows alone.

    A column that is constant has spread one: its normalised values are zero, and `invert` is exact.
    Raises `ValueError` if there is no row, or one that is not finite.
    """
    if values.ndim != 2 or values.shape[0] == 0 or values.shape[1] != len(names):
        raise ValueError(f"values has shape {values.shape}, expected rows of {len(names)} columns")
    if not np.isfinite(values).all():
        raise ValueError("values holds numbers that are not finite")
    mean, spread = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
    still = spread <= 1e-7 * np.maximum(np.abs(mean), 1e-30)
    return Statistics(mean.astype(np.float32), np.where(still, 1.0, spread).astype(np.float32), names)
