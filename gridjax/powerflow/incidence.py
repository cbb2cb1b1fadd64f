"""Sums over the neighbours of every bus, for arrays whose last axis is the batch."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.powerflow.double import joined, lost, widened

Array = Any

_WIDTHS = (4, 9, 18, 38, 80)  # few, for the sake of compilation


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Neighbours:
    """Weights T_ij of every bus's neighbours, buses in an order of their own.

    Either `tables`: buses grouped by their number of neighbours, `(neighbour, weight, lost)` each
    `[width, buses]`, filled up with weights of zero, so that a sum is a few gathers of whole rows, in an
    order that never changes. Or `ends`: `(bus, neighbour, weight)`, one entry per branch end, where the
    network is inside a trace. Weights are complex; `lost` is what they lose in float32.
    """

    tables: tuple[tuple[Array, Array, Array], ...]
    ends: tuple[Array, Array, Array] | None

    def widened(self) -> Neighbours:
        """The same with weights in float64."""
        tables = tuple((neighbour, joined(*weight), weight[1]) for neighbour, *weight in self.tables)
        return Neighbours(tables, widened(self.ends))

    def differences(self, *value: jax.Array) -> jax.Array:
        """sum_j T_ij (value_j - value_i), real `[n, 2, batch]` to the same, real and imaginary parts.

        The value is the sum of all that are given, whose differences are taken before they are added.
        """
        like = value[0]
        if self.ends is not None:
            bus, other, weight = map(jnp.asarray, self.ends)
            apart = _sum(part[other] - part[bus] for part in value)
            return jnp.zeros_like(like).at[bus].add(_times(weight, apart))
        parts, first = [], 0
        for neighbour, weight, _ in self.tables:
            last = first + neighbour.shape[1]
            total = jnp.zeros_like(like[first:last])
            for row, factor in zip(jnp.asarray(neighbour), jnp.asarray(weight)):
                apart = _sum(x.at[row].get(mode="promise_in_bounds") - x[first:last] for x in value)
                total = total + _times(factor, apart)
            parts.append(total)
            first = last
        parts.append(jnp.zeros_like(like[first:]))
        return jnp.concatenate(parts)


def _sum(parts: Iterable[jax.Array]) -> jax.Array:
    return reduce(operator.add, parts)


def _times(weight: jax.Array, value: jax.Array) -> jax.Array:
    real = weight.real.astype(value.dtype)[:, None, None]
    imag = weight.imag.astype(value.dtype)[:, None]
    return real * value + jnp.stack([-imag, imag], axis=1) * value[:, ::-1]


def order_by_neighbours(bus: np.ndarray, other: np.ndarray, buses: np.ndarray, n_bus: int) -> np.ndarray:
    """`buses` by the width of their table, ascending; `bus` and `other` are the ends of all branches."""
    pairs = np.unique(bus * n_bus + other)
    count = np.bincount(pairs // n_bus, minlength=n_bus)[buses]
    return buses[np.argsort(np.searchsorted(_WIDTHS, count), kind="stable")]


def tabulate(bus: np.ndarray, other: np.ndarray, weight: np.ndarray, n_row: int) -> Neighbours:
    """Tables of the first `n_row` buses, which are in the order of `order_by_neighbours`.

    Entries are branch ends in that order of buses; parallel branches are one.
    """
    keep = bus < n_row
    n = int(max(bus.max(), other.max())) + 1
    pairs, inverse = np.unique(bus[keep] * n + other[keep], return_inverse=True)
    merged = np.zeros(pairs.size, complex)
    np.add.at(merged, inverse, weight[keep])
    row, column = pairs // n, pairs % n
    count = np.bincount(row, minlength=n_row)
    slot = np.arange(row.size) - np.concatenate([[0], np.cumsum(count)])[row]
    group = np.searchsorted(_WIDTHS, count)
    tables = []
    for g in np.unique(group):
        rows = np.flatnonzero(group == g)
        chosen = np.isin(row, rows)
        width = int(count[rows].max(initial=0))
        neighbour, factor = np.zeros((width, rows.size), np.int32), np.zeros((width, rows.size), complex)
        place = slot[chosen], row[chosen] - rows[0]
        neighbour[place], factor[place] = column[chosen], merged[chosen]
        tables.append((neighbour, factor, lost(factor)))
    return Neighbours(tables=tuple(tables), ends=None)
