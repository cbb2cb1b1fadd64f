"""What goes with what: rank correlations of observations, actions and grid quantities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

ALIKE = 0.95
"""Entries of one kind that are correlated as closely, either way, are shown as one."""


def rank_correlation(
    columns: Mapping[str, Mapping[str, np.ndarray]], most: int = 30, rows: int = 100_000
) -> dict[str, Any]:
    """Spearman's correlation of all columns, as a matrix that can be read.

    Args:
        columns: kinds of quantities, such as observations, then their columns `[n_sample]` by name.
        most: columns of one kind that are shown at most; closer ones are merged until there are as many.
        rows: samples that are used at most, spread evenly.

    Returns:
        `labels`, `kinds` and `matrix` of what is shown, kinds together, within them alike ones side by side;
        `merged`, what each label stands for besides itself; `constant`, columns that never change;
        `undefined`, those that are not finite everywhere. Raises `ValueError` where columns differ in length,
        or nothing changes.
    """
    from scipy.stats import rankdata

    sizes = {values.shape for kind in columns.values() for values in kind.values()}
    if len(sizes) != 1 or len(next(iter(sizes))) != 1:
        raise ValueError(f"columns have shapes {sorted(sizes)}, expected one length")
    (size,) = next(iter(sizes))
    chosen = np.unique(np.linspace(0, size - 1, min(size, rows)).astype(int))
    labels: list[str] = []
    kinds: list[str] = []
    merged: dict[str, list[str]] = {}
    constant: list[str] = []
    undefined: list[str] = []
    shown = []
    for kind, named in columns.items():
        moving = {name: np.asarray(values, float)[chosen] for name, values in named.items()}
        broken = [name for name, values in moving.items() if not np.all(np.isfinite(values))]
        undefined += broken
        still = [name for name, values in moving.items() if name not in broken and np.ptp(values) == 0.0]
        constant += still
        ranks = {name: rankdata(values) for name, values in moving.items() if name not in {*still, *broken}}
        if not ranks:
            continue
        names, stacked = list(ranks), np.stack(list(ranks.values()))
        for group in _groups(np.abs(_correlate(stacked)), most):
            first, *others = (names[k] for k in group)
            labels.append(first)
            kinds.append(kind)
            merged |= {first: others} if others else {}
            shown.append(ranks[first])
    if not shown:
        raise ValueError("no column ever changes")
    matrix = _correlate(np.stack(shown))
    found = {"labels": labels, "kinds": kinds, "matrix": matrix, "merged": merged}
    return found | {"constant": constant, "undefined": undefined}


def _correlate(rows: np.ndarray) -> np.ndarray:
    return np.atleast_2d(np.corrcoef(rows))


def _groups(closeness: np.ndarray, most: int) -> list[list[int]]:
    """Columns that are alike, at most `most` groups, neighbours close to one another; the first leads."""
    from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
    from scipy.spatial.distance import squareform

    n = closeness.shape[0]
    if n == 1:
        return [[0]]
    distance = np.clip(1.0 - 0.5 * (closeness + closeness.T), 0.0, None)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), "complete", optimal_ordering=n <= 400)
    number = fcluster(tree, 1.0 - ALIKE, "distance")
    if number.max() > most:
        number = fcluster(tree, most, "maxclust")
    found: dict[int, list[int]] = {}
    for k in leaves_list(tree):
        found.setdefault(int(number[k]), []).append(int(k))
    return [sorted(group) for group in found.values()]
