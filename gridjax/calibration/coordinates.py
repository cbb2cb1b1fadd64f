"""Where to draw each bus row: pandapower's own positions, and a layered tree where it has none."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from pandapower.auxiliary import pandapowerNet

from gridjax.calibration.branches import Element

_STUB = 0.85  # an open line end is drawn this far along its line

_ENDS = {
    "line": ("from_bus", "to_bus"),
    "trafo": ("hv_bus", "lv_bus"),
}


def known_coordinates(net: pandapowerNet) -> dict[int, np.ndarray]:
    """Position `[2]` of every pandapower bus that has one (`net.bus.geo`, GeoJSON points)."""
    if "geo" not in net.bus:
        return {}
    found = {}
    for bus, text in zip(net.bus.index.to_numpy(), net.bus["geo"]):
        if not isinstance(text, str) or not text.strip():
            continue
        try:
            point = np.asarray(json.loads(text)["coordinates"], float)[:2]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"bus {bus}: geo is not a GeoJSON point: {text[:80]!r}") from error
        if point.shape == (2,) and np.isfinite(point).all():
            found[int(bus)] = point
    return found


def coordinates(
    net: pandapowerNet,
    rows: dict[int, int],
    n_bus: int,
    parts: Sequence[Element],
    ends: np.ndarray,
) -> np.ndarray:
    """Positions `[n_bus, 2]`, NaN where unknown.

    `rows` maps pandapower buses to rows, `parts` names the branches and `ends` `[n_branch, 2]` their
    rows. Rows that stand for no pandapower bus (open line ends, star points) are put between others.
    """
    place = np.full((n_bus, 2), np.nan)
    known = known_coordinates(net)
    for bus, row in rows.items():
        if bus in known and np.isnan(place[row]).any():
            place[row] = known[bus]
    for row in sorted(set(range(n_bus)) - set(rows.values())):
        near = [(k, side) for k, side in zip(*np.nonzero(ends == row))]
        others = np.array([place[ends[k, 1 - side]] for k, side in near])
        place[row] = others.mean(axis=0)
        if len(near) == 1 and parts[near[0][0]].table in _ENDS:
            side, part = near[0][1], parts[near[0][0]]
            far = known.get(int(net[part.table].at[part.index, _ENDS[part.table][side]]))
            if far is not None:
                place[row] += _STUB * (far - place[row])
    return place


def tree_layout(n_bus: int, ends: np.ndarray, roots: Sequence[int]) -> np.ndarray:
    """A layered tree `[n_bus, 2]`: x is the depth, y the order of the leaves; `ends` is `[n_branch, 2]`.

    Loops are cut by breadth-first search; buses that no root reaches are NaN.
    """
    neighbours: list[list[int]] = [[] for _ in range(n_bus)]
    for a, b in ends:
        neighbours[a].append(int(b))
        neighbours[b].append(int(a))
    depth = dict.fromkeys(roots, 0)
    order = list(roots)
    children: dict[int, list[int]] = {}
    for bus in order:
        fresh = sorted(set(neighbours[bus]) - depth.keys())
        children[bus] = fresh
        depth |= dict.fromkeys(fresh, depth[bus] + 1)
        order += fresh
    size = {}
    for bus in reversed(order):
        size[bus] = 1 + sum(size[child] for child in children[bus])
    place = np.full((n_bus, 2), np.nan)
    leaves = 0
    stack = list(reversed(roots))
    while stack:
        bus = stack.pop()
        if not children[bus]:
            place[bus] = depth[bus], leaves
            leaves += 1
        # the largest branch is visited first, so that the main feeder stays on one side
        stack += sorted(children[bus], key=lambda child: (size[child], -child))
    for bus in reversed(order):
        if children[bus]:
            place[bus] = depth[bus], np.mean([place[child][1] for child in children[bus]])
    return place
