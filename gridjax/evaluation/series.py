"""Checks of time series that come from outside."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any

TOLERANCE = 1e-6
"""Below this share, a difference is rounding."""


def measured(name: str, value: Array, expected: str) -> np.ndarray:
    """`value` in float64, finite or missing (NaN) and not negative, with as many axes as `expected` says."""
    found = np.asarray(value, float)
    if found.ndim != expected.count(",") + 1 or found.size == 0:
        raise ValueError(f"{name} has shape {found.shape}, expected {expected}, none of them 0")
    refuse(name, found, np.isinf(found) | (found < 0), "neither infinite nor negative")
    return found


def flags(name: str, value: Array, shape: tuple[int, ...]) -> np.ndarray:
    """`value` as bool, of `shape` or of its last axis alone."""
    found = np.asarray(value)
    if found.shape not in (shape, shape[-1:]):
        raise ValueError(f"{name} has shape {found.shape}, expected {shape}")
    refuse(name, found, (found != 0) & (found != 1), "true or false")
    return found.astype(bool)


def positive(name: str, value: float) -> float:
    """`value` as a float, finite and above zero."""
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value}, expected a positive number")
    return float(value)


def refuse(name: str, value: np.ndarray, wrong: np.ndarray, expected: str) -> None:
    """Raise `ValueError` with the first of `value` that is `wrong`, and where it is."""
    if wrong.any():
        where = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise ValueError(f"{name} is {value[where]} at {where}, expected {expected}")
