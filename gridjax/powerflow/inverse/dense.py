"""The inverse as one dense matrix: the fastest below about a hundred buses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.powerflow.inverse.layout import Blocks, Order, Rows

Array = Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class DenseInverse:
    """All buses in their own order; rows and columns of buses without an equation are zero."""

    matrix: Array  # [2 n_bus, 2 n_bus], real
    order: Order = field(metadata={"static": True})  # one part, [1, n_bus]

    def apply(self, x: Blocks) -> Blocks:
        """The inverse times `x`, real `[1, 2, n_bus, batch]`."""
        (value,) = x
        matrix = jnp.asarray(self.matrix, value.dtype)
        flat = value.reshape(-1, value.shape[-1])
        return (jax.lax.dot(matrix, flat, precision=jax.lax.Precision.HIGHEST).reshape(value.shape),)


def prepare_dense(matrix: Array, buses: np.ndarray, xp: Any = np) -> DenseInverse:
    """Invert the rows and columns of `buses` in `matrix` `[2 n_bus, 2 n_bus]`; O(n_bus^3)."""
    n_bus = matrix.shape[0] // 2
    rows = np.concatenate([buses, buses + n_bus])
    matrix = matrix if hasattr(matrix, "reshape") and not hasattr(matrix, "toarray") else matrix.toarray()
    inverse = xp.linalg.inv(matrix[np.ix_(rows, rows)])
    # other buses: position `rows.size` beyond the end of a padded inverse
    place = np.full(2 * n_bus, rows.size)
    place[rows] = np.arange(rows.size)
    padded = xp.pad(inverse, (0, 1))[np.ix_(place, place)]
    return DenseInverse(matrix=padded, order=(Rows(np.arange(n_bus)[None]),))
