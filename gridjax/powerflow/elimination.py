"""Dense linear systems, small ones solved all at once by elimination in plain array operations.

A batched LAPACK call waits, on a CPU, for threads of the pool it occupies itself: two of them at once on two
cores, as in a program that steps two environments, can wait for ever. Elimination has no such calls, runs on
any device, and up to some dozens of unknowns is as fast.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

LARGEST = 64
"""Unknowns up to which it is taken in place of LAPACK."""


def solve(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """x of `matrix` x = `right`, `[..., n, n]` and `[..., n]`: Gauss and Jordan with partial pivoting.

    Not finite where the matrix is singular. Up to `LARGEST` unknowns every system has the bits it has alone;
    beyond that it is LAPACK's. Linear in `right`, differentiable and transposable.
    """
    if matrix.shape[-1] > LARGEST:
        return jnp.linalg.solve(matrix, right[..., None])[..., 0]

    def times(x: jax.Array) -> jax.Array:
        return jnp.sum(matrix * x[..., None, :], axis=-1)

    batch = jnp.broadcast_shapes(matrix.shape[:-2], right.shape[:-1])
    return jax.lax.custom_linear_solve(
        times,
        jnp.broadcast_to(right, (*batch, right.shape[-1])),
        lambda _, b: _eliminate(matrix, b),
        lambda _, b: _eliminate(jnp.swapaxes(matrix, -1, -2), b),
    )


def _eliminate(matrix: jax.Array, right: jax.Array) -> jax.Array:
    n = matrix.shape[-1]
    rows = jnp.arange(n)

    def eliminate(k: jax.Array, carry: tuple) -> tuple:
        table, free, place = carry
        column = jax.lax.dynamic_index_in_dim(table, k, axis=-1, keepdims=False)
        # compared in float32: within a float32 program an argmax of float64 does not lower
        size = jnp.where(free, jnp.abs(column).astype(jnp.float32), -1.0)
        pivot = jax.lax.argmax(size, free.ndim - 1, jnp.int32)
        chosen = rows == pivot[..., None]
        row = jnp.take_along_axis(table, pivot[..., None, None], axis=-2)
        row = row / jax.lax.dynamic_index_in_dim(row, k, axis=-1)
        table = jnp.where(chosen[..., None], row, table - column[..., None] * row)
        return table, free & ~chosen, jnp.where(rows == k, pivot[..., None], place)

    batch = jnp.broadcast_shapes(matrix.shape[:-2], right.shape[:-1])
    table = jnp.concatenate(
        [jnp.broadcast_to(matrix, (*batch, n, n)), jnp.broadcast_to(right, (*batch, n))[..., None]], axis=-1
    )
    start = (table, jnp.ones((*batch, n), bool), jnp.zeros((*batch, n), jnp.int32))
    table, _, place = jax.lax.fori_loop(0, n, eliminate, start)
    return jnp.take_along_axis(table[..., n], place, axis=-1)
