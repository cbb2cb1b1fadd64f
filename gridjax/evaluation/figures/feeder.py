"""The feeder as a map, its buses coloured by voltage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gridjax.evaluation.figures.style import LIMIT, new_figure, save
from gridjax.evaluation.tables.titles import TITLES
from gridjax.network import Network


def feeder_map(
    network: Network,
    voltages: Mapping[str, np.ndarray],
    pv_buses: np.ndarray,
    band: tuple[float, float],
    path: str | Path,
    title: str,
) -> Path:
    """Voltages `[n_bus]` (p.u.) of one instant, a map per controller.

    Inverters are squares, the source a star; buses out of `band` have a thick rim.
    Without coordinates the feeder is drawn as a tree from its source.
    """
    from matplotlib.collections import LineCollection

    place = layout(network)
    size = max(9.0, 90.0 - 0.5 * network.n_bus)
    ends = np.stack([np.asarray(network.from_bus), np.asarray(network.to_bus)], axis=1)
    figure = new_figure(5.2 * len(voltages) + 0.8, 4.8)
    figure.suptitle(title)
    every = figure.subplots(1, len(voltages), squeeze=False)[0]
    # one scale centred on 1 p.u. for all; the colour map's middle is light, its ends differ in hue
    reach = max(0.055, max(np.abs(v - 1.0).max() for v in voltages.values()))
    inverter = np.isin(np.arange(network.n_bus), pv_buses)
    source = np.isin(np.arange(network.n_bus), network.slack_buses)
    for axes, (name, voltage) in zip(every, voltages.items()):
        axes.add_collection(LineCollection(list(place[ends]), colors="0.6", linewidths=1.2, zorder=1))
        outside = (voltage < band[0]) | (voltage > band[1])
        for chosen, marker, scale in (
            (~inverter & ~source, "o", 1.0),
            (inverter, "s", 1.6),
            (source, "*", 4.0),
        ):
            axes.scatter(
                *place[chosen].T,
                c=voltage[chosen],
                s=scale * size,
                marker=marker,
                cmap="RdBu_r",
                vmin=1.0 - reach,
                vmax=1.0 + reach,
                edgecolors="black",
                linewidths=np.where(outside[chosen], 2.0, 0.5),
                zorder=3 if marker != "o" else 2,
            )
        axes.set_title(
            f"{TITLES.get(name, name)}: {voltage.min():.3f} to {voltage.max():.3f} p.u., "
            f"{np.count_nonzero(outside)} of {network.n_bus} buses out",
            fontsize=10,
        )
        axes.set_axis_off()
        axes.margins(0.06)
    bar = figure.colorbar(
        every[0].collections[1], ax=list(every), shrink=0.8, label="voltage magnitude (p.u.)"
    )
    for limit in band:
        bar.ax.axhline(limit, color=LIMIT, lw=1.5)
    every[0].plot([], [], "s", color="0.8", mec="black", label="inverter")
    every[0].plot([], [], "*", color="0.8", mec="black", ms=11, label="source")
    every[0].plot([], [], "o", color="0.8", mec="black", mew=2.0, label="out of the band")
    figure.legend(*every[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return save(figure, path)


def layout(network: Network) -> np.ndarray:
    """Where to draw each bus, `[n_bus, 2]`: its coordinates, or a tree if any is unknown."""
    coordinates = np.asarray(network.coordinates)
    if np.isfinite(coordinates).all():
        return coordinates
    ends = np.stack([np.asarray(network.from_bus), np.asarray(network.to_bus)], axis=1)
    return tree(network.n_bus, ends, network.slack_buses)


def tree(n: int, ends: np.ndarray, sources: Sequence[int]) -> np.ndarray:
    """A tree of `n` buses from the sources to the right `[n, 2]`: depth across, every leaf a row of its own.

    `ends` are the buses of every branch, `[n_branch, 2]`. A branch that closes a loop does not shape the
    tree; the longest side of a fork goes straight on.
    """
    near: list[list[int]] = [[] for _ in range(n)]
    for a, b in np.asarray(ends).tolist():
        near[a].append(b)
        near[b].append(a)
    depth, parent = np.full(n, -1), np.full(n, -1)
    order = list(sources)
    depth[order] = 0
    for bus in order:
        for other in near[bus]:
            if depth[other] < 0:
                depth[other], parent[other] = depth[bus] + 1, bus
                order.append(other)
    reach = depth.copy()
    for bus in reversed(order):
        if parent[bus] >= 0:
            reach[parent[bus]] = max(reach[parent[bus]], reach[bus])
    row = np.full(n, -1.0)
    free = 0
    stack = list(reversed(sources))
    while stack:
        bus = stack.pop()
        above = parent[bus]
        if above >= 0 and row[above] >= 0 and not _continued(above, parent, row):
            row[bus] = row[above]
        else:
            row[bus] = free
            free += 1
        children = [other for other in near[bus] if parent[other] == bus]
        # popped from the end: the longest side first, on its parent's row
        stack.extend(sorted(children, key=lambda b: reach[b]))
    return np.stack([depth, -row], axis=1).astype(float)


def _continued(bus: int, parent: np.ndarray, row: np.ndarray) -> bool:
    """Whether a child of `bus` stands on its row already."""
    return bool(np.any((parent == bus) & (row == row[bus])))
