"""Figures of runs side by side, from a result of `experiments.compare`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gridjax.evaluation.figures.style import LIMIT, dress, new_figure, save, series
from gridjax.evaluation.learning_curve import SHARE

Report = Mapping[str, Any]

_ACROSS = ("environment steps of each seed (million)", "wall-clock of all seeds side by side (min)")
_GOAL = f"{100 * SHARE:.0f} % of the way to the best"


def draw_comparison(report: Report, folder: Path) -> list[Path]:
    """All figures that the files of the runs suffice for; their paths."""
    drawn = [
        learning_curves(report, folder / "learning_curves.png"),
        performance_profiles(report, folder / "performance_profiles.png"),
        improvements(report, folder / "probability_of_improvement.png"),
        interquartile_means(report, folder / "interquartile_means.png"),
    ]
    return [path for path in drawn if path is not None]


def learning_curves(report: Report, path: Path) -> Path | None:
    """Validation reward over environment steps and over wall-clock time, a row for every task.

    Lines are means over the seeds, bands their 95 % bootstrap intervals; the dashed line is the goal of the
    first run, and a ring where a run reached its own. None where no run has a curve.
    """
    styles = _styles(report)
    tasks = {
        title: {name: run for name, run in found["runs"].items() if run["curve"]}
        for title, found in report["tasks"].items()
    }
    tasks = {title: runs for title, runs in tasks.items() if runs}
    if not tasks:
        return None
    figure = new_figure(10, 0.6 + 3.4 * len(tasks))
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)
    rows = figure.subplots(len(tasks), 2, squeeze=False, sharey="row")
    for axes, (title, runs) in zip(rows, tasks.items()):
        for name, run in runs.items():
            curve, when, style = run["curve"], run["reached"], styles[name]
            steps, minutes = np.array(curve["steps"]) / 1e6, np.array(curve["seconds"]) / 60
            sparse = max(1, steps.size // 12)
            for one, x in zip(axes, (steps, minutes)):
                one.plot(x, curve["mean"], **_line(style), markevery=sparse, label=name)
                one.fill_between(x, curve["low"], curve["high"], color=style["color"], alpha=0.18, lw=0)
            if when:
                at = {"mfc": "white", "mec": style["color"], "color": style["color"], "mew": 1.8, "zorder": 5}
                level = curve["mean"][list(curve["steps"]).index(when["steps"])]
                axes[0].plot(when["steps"] / 1e6, level, style["marker"], **at)
                axes[1].plot(when["seconds"] / 60, level, style["marker"], **at)
        aim = next((run["goal"] for run in runs.values() if run["goal"]), None)
        for one, label in zip(axes, _ACROSS):
            if aim:
                one.axhline(aim["level"], color=LIMIT, lw=1.0, ls=(0, (1, 2)), label=_GOAL)
            dress(one, label, "", title)
            # room for the last marker
            one.set_xlim(0, 1.03 * one.dataLim.x1)
        axes[0].set_ylabel("validation reward per step (-)")
    _legend(figure, rows)
    return save(figure, path)


def performance_profiles(report: Report, path: Path) -> Path | None:
    """Share of seeds and held-out cases above each share of the way, with 95 % bands; None without a way."""
    panels = _panels(report)
    if not panels:
        return None
    styles = _styles(report)
    figure, every = _grid(len(panels), 4.6, 3.8)
    for axes, (title, runs) in zip(every, panels.items()):
        # all runs of a panel have the same thresholds
        x = 100 * np.array(next(iter(runs.values()))["profile"]["thresholds"])
        for name, found in runs.items():
            profile, style = found["profile"], styles[name]
            marks = {"markevery": (7 * list(styles).index(name) % 20, 20)}
            axes.plot(x, 100 * np.array(profile["share"]), **_line(style), **marks, label=name)
            low, high = 100 * np.array(profile["low"]), 100 * np.array(profile["high"])
            axes.fill_between(x, low, high, color=style["color"], alpha=0.18, lw=0)
        dress(axes, f"{_way(report, title)}, τ (%)", "seeds and cases above τ (%)", title)
        axes.set_ylim(0, 102)
        axes.set_xlim(x.min(), x.max())
    _legend(figure, [every])
    return save(figure, path)


def improvements(report: Report, path: Path) -> Path | None:
    """Probability that a seed of a run beats one of the first, with 95 % intervals; None without others."""
    panels = {title: dict(list(runs.items())[1:]) for title, runs in _panels(report).items()}
    firsts = {title: next(iter(runs)) for title, runs in _panels(report).items()}
    panels = {title: runs for title, runs in panels.items() if runs}
    if not panels:
        return None
    most = max(len(runs) for runs in panels.values())
    figure, every = _grid(len(panels), 4.6, 1.5 + 0.45 * most)
    for axes, (title, runs) in zip(every, panels.items()):
        _intervals(axes, {name: found["improvement"] for name, found in runs.items()}, _styles(report))
        axes.axvline(50, color=LIMIT, lw=1.0, ls="--")
        axes.set_xlim(0, 100)
        dress(axes, f"chance to beat {firsts[title]} (%)", "", title)
    return save(figure, path)


def interquartile_means(report: Report, path: Path) -> Path | None:
    """Interquartile mean of the shares of the way, with 95 % intervals over the seeds; None without a way."""
    panels = _panels(report)
    if not panels:
        return None
    most = max(len(runs) for runs in panels.values())
    figure, every = _grid(len(panels), 4.6, 1.5 + 0.45 * most)
    for axes, (title, runs) in zip(every, panels.items()):
        _intervals(axes, {name: found["iqm"] for name, found in runs.items()}, _styles(report))
        dress(axes, f"{_way(report, title)}, interquartile mean (%)", "", title)
    return save(figure, path)


def _panels(report: Report) -> dict[str, dict[str, Any]]:
    """Normalised results by task and run, all tasks together last."""
    panels = {
        title: {name: run["normalised"] for name, run in found["runs"].items() if run["normalised"]}
        for title, found in report["tasks"].items()
    }
    if report["all_tasks"]:
        panels["all tasks"] = report["all_tasks"]
    return {title: runs for title, runs in panels.items() if runs}


def _way(report: Report, title: str) -> str:
    """What a panel's shares are of: where no optimum was evaluated, the way ends at the best that was."""
    tasks = report["tasks"]
    shown = [tasks[title]] if title in tasks else list(tasks.values())
    ends = {run["way"]["end"] for found in shown for run in found["runs"].values() if run["way"]}
    return "share of the way" if ends == {"optimum"} else "share of the way to the best evaluated"


def _styles(report: Report) -> dict[str, dict[str, str]]:
    """A run looks the same in every panel."""
    names = dict.fromkeys(name for found in report["tasks"].values() for name in found["runs"])
    return {name: series(k) for k, name in enumerate(names)}


def _line(style: Mapping[str, str]) -> dict[str, Any]:
    return {**style, "ms": 4, "lw": 1.6}


def _intervals(axes: Any, entries: Mapping[str, Any], styles: Mapping[str, Mapping[str, str]]) -> None:
    """A row for every run: its value, and a bar from the lower to the upper bound; all in per cent."""
    for row, (name, found) in enumerate(entries.items()):
        low, high = (100 * bound for bound in found["over_seeds"])
        colour = styles[name]["color"]
        axes.plot([low, high], [row, row], color=colour, lw=8, alpha=0.35, solid_capstyle="butt")
        axes.plot(100 * found["value"], row, styles[name]["marker"], color=colour, ms=7)
    axes.set_yticks(range(len(entries)), list(entries))
    axes.set_ylim(len(entries) - 0.5, -0.5)


def _grid(number: int, width: float, height: float) -> tuple[Any, list[Any]]:
    """A figure and `number` panels, three to a row."""
    columns = min(number, 3)
    rows = -(-number // columns)
    figure = new_figure(width * columns, height * rows)
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.08)
    every = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in every[number:]:
        axes.remove()
    return figure, list(every[:number])


def _legend(figure: Any, rows: Any) -> None:
    """One for all panels, which may have different runs."""
    found = {}
    for axes in (one for row in rows for one in row):
        for handle, label in zip(*axes.get_legend_handles_labels()):
            found.setdefault(label, handle)
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=5, frameon=False)
