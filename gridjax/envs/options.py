"""Checks of the options of a task."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def known(name: str, given: Mapping[str, float] | None, default: Mapping[str, float]) -> dict[str, float]:
    """`default` with what is `given`. Raises `ValueError` for keys that it does not have."""
    given = dict(given or {})
    unknown = sorted(set(given) - set(default))
    if unknown:
        raise ValueError(f"{name} holds {unknown}, expected keys of {', '.join(default)}")
    return {**default, **given}


def whole(value: object, least: int) -> bool:
    """Whether it is an integer, no bool, of at least `least`."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)
