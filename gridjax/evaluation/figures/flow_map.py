"""The feeder as a map of flows: how heavily branches are loaded, which way power goes, who stands where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gridjax.evaluation.figures.feeder import layout
from gridjax.evaluation.figures.style import new_figure, save
from gridjax.network import Network


class Snapshot(NamedTuple):
    """One instant."""

    power: np.ndarray  # [n_branch], kW from from_bus to to_bus
    loading: np.ndarray  # [n_branch], share of the rating
    voltage: np.ndarray  # [n_bus], p.u.


def flow_map(
    network: Network, instants: Mapping[str, Snapshot], agent_buses: np.ndarray, path: Path, title: str
) -> Path:
    """A map per instant: colour of a branch is its loading, its width the power, the arrow which way.

    Loading in per cent of the rating, power in kW, voltage in p.u. Buses of prosumers, rows `[n_agent]`, are
    squares, the source a star; buses are coloured by voltage.
    """
    from matplotlib.collections import LineCollection

    place = layout(network)
    ends = np.stack([np.asarray(network.from_bus), np.asarray(network.to_bus)], axis=1)
    figure = new_figure(5.6 * len(instants) + 1.0, 4.8)
    figure.suptitle(title)
    every = figure.subplots(1, len(instants), squeeze=False)[0]
    heavy = max(0.05, max(float(one.loading.max()) for one in instants.values()))
    strong = max(1e-9, max(float(np.abs(one.power).max()) for one in instants.values()))
    reach = max(0.02, max(float(np.abs(one.voltage - 1.0).max()) for one in instants.values()))
    prosumer = np.isin(np.arange(network.n_bus), agent_buses)
    source = np.isin(np.arange(network.n_bus), network.slack_buses)
    lines = buses = None
    for axes, (label, one) in zip(every, instants.items()):
        lines = LineCollection(
            list(place[ends]),
            array=100 * one.loading,
            cmap="cividis_r",
            linewidths=1.0 + 5.0 * np.abs(one.power) / strong,
            zorder=1,
        )
        lines.set_clim(0.0, 100 * heavy)
        axes.add_collection(lines)
        for branch in np.flatnonzero(np.abs(one.power) > 0.02 * strong):
            start, stop = place[ends[branch]] if one.power[branch] > 0 else place[ends[branch][::-1]]
            middle = 0.5 * (start + stop)
            along = (stop - start) / max(float(np.linalg.norm(stop - start)), 1e-9)
            axes.annotate(
                "",
                xy=middle + 1e-3 * along,
                xytext=middle,
                arrowprops={"arrowstyle": "-|>", "color": "black", "mutation_scale": 13, "lw": 0},
                zorder=4,
            )
        for chosen, marker, size in ((~prosumer & ~source, "o", 26), (prosumer, "s", 90), (source, "*", 220)):
            buses = axes.scatter(
                *place[chosen].T,
                c=one.voltage[chosen],
                s=size,
                marker=marker,
                cmap="RdBu_r",
                vmin=1.0 - reach,
                vmax=1.0 + reach,
                edgecolors="black",
                linewidths=0.7,
                zorder=3,
            )
        axes.set_title(
            f"{label}: {one.voltage.min():.3f} to {one.voltage.max():.3f} p.u., "
            f"branches up to {100 * one.loading.max():.0f} %",
            fontsize=10,
        )
        axes.set_axis_off()
        axes.margins(0.06)
    figure.colorbar(lines, ax=list(every), shrink=0.75, label="loading of a branch (%)", pad=0.01)
    figure.colorbar(buses, ax=list(every), shrink=0.75, label="voltage magnitude (p.u.)", pad=0.01)
    every[0].plot([], [], "s", color="0.8", mec="black", label="prosumer")
    every[0].plot([], [], "*", color="0.8", mec="black", ms=11, label="source")
    every[0].plot([], [], ">", color="black", label="way of the power")
    figure.legend(*every[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return save(figure, path)
