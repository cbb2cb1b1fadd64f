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


def gather_buses(order: Rows, value: jax.Array) -> jax.Array:
    """Real or complex `[batch, n_bus]` to `[blocks, width, batch]`; zero where `order` names no bus."""
    blocks, width = order.value.shape
    batch, n_bus = value.shape
    rows = order.value.reshape(-1)
    if not np.array_equal(rows, np.arange(n_bus)):
        if rows.max() == n_bus:
            value = jnp.concatenate([value, jnp.zeros((batch, 1), value.dtype)], axis=-1)
        value = value[:, rows]
    return value.T.reshape(blocks, width, batch)


def scatter_buses(order: Rows, value: jax.Array, n_bus: int) -> jax.Array:
    """`[blocks, width, batch]` to `[batch, n_bus]`; zero for buses that `order` does not name."""
    value = value.reshape(-1, value.shape[-1])
    rows = order.value.reshape(-1)
    if not np.array_equal(rows, np.arange(n_bus)):
        place = np.full(n_bus + 1, rows.size)
        place[rows] = np.arange(rows.size)
        if place[:n_bus].max() == rows.size:
            value = jnp.concatenate([value, jnp.zeros((1, value.shape[-1]), value.dtype)])
        value = value[place[:n_bus]]
    return value.T
