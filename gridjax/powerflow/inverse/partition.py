"""Cut a graph into small parts that only touch one another through separator buses."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

Neighbours = list[set[int]]


def neighbours(n_bus: int, ends: Iterable[tuple[int, int]], buses: Iterable[int]) -> Neighbours:
    """Neighbours of every bus among `buses`, over branches with `ends`; none for other buses."""
    kept = {int(b) for b in buses}
    found: Neighbours = [set() for _ in range(n_bus)]
    for f, t in ends:
        if f != t and f in kept and t in kept:
            found[f].add(int(t))
            found[t].add(int(f))
    return found


def partition(graph: Neighbours, buses: Iterable[int], width: int) -> tuple[list[int], list[list[int]]]:
    """Separator buses, and the parts of at most `width` buses that are left between them.

    Nested dissection: a tree is divided at its centroid, a meshed part at a level of a breadth-first
    search (A. George, Nested dissection of a regular finite element mesh, SIAM J. Numer. Anal. 10, 1973).
    """
    separators: list[int] = []
    parts: list[list[int]] = []
    waiting = components(graph, buses)
    while waiting:
        part = waiting.pop()
        if len(part) <= width:
            parts.append(part)
            continue
        inside = set(part)
        branches = sum(len(graph[bus] & inside) for bus in part) // 2
        cut = [_centroid(graph, part)] if branches == len(part) - 1 else _level(graph, part)
        separators += cut
        waiting += components(graph, inside.difference(cut))
    return separators, parts


def components(graph: Neighbours, buses: Iterable[int]) -> list[list[int]]:
    """Connected parts of the graph restricted to `buses`."""
    left = dict.fromkeys(buses)
    found = []
    while left:
        first = next(iter(left))
        del left[first]
        part = [first]
        for bus in part:
            for other in sorted(graph[bus]):
                if other in left:
                    del left[other]
                    part.append(other)
        found.append(part)
    return found


def pack(
    graph: Neighbours, separators: list[int], parts: list[list[int]], width: int, most: int = 4
) -> list[tuple[list[int], list[int]]]:
    """Put parts together into bins of at most `width` buses that touch few separators.

    Returns buses of a bin and positions in `separators` of those that it touches; a bin of several
    parts touches at most `most`.
    """
    place = {bus: k for k, bus in enumerate(separators)}
    touched = [{place[o] for bus in part for o in graph[bus] if o in place} for part in parts]
    bins: list[tuple[list[int], set[int]]] = []
    for k in sorted(range(len(parts)), key=lambda k: (sorted(touched[k]), -len(parts[k]))):
        fitting = [
            (len(seen | touched[k]) - len(seen), number)
            for number, (held, seen) in enumerate(bins[-24:])
            if len(held) + len(parts[k]) <= width and (touched[k] <= seen or len(seen | touched[k]) <= most)
        ]
        if fitting:
            held, seen = bins[-24:][min(fitting)[1]]
            held += parts[k]
            seen |= touched[k]
        else:
            bins.append((list(parts[k]), set(touched[k])))
    return [(held, sorted(seen)) for held, seen in bins]


def _centroid(graph: Neighbours, part: list[int]) -> int:
    """The bus of a tree without which the largest remaining part is smallest."""
    inside = set(part)
    order, parent = [part[0]], {part[0]: -1}
    for bus in order:
        for other in graph[bus]:
            if other in inside and other not in parent:
                parent[other] = bus
                order.append(other)
    size, largest = dict.fromkeys(order, 1), dict.fromkeys(order, 0)
    for bus in reversed(order):
        above = parent[bus]
        if above >= 0:
            size[above] += size[bus]
            largest[above] = max(largest[above], size[bus])
    return min(order, key=lambda bus: max(largest[bus], len(part) - size[bus]))


def _level(graph: Neighbours, part: list[int]) -> list[int]:
    """A small level of a breadth-first search that divides the part into two of similar size."""
    inside = set(part)

    def search(root: int) -> tuple[dict[int, int], list[int]]:
        depth, order = {root: 0}, [root]
        for bus in order:
            for other in sorted(graph[bus]):
                if other in inside and other not in depth:
                    depth[other] = depth[bus] + 1
                    order.append(other)
        return depth, order

    root, order = part[0], part
    for _ in range(3):  # towards a bus at the rim, so that levels are narrow
        _, order = search(root)
        root = order[-1]
    best, cut = np.inf, [part[0]]
    for start in (root, order[len(order) // 2], order[0]):
        depth, order = search(start)
        count = np.bincount(list(depth.values()))
        below = np.cumsum(count)
        for level in range(1, len(count) - 1):
            smaller = min(below[level - 1], len(part) - below[level])
            score = count[level] / max(smaller, 1e-9)
            if smaller >= 0.15 * len(part) and score < best:
                best, cut = score, [bus for bus in order if depth[bus] == level]
    return cut
