"""The inverse by network tearing: dense blocks of a few buses, joined through separator buses.

With the buses in bins b that touch one another only through separators s, the matrix is block diagonal
with a border (Kron's diakoptics), and its inverse is a handful of small dense products:

    y_b = G_b r_b,   x_s = H (r_s + sum_b R_b r_b),   x_b = y_b + P_b x_s
    G_b = A_bb^-1,   R_b = -A_sb G_b,   P_b = -G_b A_bs,   H = (A_ss - sum_b A_sb G_b A_bs)^-1
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.powerflow.inverse.layout import Rows
from gridjax.powerflow.inverse.partition import Neighbours, pack, partition

Array = Any

_WIDTHS = (6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
_PASSES = 200.0  # cost of one bus's elementwise work, in operations of a matrix product


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class CutInverse:
    """Bins of `width` buses, then the separators in further blocks of that width."""

    inner: Array  # [n_bin, 2 width + 2 m, 2 width]: G_b above R_b
    outer: Array  # [n_bin, 2 width, 2 m]: P_b
    border: Array  # [2 n_place, 2 n_place]: H, n_place separators filled up to whole blocks
    gathered: Array  # [2 n_place, n_bin 2 m]: H times the sum over bins
    touched: Rows = field(metadata={"static": True})  # [n_bin, 2 m], rows of x_s
    order: Rows = field(metadata={"static": True})  # [n_bin + n_place / width, width]

    def apply(self, x: jax.Array) -> jax.Array:
        """The inverse times `x`, real `[blocks, 2, width, batch]`."""
        blocks, _, width, batch = x.shape
        n_bin = self.touched.value.shape[0]
        inner, outer, border, gathered = (
            jnp.asarray(part, x.dtype) for part in (self.inner, self.outer, self.border, self.gathered)
        )
        both = _product(inner, x[:n_bin].reshape(n_bin, 2 * width, batch))
        sent = both[:, 2 * width :].reshape(-1, batch)
        if blocks == n_bin:
            return both.reshape(x.shape)
        own = jnp.moveaxis(x[n_bin:], 1, 0).reshape(-1, batch)
        joint = _dot(border, own) + _dot(gathered, sent)
        inside = both[:, : 2 * width] + _product(outer, joint[self.touched.value])
        separators = jnp.moveaxis(joint.reshape(2, blocks - n_bin, width, batch), 0, 1)
        return jnp.concatenate([inside.reshape(n_bin, 2, width, batch), separators])


def prepare_cut(matrix: Any, buses: np.ndarray, graph: Neighbours) -> CutInverse:
    """Factorise `matrix`, scipy sparse `[2 n_bus, 2 n_bus]`, over `buses`; `graph` has its pattern."""
    plans = [_plan(graph, buses, width) for width in _WIDTHS if width <= max(len(buses), _WIDTHS[0])]
    return _assemble(matrix, min(plans, key=_cost))


_Plan = tuple[int, list[int], list[tuple[list[int], list[int]]]]


def _plan(graph: Neighbours, buses: np.ndarray, width: int) -> _Plan:
    separators, parts = partition(graph, [int(b) for b in buses], width)
    bins = pack(graph, separators, parts, width)
    return max(len(held) for held, _ in bins), separators, bins


def _cost(plan: _Plan) -> float:
    width, separators, bins = plan
    m = max(len(seen) for _, seen in bins)
    n_place = -(-len(separators) // width) * width
    products = len(bins) * (2 * width + 2 * m) * 2 * width + len(bins) * 4 * width * m
    products += 2 * n_place * (2 * n_place + len(bins) * 2 * m)
    return 2.0 * products + _PASSES * (len(bins) * (width + m) + n_place)


def _assemble(matrix: Any, plan: _Plan) -> CutInverse:
    width, separators, bins = plan
    n_bus, n_bin, m = matrix.shape[0] // 2, len(bins), max(len(seen) for _, seen in bins)
    count = len(separators)
    n_place = -(-count // width) * width
    order = np.full((n_bin + n_place // width, width), n_bus)
    order[n_bin:].reshape(-1)[:count] = separators
    inner = np.zeros((n_bin, 2 * width + 2 * m, 2 * width))
    outer = np.zeros((n_bin, 2 * width, 2 * m))
    collect = np.zeros((2 * count, n_bin * 2 * m))
    touched = np.zeros((n_bin, 2 * m), int)
    matrix = matrix.tocsr()
    rows_s = _planes(np.array(separators, int), n_bus)
    border = matrix[rows_s][:, rows_s].toarray()
    for b, (held, seen) in enumerate(bins):
        k, n_seen = len(held), len(seen)
        rows, seen = _planes(np.array(held), n_bus), np.array(seen, int)
        across = _planes(np.array(separators, int)[seen], n_bus)
        block = matrix[rows]
        inverse = np.linalg.inv(block[:, rows].toarray())
        out = -inverse @ block[:, across].toarray()
        back = -matrix[across][:, rows].toarray() @ inverse
        here = _planes(np.arange(k), width)
        there = _planes(np.arange(n_seen), m)
        inner[b][np.ix_(here, here)] = inverse
        inner[b][np.ix_(2 * width + there, here)] = back
        outer[b][np.ix_(here, there)] = out
        at = _planes(seen, count)
        border[np.ix_(at, at)] += back @ block[:, across].toarray()
        touched[b, there] = _planes(seen, n_place)
        collect[at, b * 2 * m + there] = 1.0
        order[b, :k] = held
    joint = np.linalg.inv(border)
    place = _planes(np.arange(count), n_place)
    wide, gathered = np.zeros((2 * n_place, 2 * n_place)), np.zeros((2 * n_place, n_bin * 2 * m))
    wide[np.ix_(place, place)] = joint
    gathered[place] = joint @ collect
    return CutInverse(inner, outer, wide, gathered, touched=Rows(touched), order=Rows(order))


def _planes(rows: np.ndarray, stride: int) -> np.ndarray:
    return np.concatenate([rows, rows + stride]).astype(int)


def _dot(matrix: jax.Array, x: jax.Array) -> jax.Array:
    return jax.lax.dot(matrix, x, precision=jax.lax.Precision.HIGHEST)


def _product(blocks: jax.Array, x: jax.Array) -> jax.Array:
    return jnp.einsum("bij,bjn->bin", blocks, x, precision=jax.lax.Precision.HIGHEST)
