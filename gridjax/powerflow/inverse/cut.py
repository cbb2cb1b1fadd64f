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

from gridjax.powerflow.inverse.layout import Blocks, Order, Rows
from gridjax.powerflow.inverse.partition import Neighbours, pack, partition

Array = Any

_WIDTHS = (6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
_PASSES = 20.0  # cost of one bus's elementwise work, in operations of a matrix product
_JOINING = 4000.0  # cost of there being separators at all, likewise


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class CutInverse:
    """Bins of `width` buses each, and the separators, which form a block of their own."""

    inner: Array  # [n_bin, 2 width + 2 m, 2 width]: G_b above R_b
    outer: Array  # [n_bin, 2 width, 2 m]: P_b
    border: Array  # [2 n_separator, 2 n_separator]: H
    touched: Rows = field(metadata={"static": True})  # [n_bin, 2 m], rows of x_s
    received: Rows = field(metadata={"static": True})  # [k, 2 n_separator], rows of R r, or their number
    order: Order = field(metadata={"static": True})  # [n_bin, width], [1, n_separator]

    def apply(self, x: Blocks) -> Blocks:
        """The inverse times `x`, real `[n_bin, 2, width, batch]` and `[1, 2, n_separator, batch]`."""
        n_bin, _, width, batch = x[0].shape
        kind = x[0].dtype
        inner, outer, border = (jnp.asarray(part, kind) for part in (self.inner, self.outer, self.border))
        both = _product(inner, x[0].reshape(n_bin, 2 * width, batch))
        if len(x) == 1:
            return (both.reshape(x[0].shape),)
        sent = jnp.concatenate([both[:, 2 * width :].reshape(-1, batch), jnp.zeros((1, batch), kind)])
        joint = x[1].reshape(-1, batch)
        for rows in self.received.value:
            joint = joint + sent[rows]
        joint = jax.lax.dot(border, joint, precision=jax.lax.Precision.HIGHEST)
        inside = both[:, : 2 * width] + _product(outer, joint[self.touched.value])
        return inside.reshape(x[0].shape), joint.reshape(x[1].shape)


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
    m, n_separator = max(len(seen) for _, seen in bins), len(separators)
    products = len(bins) * (2 * width + 2 * m) * 2 * width + len(bins) * 4 * width * m
    products += (2 * n_separator) ** 2
    joining = _JOINING if separators else 0.0
    return 2.0 * products + _PASSES * (len(bins) * (width + m) + n_separator) + joining


def _assemble(matrix: Any, plan: _Plan) -> CutInverse:
    width, separators, bins = plan
    n_bus, n_bin, m = matrix.shape[0] // 2, len(bins), max(len(seen) for _, seen in bins)
    count = len(separators)
    order = np.full((n_bin, width), n_bus)
    inner = np.zeros((n_bin, 2 * width + 2 * m, 2 * width))
    outer = np.zeros((n_bin, 2 * width, 2 * m))
    touched = np.zeros((n_bin, 2 * m), int)
    received: list[list[int]] = [[] for _ in range(2 * count)]
    matrix = matrix.tocsr()
    joined = np.array(separators, int)
    rows_s = _planes(joined, n_bus)
    border = matrix[rows_s][:, rows_s].toarray()
    for b, (held, seen) in enumerate(bins):
        k, n_seen = len(held), len(seen)
        rows, seen = _planes(np.array(held), n_bus), np.array(seen, int)
        across = _planes(joined[seen], n_bus)
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
        touched[b, there] = at
        for separator, row in zip(at.tolist(), (b * 2 * m + there).tolist()):
            received[separator].append(row)
        order[b, :k] = held
    most = max(map(len, received), default=0)
    table = np.full((most, 2 * count), n_bin * 2 * m)
    for separator, rows in enumerate(received):
        table[: len(rows), separator] = rows
    places = (Rows(order), Rows(joined[None])) if count else (Rows(order),)
    return CutInverse(
        inner, outer, np.linalg.inv(border), touched=Rows(touched), received=Rows(table), order=places
    )


def _planes(rows: np.ndarray, stride: int) -> np.ndarray:
    return np.concatenate([rows, rows + stride]).astype(int)


def _product(blocks: jax.Array, x: jax.Array) -> jax.Array:
    return jnp.einsum("bij,bjn->bin", blocks, x, precision=jax.lax.Precision.HIGHEST)
