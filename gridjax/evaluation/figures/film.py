"""A recording as pictures of its steps: maps above what is measured, a column per policy."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import jax
import numpy as np

from gridjax.evaluation.figures.moving_map import DEAD, GAUGES, MovingMap
from gridjax.evaluation.figures.moving_strips import MovingStrips, largest, strips_of
from gridjax.evaluation.figures.style import LIMIT, new_figure
from gridjax.evaluation.replay import Recording


class Film:
    """`frame(k)` is the picture of step k of `steps`: what does not move is drawn once for all of them."""

    def __init__(self, rollout: Recording) -> None:
        view = rollout.view
        lengths = [_lived(terminated) for terminated in rollout.terminated]
        self.steps = max(lengths, default=0)
        if self.steps == 0:
            raise ValueError("the rollout has no step, expected a recording of at least one")
        # a grid that has failed stays as it was
        kept = [np.minimum(np.arange(self.steps), length - 1) for length in lengths]
        looks = [jax.tree.map(lambda x, k=k: np.asarray(x)[k], one) for one, k in zip(rollout.looks, kept)]
        self._rollout, self._first = rollout, looks[0]
        most = largest(looks)
        strips = [strips_of(view, one, most) for one in looks]

        figure, maps, below, side = _panels(len(looks), len(strips[0]))
        self._figure = figure
        scales, hour = _scales(rollout, looks), float(looks[0].hour[0])
        self._parts: list[Any] = []
        for name, one, strip, above, column in zip(rollout.policies, looks, strips, maps, below):
            above.set_title(name, fontsize=12)
            self._parts += [
                MovingMap(above, view, one, **scales),
                MovingStrips(column, strip, one, hour, view.hours),
            ]
        drawn = self._parts[0]
        bar = figure.colorbar(drawn.buses, cax=side[0], label="voltage (p.u.)")
        for limit in view.voltage_band:
            bar.ax.axhline(limit, color=LIMIT, lw=1.5)
        if view.rated.any():
            figure.colorbar(drawn.lines, cax=side[1], label="loading of a line (%)")
        else:
            side[1].set_axis_off()
        for axes, labelled in zip(side[2:], below[0]):
            axes.set_axis_off()
            axes.legend(*labelled.get_legend_handles_labels(), loc="center left", frameon=False, fontsize=9)
        _legend(figure, rollout)
        self._title = figure.suptitle(" ", fontsize=13, x=0.02, ha="left")
        self._still = self._without_what_moves()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, both even, as video needs."""
        return self._figure.canvas.get_width_height()

    def frame(self, step: int) -> np.ndarray:
        """The picture of a step, uint8 `[height, width, 3]`."""
        canvas = self._figure.canvas
        canvas.restore_region(self._still)
        self._title.set_text(self._when(step))
        for part in self._parts:
            part.show(step)
            for artist in part.artists:
                artist.draw(canvas.renderer)
        self._title.draw(canvas.renderer)
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()

    def _without_what_moves(self) -> Any:
        """Lay out once, and draw once all that stays."""
        figure, moving = self._figure, [*(a for part in self._parts for a in part.artists), self._title]
        for part in self._parts:
            part.show(0)
        figure.canvas.draw()
        figure.set_layout_engine("none")
        for artist in moving:
            artist.set_animated(True)
        figure.canvas.draw()
        return figure.canvas.copy_from_bbox(figure.bbox)

    def _when(self, step: int) -> str:
        view = self._rollout.view
        clock = view.clock(jax.tree.map(lambda x: x[step], self._first))
        day, minutes = date(2016, 1, 1) + timedelta(days=clock["day"]), round(60 * clock["hour"])
        when = f"{day.day} {day:%B}, {minutes // 60:02d}:{minutes % 60:02d}"
        return f"{view.env.name} on {view.network}: {when}"


def _panels(columns: int, strips: int) -> tuple[Any, list[Any], list[list[Any]], list[Any]]:
    """A figure, its maps, the strips below each; beside them two places for colour bars and one a strip."""
    figure = new_figure(6.0 * columns + 2.2, 5.0 + 1.2 * strips)
    heights, widths = (4.2, *(1.0,) * strips), (*(6.0,) * columns, 2.2)
    grid = figure.add_gridspec(1 + strips, columns + 1, height_ratios=heights, width_ratios=widths)
    maps, below = [], []
    for column in range(columns):
        maps.append(figure.add_subplot(grid[0, column]))
        last: Any = None
        found = []
        for row in range(strips, 0, -1):
            beside = below[0][row - 1] if column else None
            axes = figure.add_subplot(grid[row, column], sharex=last, sharey=beside)
            if last is None:
                last = axes
            else:
                axes.tick_params(labelbottom=False)
            found.insert(0, axes)
        below.append(found)
    bars = grid[0, columns].subgridspec(1, 2)
    side = [figure.add_subplot(bars[0, k]) for k in range(2)]
    for axes in side:
        axes.set_box_aspect(22)
    side += [figure.add_subplot(grid[row, columns]) for row in range(1, strips + 1)]
    return figure, maps, below, side


def _lived(terminated: np.ndarray) -> int:
    """Steps up to the one in which the grid fails."""
    ended = np.flatnonzero(terminated)
    return int(ended[0]) + 1 if ended.size else len(terminated)


def _scales(rollout: Recording, looks: list[Any]) -> dict[str, float]:
    """Ends of the scales of all maps, see `MovingMap`."""
    low, high = rollout.view.voltage_band
    voltage = np.concatenate([one.voltage[one.voltage > 0.0].ravel() for one in looks])
    kw = np.concatenate([np.where(one.lines.service, one.lines.kw, 0.0).ravel() for one in looks])
    loading = np.concatenate([one.lines.loading.ravel() for one in looks])
    reactive = np.concatenate([np.nan_to_num(one.agents["reactive_kvar"]).ravel() for one in looks])
    return {
        "voltage_reach": max(1.1 * (high - 1.0), 1.1 * (1.0 - low), np.abs(voltage - 1.0).max(initial=0.0)),
        "heaviest": max(0.05, float(loading.max(initial=0.0))),
        "strongest": max(1e-9, float(np.abs(kw).max(initial=0.0))),
        "most_reactive": max(1e-9, float(np.abs(reactive).max(initial=0.0))),
    }


def _legend(figure: Any, rollout: Recording) -> None:
    """What the marks on the maps are."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    view, look = rollout.view, rollout.looks[0]

    def mark(marker: str, label: str, colour: str = "0.85", **style: Any) -> Any:
        return Line2D([], [], ls="", marker=marker, mfc=colour, mec="black", label=label, **style)

    keys = [
        mark("*", "source", ms=12),
        mark("s", "bus with an agent"),
        mark(">", "way of the power", "black"),
        mark("o", "voltage out of the band", mew=2.0),
        mark("o", "dead", DEAD),
    ]
    groups = {agent["group"] for agent in view.agents}
    if any(agent["line"] is not None for agent in view.agents):
        keys += [mark("s", "closed switch", "black", ms=5), mark("s", "open switch", "white", ms=5)]
    charge = np.isfinite(look.agents["charge"]).any()
    if charge and groups != {"generator"}:
        keys.append(Patch(fc=GAUGES["charge"], ec="black", label="charge of a battery"))
    if charge and "generator" in groups:
        keys.append(Patch(fc=GAUGES["fuel"], ec="black", label="fuel (thick rim: runs)"))
    if np.isfinite(look.agents["reactive_kvar"]).any():
        keys.append(Patch(fc=GAUGES["supplies"], ec="black", label="supplies reactive power"))
        keys.append(Patch(fc=GAUGES["absorbs"], ec="black", label="absorbs it"))
    figure.legend(
        handles=keys, loc="outside lower center", ncols=2 + 2 * len(rollout.looks), frameon=False, fontsize=9
    )
