"""The costliest cases in one picture: what each cost, and the grid through the worst of them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from gridjax.evaluation.figures.style import LIMIT, dress, new_figure, save

_LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def plot_ranking(found: Mapping[str, Any], path: Path, title: str = "", number: int = 15) -> Path:
    """Each cost of the first `number` cases of `rank_cases`, in usual costs."""
    usual = found["usual"]
    costs = list(usual)
    cases = [case for case in found["ranked"][:number] if any(case[name] > 0.0 for name in costs)]
    free = sum(not any(case[name] > 0.0 for name in costs) for case in found["ranked"])
    figure = new_figure(8.5, 0.3 * len(cases) + 2.0)
    figure.suptitle(title, fontsize=11)
    axes = figure.subplots()
    places = np.arange(len(cases))
    height = 0.8 / max(len(costs), 1)
    for k, (name, colour) in enumerate(zip(costs, cycle(_LINES))):
        values = [case[name] / usual[name] for case in cases]
        axes.barh(places - 0.4 + (k + 0.5) * height, values, height, color=colour, label=name)
    axes.axvline(1.0, color=LIMIT, ls="--", lw=1.0)
    axes.set_yticks(places, [str(case["name"]) for case in cases])
    axes.invert_yaxis()
    dress(
        axes, f"times the mean where it occurs (-); {free} of {len(found['ranked'])} cases cost nothing", ""
    )
    axes.grid(visible=False, axis="y")
    if costs:
        axes.legend(frameon=False, loc="lower right", title="cost")
    return save(figure, path)


def plot_worst(found: Mapping[str, Any], path: Path, title: str = "") -> Path:
    """The worst cases (columns) through time: `panels`, each with a label and series `[n_case, n_step]`.

    Dotted is the median of each series over all cases; dashed lines are `limits`.
    """
    # a task may not say how long a step is
    hours = 1.0 if found["hours"] is None else float(found["hours"])
    shown = [case["name"] for case in found["ranked"][: found["shown"]]]
    panels = found["panels"]
    figure = new_figure(3.5 * len(shown) + 1.6, 1.75 * len(panels) + 1.0)
    figure.suptitle(title, fontsize=11)
    every = figure.subplots(len(panels), len(shown), sharex=True, sharey="row", squeeze=False)
    for row, panel in zip(every, panels):
        for column, axes in enumerate(row):
            for (name, values), colour in zip(panel["series"].items(), cycle(_LINES)):
                one, usual = np.asarray(values, float)[column], np.asarray(panel["median"][name], float)
                time = hours * np.arange(one.size)
                axes.plot(time, usual, color=colour, lw=1.0, ls=":")
                axes.plot(time, one, color=colour, lw=1.4, label=name)
                axes.set_xlim(0.0, hours * one.size)
            for limit in panel["limits"]:
                axes.axhline(limit, color=LIMIT, ls="--", lw=1.0)
            dress(axes, "", panel["label"] if column == 0 else "")
            axes.yaxis.label.set_fontsize(9)
        if len(panel["series"]) > 1:
            row[-1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    for axes, name in zip(every[0], shown):
        axes.set_title(name, fontsize=10)
    for axes in every[-1]:
        axes.set_xlabel("step" if found["hours"] is None else "time (h)")
    return save(figure, path)
