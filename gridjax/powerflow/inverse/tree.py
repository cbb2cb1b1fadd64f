"""The inverse by elimination of buses with one or two neighbours, in few rounds of independent buses.

Rake and compress (Miller and Reif, Parallel tree contraction, FOCS 1985) turns a tree of n buses into a
dense core in O(log n) rounds, with about as many numbers as there are branches: linear memory and work.
Meshed parts remain in the core. With i eliminated from its neighbours u,

    b_u += L_ui b_i,   x_i = D_i^-1 b_i + sum_u U_iu x_u,   L_ui = -A_ui D_i^-1,   U_iu = -D_i^-1 A_iu
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.powerflow.inverse.layout import Blocks, Order, Rows
from gridjax.powerflow.inverse.partition import Neighbours

Array = Any

_CORE = 12  # buses at which the elimination stops
_RECEIVE = 2  # contributions that a bus takes in one round


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Round:
    """One set of eliminated buses, e of them, of which r remain afterwards."""

    pivot: Array  # [2, 2, e]: D^-1
    lower: Array  # [contributions, 2, 2, r]
    upper: Array  # [neighbours, 2, 2, e]
    source: Rows = field(metadata={"static": True})  # [contributions, r], among the eliminated
    target: Rows = field(metadata={"static": True})  # [neighbours, e], among the remaining


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TreeInverse:
    """Rounds of elimination and a dense core, buses in the order of their elimination."""

    rounds: tuple[Round, ...]
    core: Array  # [2 c, 2 c]
    order: Order = field(metadata={"static": True})  # one part, [1, n]

    def apply(self, x: Blocks) -> Blocks:
        """The inverse times `x`, real `[1, 2, n, batch]`."""
        (value,) = x
        rest = (value[0, 0], value[0, 1])
        kept = []
        for level in self.rounds:
            count = level.target.value.shape[1]
            out = (rest[0][:count], rest[1][:count])
            rest = (rest[0][count:], rest[1][count:])
            for k, rows in enumerate(level.source.value):
                rest = _add(rest, level.lower[k], (out[0][rows], out[1][rows]))
            rest = jax.lax.optimization_barrier(rest)
            kept.append(out)
        size = rest[0].shape[0]
        core = jnp.asarray(self.core, value.dtype)
        solved = jax.lax.dot(core, jnp.concatenate(rest), precision=jax.lax.Precision.HIGHEST)
        rest = (solved[:size], solved[size:])
        for level, out in zip(reversed(self.rounds), reversed(kept)):
            found = _add(None, level.pivot, out)
            for k, rows in enumerate(level.target.value):
                found = _add(found, level.upper[k], (rest[0][rows], rest[1][rows]))
            rest = (jnp.concatenate([found[0], rest[0]]), jnp.concatenate([found[1], rest[1]]))
            rest = jax.lax.optimization_barrier(rest)
        return (jnp.stack(rest)[None],)


Pair = tuple[jax.Array, jax.Array]


def _add(to: Pair | None, block: Array, value: Pair) -> Pair:
    """`to` plus 2 x 2 blocks `[2, 2, rows]` times `value`, both planes `[rows, batch]`."""
    a = jnp.asarray(block, value[0].dtype)[..., None]
    first = a[0, 0] * value[0] + a[0, 1] * value[1]
    second = a[1, 0] * value[0] + a[1, 1] * value[1]
    return (first, second) if to is None else (to[0] + first, to[1] + second)


def prepare_tree(matrix: Any, buses: np.ndarray, graph: Neighbours) -> TreeInverse:
    """Factorise `matrix`, scipy sparse `[2 n_bus, 2 n_bus]`, over `buses`; `graph` has its pattern."""
    n_bus = matrix.shape[0] // 2
    blocks = _blocks(matrix, n_bus)
    near = {int(b): set(graph[b]) for b in buses}
    steps = []
    while len(near) > _CORE:
        chosen = _independent(near)
        if not chosen:
            break
        steps.append(_eliminate(near, blocks, chosen))
    core = list(near)
    rows = {bus: k for k, bus in enumerate(core)}
    size = len(core)
    dense = np.zeros((2, size, 2, size))
    for bus in core:
        for other in (bus, *near[bus]):
            dense[:, rows[bus], :, rows[other]] = blocks[bus, other]
    inverse = np.linalg.inv(dense.reshape(2 * size, 2 * size))
    order, rounds = core, []
    for step in reversed(steps):
        rounds.append(_round(step, order))
        order = [bus for bus, *_ in step] + order
    return TreeInverse(tuple(reversed(rounds)), inverse, order=(Rows(np.array(order)[None]),))


def _blocks(matrix: Any, n_bus: int) -> dict[tuple[int, int], np.ndarray]:
    entries = matrix.tocoo()
    found: dict[tuple[int, int], np.ndarray] = {}
    for i, j, value in zip(entries.row.tolist(), entries.col.tolist(), entries.data.tolist()):
        found.setdefault((i % n_bus, j % n_bus), np.zeros((2, 2)))[i // n_bus, j // n_bus] += value
    return found


def _independent(near: dict[int, set[int]]) -> list[int]:
    """Buses with at most two neighbours, no two of them adjacent, few to any one neighbour."""
    taken: set[int] = set()
    received = dict.fromkeys(near, 0)
    chosen = []
    for bus in sorted(near, key=lambda bus: len(near[bus])):
        if len(near[bus]) > 2:
            break
        if bus in taken or any(received[other] >= _RECEIVE for other in near[bus]):
            continue
        chosen.append(bus)
        taken.add(bus)
        for other in near[bus]:
            taken.add(other)
            received[other] += 1
    return chosen


_Step = list[tuple[int, np.ndarray, list[tuple[int, np.ndarray, np.ndarray]]]]


def _eliminate(near: dict[int, set[int]], blocks: dict, chosen: list[int]) -> _Step:
    """Take `chosen` out of the graph; per bus its D^-1 and, per neighbour, L and U."""
    step: _Step = []
    for bus in chosen:
        inverse = np.linalg.inv(blocks[bus, bus])
        around = sorted(near.pop(bus))
        parts = []
        for u in around:
            lower = -blocks[u, bus] @ inverse
            parts.append((u, lower, -inverse @ blocks[bus, u]))
            for v in around:
                blocks[u, v] = blocks.get((u, v), np.zeros((2, 2))) + lower @ blocks[bus, v]
                if u != v:
                    near[u].add(v)
            near[u].discard(bus)
        step.append((bus, inverse, parts))
    return step


def _round(step: _Step, remaining: list[int]) -> Round:
    place = {bus: k for k, bus in enumerate(remaining)}
    e, r = len(step), len(remaining)
    widest = max((len(parts) for *_, parts in step), default=0)
    pivot = np.stack([inverse for _, inverse, _ in step], axis=-1)
    upper, target = np.zeros((widest, 2, 2, e)), np.zeros((widest, e), int)
    lower, source = np.zeros((_RECEIVE, 2, 2, r)), np.zeros((_RECEIVE, r), int)
    received = np.zeros(r, int)
    for i, (_, _, parts) in enumerate(step):
        for k, (u, low, up) in enumerate(parts):
            row = place[u]
            upper[k, :, :, i], target[k, i] = up, row
            lower[received[row], :, :, row], source[received[row], row] = low, i
            received[row] += 1
    used = max(int(received.max(initial=0)), 0)
    return Round(pivot, lower[:used], upper, source=Rows(source[:used]), target=Rows(target))
