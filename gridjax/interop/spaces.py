"""Spaces of gridjax as spaces of Gymnasium, and whether an action is in one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from gridjax.envs import Box, Discrete, Hybrid
from gridjax.envs.spaces import Space


def native(space: Space) -> spaces.Space:
    """Reals are a float32 `Box`, one choice `Discrete`, several `MultiDiscrete`, both at once a `Dict`."""
    if isinstance(space, Box):
        low, high = (np.broadcast_to(np.float32(x), space.shape).copy() for x in (space.low, space.high))
        return spaces.Box(low, high, space.shape, np.float32)
    if isinstance(space, Discrete):
        return (
            spaces.MultiDiscrete(np.full(space.shape, space.n)) if space.shape else spaces.Discrete(space.n)
        )
    parts: dict[str, spaces.Space] = {
        "continuous": native(space.continuous),
        "discrete": native(space.discrete),
    }
    return spaces.Dict(parts)


def native_mask(space: Space, mask: np.ndarray) -> Any:
    """Of one agent, bool `[*shape, n]`, as `native(space).sample(mask=...)` takes it: int8."""
    assert not isinstance(space, Box)
    shape = space.discrete.shape if isinstance(space, Hybrid) else space.shape
    mask = np.asarray(mask, np.int8)

    def nested(part: np.ndarray, depth: int) -> Any:
        return tuple(nested(row, depth - 1) for row in part) if depth else part

    chosen = nested(mask, len(shape))
    return {"continuous": None, "discrete": chosen} if isinstance(space, Hybrid) else chosen


def checked(space: spaces.Space, value: Any, whose: str, leading: tuple[int, ...] = ()) -> Any:
    """The action as float32, int32 or a dict of both, `[*leading, ...]`.

    Reals beyond their bounds pass, for the tasks clip them. Raises `TypeError` for what is no number, and
    `ValueError` for a wrong shape, reals that are not finite, and choices that there are not.
    """
    if isinstance(space, spaces.Dict):
        if not isinstance(value, Mapping) or set(value) != set(space.spaces):
            found = sorted(value) if isinstance(value, Mapping) else type(value).__name__
            raise ValueError(f"{whose} is {found}, expected a dict of {', '.join(space.spaces)}")
        return {k: checked(part, value[k], f"{whose}[{k!r}]", leading) for k, part in space.spaces.items()}
    real = isinstance(space, spaces.Box)
    array = np.asarray(value)
    if array.dtype.kind not in ("fiu" if real else "iu"):
        raise TypeError(f"{whose} is {array.dtype}, expected {'reals' if real else 'integers'}")
    shape = (*leading, *(space.shape or ()))
    if array.shape != shape:
        raise ValueError(f"{whose} has shape {array.shape}, expected {shape}")
    if real:
        if not np.isfinite(array).all():
            raise ValueError(f"{whose} is not finite: {array}")
        return array.astype(np.float32)
    most = space.nvec if isinstance(space, spaces.MultiDiscrete) else getattr(space, "n")  # noqa: B009
    bad = (array < 0) | (array >= most)
    if bad.any():
        raise ValueError(f"{whose} is {array}, expected integers from 0 to {np.asarray(most) - 1}")
    return array.astype(np.int32)
