"""Work on a batch of scenarios in chunks, and again on those few that need more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

Tree = Any


def in_chunks(function: Callable[[Tree], Tree], given: Tree, size: int, whole: int = 1) -> Tree:
    """`function` on `[batch, ...]` leaves, at most `size` scenarios at a time.

    Chunks are filled up to a multiple of `whole` with copies of the last scenario. On a CPU the order of
    additions in a product hangs on its width: where `whole` is `size`, a scenario's bits do not depend on
    how many others there are.
    """
    batch = jax.tree.leaves(given)[0].shape[0]
    size = min(size, -(-batch // whole) * whole)
    number = -(-batch // size)
    rows = jnp.minimum(jnp.arange(number * size), batch - 1)

    def split(x: jax.Array) -> jax.Array:
        x = x if number * size == batch else x[rows]
        return x.reshape(number, size, *x.shape[1:])

    chunks = jax.tree.map(split, given)
    if number == 1:
        out = function(jax.tree.map(lambda x: x[0], chunks))
    else:
        out = jax.lax.map(function, chunks)
        out = jax.tree.map(lambda x: x.reshape(number * size, *x.shape[2:]), out)
    return jax.tree.map(lambda x: x[:batch], out)


def repair(function: Callable[[Tree], Tree], given: Tree, found: Tree, failed: jax.Array, size: int) -> Tree:
    """Replace `found` where `failed` `[batch]` by `function` of those scenarios, `size` at a time."""
    batch = failed.shape[0]
    size = min(size, batch)

    def body(carry):
        found, left = carry
        # the first `size` that are left; beyond them, rows that are dropped
        (rows,) = jnp.nonzero(left, size=size, fill_value=batch)
        chosen = jax.tree.map(lambda x: x[jnp.minimum(rows, batch - 1)], given)
        better = function(chosen)
        found = jax.tree.map(lambda x, y: x.at[rows].set(y, mode="drop"), found, better)
        return found, left.at[rows].set(False, mode="drop")

    return jax.lax.while_loop(lambda carry: jnp.any(carry[1]), body, (found, failed))[0]
