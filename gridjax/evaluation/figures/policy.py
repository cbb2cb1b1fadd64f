"""Figures of what a policy does: distributions of its actions, and what goes with what.

All take what `analysis.json` holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from gridjax.evaluation.figures.style import LIMIT, dress, new_figure, save

_VIOLINS = 24  # agents up to which each has a violin; more are drawn as a map
_KIND_COLOURS = {"observation": "#0072B2", "action": "#D55E00", "grid": "#009E73"}


def plot_actions(groups: Mapping[str, Sequence[Mapping[str, Any]]], path: Path, title: str = "") -> Path:
    """Entries of `action_distribution` by group: a panel each, agents side by side.

    A violin is as wide as its agent's action is frequent, the dot its median, the bar its middle half; with
    many agents, and for choices, shares are colours.
    """
    panels = [(group, entry) for group, entries in groups.items() for entry in entries]
    most = max(len(entry["shares"]) for _, entry in panels)
    columns = 1 if most > _VIOLINS or len(panels) == 1 else 2
    rows = -(-len(panels) // columns)
    width = 6.2 if columns == 2 else min(max(6.5, 0.12 * most + 3.0), 13.0)
    figure = new_figure(width * columns, 2.9 * rows + 0.5)
    figure.suptitle(title, fontsize=11)
    every = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (group, entry) in zip(every, panels):
        shares = np.asarray(entry["shares"], float)
        name, _, unit = str(entry["label"]).partition(" [")
        heading = fill(f"{group}: {name}", 62)
        if "levels" in entry or shares.shape[0] > _VIOLINS:
            _map(figure, axes, entry, shares)
        else:
            _violins(axes, entry, shares)
        label = "choice" if "levels" in entry else "action (-)"
        if unit:
            heading += "\n" + fill(
                f"1 is: {unit.rstrip(']')}" if _stands_alone(unit) else unit.rstrip("]"), 62
            )
        dress(axes, "agent", label, "")
        axes.set_title(heading, fontsize=9, loc="left")
        if shares.shape[0] <= _VIOLINS:
            axes.set_xticks(range(shares.shape[0]))
    for axes in every[len(panels) :]:
        axes.set_visible(False)
    return save(figure, path)


def _stands_alone(unit: str) -> bool:
    """Whether a unit says what 1 is, rather than what several actions mean."""
    return not any(mark in unit for mark in (" off", "-1 ", "from 0", "up to 0", "beyond"))


def _violins(axes: Any, entry: Mapping[str, Any], shares: np.ndarray) -> None:
    edges = np.asarray(entry["edges"], float)
    middles = 0.5 * (edges[1:] + edges[:-1])
    for agent, (row, quartiles) in enumerate(zip(shares, np.asarray(entry["quartiles"], float))):
        half = 0.42 * row / max(row.max(), 1e-9)
        axes.fill_betweenx(middles, agent - half, agent + half, step="mid", color="#56B4E9", lw=0)
        axes.plot([agent, agent], quartiles[[0, 2]], color="#0072B2", lw=3.0, solid_capstyle="butt")
        axes.plot(agent, quartiles[1], "o", ms=4.5, color="black", mfc="white", zorder=3)
    axes.axhline(0.0, color=LIMIT, lw=0.8)
    # the whole of what could be done, or a policy that does nothing would look busy
    axes.set_ylim(1.05 * min(edges[0], -1.0), 1.05 * max(edges[-1], 1.0))
    axes.set_xlim(-0.6, shares.shape[0] - 0.4)


def _map(figure: Any, axes: Any, entry: Mapping[str, Any], shares: np.ndarray) -> None:
    edges = np.asarray(entry.get("edges", np.arange(len(entry.get("levels", ())) + 1) - 0.5), float)
    agents = np.arange(shares.shape[0] + 1) - 0.5
    image = axes.pcolormesh(agents, edges, 100 * shares.T, cmap="cividis", vmin=0.0)
    figure.colorbar(image, ax=axes, label="share of the steps (%)")
    if "quartiles" in entry:
        median = np.asarray(entry["quartiles"], float)[:, 1]
        axes.plot(range(median.size), median, ".", ms=3, color="white", label="median")
    else:
        axes.set_yticks(entry["levels"])


def plot_correlation(found: Mapping[str, Any], path: Path, title: str = "") -> Path:
    """The matrix of `rank_correlation`; numbers stand in it where it is small enough."""
    matrix, kinds = np.asarray(found["matrix"], float), list(found["kinds"])
    labels = [_short(name, len(found["merged"].get(name, ()))) for name in found["labels"]]
    n = matrix.shape[0]
    longest = max(map(len, labels))
    cell = 0.21 if n > 24 else 0.3
    inches = max(cell * n, 3.5) + 0.062 * longest + 1.2
    figure = new_figure(inches, inches - 0.3)
    figure.suptitle(title, fontsize=11)
    axes = figure.subplots()
    image = axes.imshow(matrix, cmap="PuOr_r", vmin=-1.0, vmax=1.0)
    figure.colorbar(image, ax=axes, label="rank correlation (-)", shrink=0.5, pad=0.01)
    size = 7.5 if n > 24 else 9
    for axis, rotation in ((axes.xaxis, 90), (axes.yaxis, 0)):
        axis.set_ticks(range(n), labels, fontsize=size, rotation=rotation)
        for text, kind in zip(axis.get_ticklabels(), kinds):
            text.set_color(_KIND_COLOURS.get(kind, "black"))
    for k in range(1, n):
        if kinds[k] != kinds[k - 1]:
            axes.axhline(k - 0.5, color="black", lw=1.2)
            axes.axvline(k - 0.5, color="black", lw=1.2)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    legible = np.abs(matrix) >= (0.25 if n <= 60 else 2.0)  # in more cells they would be too small
    for row, column in np.argwhere(legible):
        value = matrix[row, column]
        if row != column:
            text = f"{value:.1f}".replace("0.", ".")
            colour = "white" if abs(value) > 0.75 else "black"
            axes.text(column, row, text, ha="center", va="center", fontsize=5.5, color=colour)
    from matplotlib.patches import Patch

    shown = [Patch(color=colour, label=kind) for kind, colour in _KIND_COLOURS.items() if kind in kinds]
    figure.legend(handles=shown, loc="outside lower center", ncols=3, frameon=False)
    return save(figure, path)


def _short(label: str, others: int) -> str:
    """Without its unit, which correlation does not have, and with how many it stands for besides."""
    name = label.partition(" [")[0]
    name = name if len(name) <= 44 else name[:42] + "…"
    return f"{name} (+{others} alike)" if others else name
