"""Figures of a facility that rides through outages: how long it survives, and what one of them costs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import cycle
from pathlib import Path

import numpy as np

from gridjax.evaluation.figures.style import COLOURS, LIMIT, dress, new_figure, save
from gridjax.evaluation.survival import trapezoid
from gridjax.evaluation.tables.titles import TITLES


def plot_survival(curves: Mapping[str, np.ndarray], hours: float, path: Path, title: str = "") -> Path:
    """Survival S(T), `[n_step]` for T from 1 step of `hours`, a curve per controller; nan is left out."""
    figure = new_figure(7, 4.2)
    axes = figure.subplots()
    colours = _colours(curves)
    # the first is the widest, so that curves on top of each other are all seen
    widths = np.linspace(min(1.4 * len(curves), 5.0), 1.4, len(curves))
    for width, (name, curve) in zip(widths, curves.items()):
        survived = np.concatenate([[1.0], np.asarray(curve, float)])
        axes.step(
            hours * np.arange(survived.size),
            100 * survived,
            where="post",
            color=colours[name],
            lw=width,
            solid_capstyle="butt",
            label=TITLES.get(name, name),
        )
    dress(axes, "length of the outage (h)", "critical load survives, S(T) (%)", title)
    axes.set_xlim(0, hours * max(len(curve) for curve in curves.values()))
    axes.set_ylim(-3, 103)
    figure.legend(loc="outside right upper", frameon=False)
    return save(figure, path)


def plot_trapezoid(
    performances: Mapping[str, np.ndarray], hours: float, begin: int, end: int, path: Path, title: str = ""
) -> Path:
    """Share of demand served in each step, `[n_step]`, around an outage of steps begin to end (exclusive).

    A panel per controller; what was lost is filled, and its area in the heading (`trapezoid`).
    """
    figure = new_figure(3.6 * len(performances) + 0.6, 4.0)
    figure.suptitle(title)
    every = figure.subplots(1, len(performances), sharex=True, sharey=True, squeeze=False)[0]
    colours = _colours(performances)
    for axes, (name, performance) in zip(every, performances.items()):
        shape = trapezoid(performance, hours, begin, end)
        percent = 100 * np.append(performance, np.asarray(performance)[-1])
        time = hours * (np.arange(percent.size) - begin)
        axes.axvspan(0, hours * (end - begin), color=LIMIT, alpha=0.1, lw=0, label="no grid")
        axes.fill_between(time, percent, 100, step="post", color=colours[name], alpha=0.3, lw=0)
        axes.step(time, percent, where="post", color=colours[name], lw=1.8)
        heading = f"{TITLES.get(name, name)}\narea {shape.area:.2f} h, depth {100 * shape.depth:.0f} %"
        dress(axes, "time since the outage began (h)", "", heading)
        axes.set_xlim(time[0], time[-1])
    every[0].set_ylabel("demand served (%)")
    every[0].set_ylim(-3, 103)
    figure.legend(*every[0].get_legend_handles_labels(), loc="outside lower center", frameon=False)
    return save(figure, path)


def _colours(names: Iterable[str]) -> dict[str, str]:
    """A colour each: its own, or one that none of the others has where it has none or shares it."""
    names, found = list(names), {}
    for name in names:
        if name in COLOURS and COLOURS[name] not in found.values():
            found[name] = COLOURS[name]
    palette = list(dict.fromkeys([*COLOURS.values(), "#000000"]))
    free = cycle([colour for colour in palette if colour not in found.values()] or palette)
    return {name: found.get(name) or next(free) for name in names}
