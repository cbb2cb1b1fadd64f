"""Figures of how learning went: diagnostics of updates, and what the critic's values are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from gridjax.evaluation.figures.style import COLOURS, LIMIT, dress, new_figure, save, wrapped

# metric, label with unit, scale of the axis
_PANELS = (
    ("entropy", "entropy of the policy (nat)", "linear"),
    ("approximate_kl", "approximate KL per update (nat)", "log"),
    ("clip_fraction", "clipped ratios (%)", "linear"),
    ("explained_variance", "explained variance of values (-)", "linear"),
    ("value_error", "RMS error of values (as returns)", "log"),
    ("gradient_norm", "norm of the gradient (-)", "linear"),
)
_PALETTE = tuple(dict.fromkeys(COLOURS.values()))
_ONE = COLOURS["mappo"]


def learning_series(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What `plot_learning` draws, from the records of a `metrics.jsonl`.

    `steps` `[n]` and `series`: `[n, n_seed]` by panel, then by group of agents or bounded cost, "" being all.
    """
    series: dict[str, dict[str, Any]] = {}
    for metric, _, _ in _PANELS:
        for prefix in (metric, f"cost_{metric}"):
            for name in dict.fromkeys(name for record in records for name in record):
                head, _, which = name.partition("/")
                if head == prefix and all(name in record for record in records):
                    values = [np.atleast_1d(np.asarray(record[name], float)).tolist() for record in records]
                    label = which if prefix == metric else f"cost: {which}"
                    series.setdefault(metric, {})[label] = values
    return {"steps": [record["step"] for record in records], "series": series}


def plot_learning(found: Mapping[str, Any], path: Path, title: str = "") -> Path:
    """A panel per metric of `learning_series`: thin lines are seeds, thick ones their mean."""
    panels = [panel for panel in _PANELS if panel[0] in found["series"]]
    if not panels:
        raise ValueError("the records hold no metric of an update")
    steps = np.asarray(found["steps"], float) / 1e6
    rows = -(-len(panels) // 2)
    figure = new_figure(11, 2.9 * rows + 0.7)
    figure.suptitle(title, fontsize=11)
    every = figure.subplots(rows, 2, sharex=True, squeeze=False).ravel()
    names = dict.fromkeys(name for panel in panels for name in found["series"][panel[0]])
    others = [name for name in names if name]
    colours = {"": LIMIT if others else _ONE} | dict(zip(others, cycle(_PALETTE)))
    whole = "reward, all agents" if any(name.startswith("cost: ") for name in others) else "all agents"
    handles: dict[str, Any] = {}
    for axes, (metric, label, scale) in zip(every, panels):
        factor = 100.0 if metric == "clip_fraction" else 1.0
        lowest = np.inf
        for name, values in found["series"][metric].items():
            seeds = factor * np.asarray(values, float)
            lowest = min(lowest, float(np.quantile(seeds, 0.02)))
            style = {"color": colours[name], "ls": "--" if name.startswith("cost: ") else "-"}
            if seeds.shape[1] > 1:
                axes.plot(steps, seeds, lw=0.7, alpha=0.5, **style)
            marker = "o" if len(steps) == 1 else None
            (line,) = axes.plot(steps, np.nanmean(seeds, axis=1), lw=2.0, marker=marker, **style)
            handles.setdefault(name or whole, line)
        dress(axes, "", label)
        positive = all((np.asarray(v, float) > 0).all() for v in found["series"][metric].values())
        if scale == "log" and positive:
            axes.set_yscale("log")
        if metric == "explained_variance":
            axes.axhline(0.0, color=LIMIT, lw=0.8)
            axes.set_ylim(max(min(lowest, 0.0), -1.0) - 0.05, 1.02)
    for axes in every[max(len(panels) - 2, 0) : len(panels)]:
        axes.set_xlabel("environment steps of each seed (million)")
        axes.tick_params(labelbottom=True)
    for axes in every[len(panels) :]:
        axes.set_visible(False)
    if others:
        figure.legend(
            handles.values(),
            handles.keys(),
            loc="outside lower center",
            ncols=min(len(handles), 6),
            frameon=False,
        )
    return save(figure, path)


def plot_value_error(found: Mapping[str, Any], path: Path, title: str = "") -> Path:
    """Calibration of every stream (rows) and group of agents (columns), from `calibration`.

    Grey is how often value and return came together; dots are tenths of the steps by their value, bars the
    middle half of the returns that followed. On the diagonal a critic is right in the mean.
    """
    streams = list(found["streams"])
    groups = list(found["streams"][streams[0]])
    width = max(4.1 * len(groups), 6.5)
    figure = new_figure(width, 4.1 * len(streams) + 0.9)
    figure.suptitle(wrapped(title, width), fontsize=11)
    every = figure.subplots(len(streams), len(groups), squeeze=False)
    for row, stream in zip(every, streams):
        for axes, group in zip(row, groups):
            one = found["streams"][stream][group]
            edges, counts = np.asarray(one["edges"], float), np.asarray(one["counts"], float)
            shown = np.ma.masked_equal(np.log10(np.maximum(counts.T, 1e-9)), -9.0)
            axes.pcolormesh(
                edges,
                edges,
                shown,
                cmap="Greys",
                vmin=-1.0,
                vmax=max(np.log10(counts.max(initial=1)), 0.1) * 1.6,
            )
            axes.plot(edges[[0, -1]], edges[[0, -1]], color=LIMIT, lw=1.0, ls="--")
            bins = one["bins"]
            middle, quartiles = np.asarray(bins["realised"], float), np.asarray(bins["quartiles"], float)
            axes.vlines(bins["value"], quartiles[:, 0], quartiles[:, 1], color=_ONE, lw=1.6)
            axes.plot(bins["value"], middle, "o-", color=_ONE, ms=5, lw=1.2, mec="white")
            explained = one["explained_variance"]
            heading = f"{group}: {stream}\nbias {one['bias']:+.2g}, RMSE {one['root_mean_square']:.2g}"
            heading += "\nexplained variance " + ("-" if explained is None else f"{explained:.2f}")
            unit = "reward" if stream == "reward" else "cost"
            dress(axes, f"value foretold (discounted {unit})", "", "")
            axes.set_title(heading, fontsize=9)
            axes.set_xlim(edges[0], edges[-1])
            axes.set_ylim(edges[0], edges[-1])
            axes.set_box_aspect(1)
            axes.locator_params(nbins=5)
            if axes is row[0]:
                axes.set_ylabel(f"return realised (discounted {unit})")
    return save(figure, path)
