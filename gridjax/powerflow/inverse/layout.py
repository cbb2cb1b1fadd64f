"""Between arrays by bus, `[batch, n_bus]`, and the order in which a form of the inverse keeps buses."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Array = Any


class Rows:
    """An int array that is part of a program's structure: hashable, read-only."""

    def __init__(self, value: Any):
        self.value = np.ascontiguousarray(value, dtype=np.int32)
        self.value.setflags(write=False)
        self._hash = hash((self.value.shape, self.value.tobytes()))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and np.array_equal(self.value, other.value)

    def __repr__(self) -> str:
        return f"Rows{self.value.shape}"


Order = tuple[Rows, ...]
Blocks = tuple[jax.Array, ...]


def gather_buses(order: Order, value: jax.Array) -> Blocks:
    """Complex `[batch, n_bus]` to one real `[blocks, 2, width, batch]` per part `[blocks, width]` of `order`.

    Zero where `order` names no bus, which it does by n_bus.
    """
    n_bus = value.shape[1]
    parts = []
    for part in order:
        rows = part.value.reshape(-1)
        planes = []
        for plane in (value.real, value.imag):
            if not np.array_equal(rows, np.arange(n_bus)):
                if rows.max(initial=0) == n_bus:
                    plane = jnp.concatenate([plane, jnp.zeros((len(plane), 1), plane.dtype)], axis=-1)
                plane = plane[:, rows]
            planes.append(plane.T.reshape(*part.value.shape, -1))
        parts.append(jnp.stack(planes, axis=1))
    return tuple(parts)


def scatter_buses(order: Order, blocks: Blocks, n_bus: int) -> jax.Array:
    """The way back, to complex `[batch, n_bus]`; zero for buses that `order` does not name."""
    rows = np.concatenate([part.value.reshape(-1) for part in order])
    place = np.full(n_bus + 1, rows.size)
    place[rows] = np.arange(rows.size)
    place = place[:n_bus]
    planes = []
    for k in (0, 1):
        plane = [block[:, k].reshape(-1, block.shape[-1]) for block in blocks]
        if place.max(initial=0) == rows.size:
            plane.append(jnp.zeros((1, plane[0].shape[-1]), plane[0].dtype))
        joint = jnp.concatenate(plane) if len(plane) > 1 else plane[0]
        planes.append(joint if np.array_equal(place, np.arange(len(joint))) else joint[place])
    return jax.lax.complex(planes[0].T, planes[1].T)
