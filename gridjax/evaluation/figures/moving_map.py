"""The feeder as a map that moves: drawn once, then told the step that it shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridjax.evaluation.figures.feeder import tree
from gridjax.evaluation.figures.style import FLOWS
from gridjax.evaluation.views import Look, View

DEAD, ALARM = "#222222", "#D55E00"
GAUGES = {
    "charge": FLOWS["battery"],
    "fuel": "#7F4F24",
    "supplies": "#0072B2",
    "absorbs": "#CC79A7",
}
_ISLAND, _DARK = "#FBE6D8", "#C8C8C8"
_WIDE, _HIGH = 6.0, 22.0  # pt, of a gauge in a network of at most `_FEW` lines; in larger ones all is smaller
_ARROW, _FEW = 0.13, 45  # inches
_THIN, _THICK = 1.0, 6.0  # pt, of a line without power and of the strongest
_FLOWING = 0.004  # share of the strongest power above which a line has an arrow


class MovingMap:
    """Buses by voltage, lines by loading with arrows, a gauge beside every agent that stores or compensates.

    `voltage_reach` (p.u. about 1), `heaviest` (share of a rating), `strongest` (kW) and `most_reactive`
    (kvar) are the ends of the scales, the same for all maps of a film.
    `artists` are all that change, back to front.
    """

    def __init__(
        self,
        axes: Any,
        view: View,
        looks: Look,
        *,
        voltage_reach: float,
        heaviest: float,
        strongest: float,
        most_reactive: float,
    ) -> None:
        from matplotlib import colormaps
        from matplotlib.collections import LineCollection
        from matplotlib.patches import Rectangle

        self._view, self._looks, self._strongest = view, looks, strongest
        rows = {bus["id"]: k for k, bus in enumerate(view.grid["buses"])}
        lines = view.grid["lines"]
        ends = np.array([[rows[line["source"]], rows[line["target"]]] for line in lines]).reshape(-1, 2)
        self._place = place = places(view, ends)
        self._along = place[ends[:, 1]] - place[ends[:, 0]]
        small = max(min(1.0, (_FEW / max(len(ends), 1)) ** 0.5), 0.4)
        middle = 0.5 * (place[ends[:, 1]] + place[ends[:, 0]])

        axes.set_aspect("equal", adjustable="datalim")
        axes.set_axis_off()
        self._frame = axes.add_patch(
            Rectangle((0, 0), 1, 1, transform=axes.transAxes, clip_on=False, zorder=0)
        )
        self.lines = axes.add_collection(
            LineCollection(
                list(place[ends]),
                cmap=colormaps["cividis_r"].with_extremes(bad="0.5"),
                clim=(0.0, 100.0 * heaviest),
                array=np.zeros(len(ends)),
                zorder=1,
            )
        )
        self._arrows = axes.quiver(
            *middle.T,
            *np.zeros_like(middle).T,
            angles="xy",
            pivot="mid",
            units="inches",
            scale_units="inches",
            scale=1.0 / (small * _ARROW),
            width=0.02 * small,
            headwidth=6.0,
            headlength=6.5,
            headaxislength=6.5,
            minlength=0.0,
            color="black",
            zorder=2,
        )
        homes = {rows[agent["bus"]] for agent in view.agents if agent["bus"] is not None}
        kind = np.array(["*" if k in view.sources else "s" if k in homes else "o" for k in range(len(place))])
        size = max(12.0, 60.0 - 0.3 * len(place))
        self._buses = {
            mark: (
                np.flatnonzero(kind == mark),
                axes.scatter(
                    *place[kind == mark].T,
                    c=np.zeros(np.count_nonzero(kind == mark)),
                    s=scale * size,
                    marker=mark,
                    cmap=colormaps["RdBu_r"].with_extremes(bad=DEAD),
                    vmin=1.0 - voltage_reach,
                    vmax=1.0 + voltage_reach,
                    edgecolors="black",
                    zorder=3,
                ),
            )
            for mark, scale in (("o", 0.7), ("s", 1.6), ("*", 4.5))
        }
        self.buses = self._buses["o"][1]
        by_id = {line["id"]: k for k, line in enumerate(lines)}
        self._switched = np.array([by_id[a["line"]] for a in view.agents if a["line"] is not None], int)
        self._switches = axes.scatter(
            *middle[self._switched].T, s=34, marker="s", edgecolors="black", linewidths=1.2, zorder=4
        )
        self._gauges = _Gauges(axes, view, looks, place, rows, most_reactive, small)
        self._banner = axes.text(
            0.5,
            0.985,
            "",
            transform=axes.transAxes,
            ha="center",
            va="top",
            color="white",
            fontsize=12,
            fontweight="bold",
            zorder=9,
            bbox={"facecolor": ALARM, "edgecolor": "none", "pad": 5.0},
        )
        low, high = place.min(axis=0), place.max(axis=0)
        room = 0.09 * np.maximum(high - low, 1e-9)
        # above there is more, for the banner
        axes.update_datalim([low - room, high + room * (1.0, 2.4)])
        axes.margins(0.0)
        self.artists = [
            self._frame,
            self.lines,
            self._arrows,
            *(points for _, points in self._buses.values()),
            self._switches,
            *self._gauges.artists,
            self._banner,
        ]

    def show(self, step: int) -> None:
        """Show a step of the recording."""
        looks, view = self._looks, self._view
        voltage, kw, service = looks.voltage[step], looks.lines.kw[step], looks.lines.service[step]
        dead = voltage <= 0.0
        for where, points in self._buses.values():
            shown = voltage[where]
            points.set_array(np.ma.masked_where(dead[where], shown))
            low, high = view.voltage_band
            outside = ~dead[where] & ((shown < low) | (shown > high))
            points.set_linewidths(np.where(outside, 2.0, 0.5))
        self.lines.set_array(np.ma.masked_where(~service | ~view.rated, 100.0 * looks.lines.loading[step]))
        strength = np.where(service, np.abs(kw), 0.0) / self._strongest
        self.lines.set_linewidths(_THIN + (_THICK - _THIN) * np.sqrt(strength))
        self.lines.set_linestyles(np.where(service, "-", ":").tolist())
        length = np.maximum(np.linalg.norm(self._along, axis=1), 1e-12)
        way = np.where(strength > _FLOWING, np.sign(kw), 0.0) / length
        self._arrows.set_UVC(*(way[:, None] * self._along).T)
        self._switches.set_facecolors(np.where(service[self._switched], "black", "white"))
        self._gauges.show(step)
        self._tell(step)

    def _tell(self, step: int) -> None:
        looks = self._looks
        share = float(looks.energised[step])
        text, colour, back = "", ALARM, "white"
        if share <= 0.0:
            text, colour, back = "BLACKOUT: nothing is supplied", "black", _DARK
        elif looks.islanded[step]:
            text, back = "ISLAND: no connection to the grid", _ISLAND
        if 0.0 < share < 1.0 - 1e-6:
            part = f"{100 * (1 - share):.0f} % of the buses without supply"
            text, back = f"{text}\n{part}" if text else part.upper(), _ISLAND
        self._banner.set_text(text)
        self._banner.set_visible(bool(text))
        self._banner.get_bbox_patch().set_facecolor(colour)
        self._frame.set(facecolor=back, edgecolor=colour if text else "0.8", linewidth=5.0 if text else 0.8)


def places(view: View, ends: np.ndarray) -> np.ndarray:
    """Where a view's buses are drawn, `[n_bus, 2]`: their coordinates, or a tree if any is unknown."""
    found = np.array([[bus["x"], bus["y"]] for bus in view.grid["buses"]], float)
    return found if np.isfinite(found).all() else tree(len(found), ends, view.sources)


class _Gauges:
    """Bars of one size in points: full for a full battery or tank, from the middle for reactive power."""

    def __init__(
        self,
        axes: Any,
        view: View,
        looks: Look,
        place: np.ndarray,
        rows: dict[str, int],
        most_reactive: float,
        small: float,
    ) -> None:
        from matplotlib.collections import PolyCollection
        from matplotlib.transforms import IdentityTransform

        self._looks, self._most = looks, most_reactive
        with_charge: Any = np.isfinite(looks.agents["charge"]).any(axis=0)
        with_reactive: Any = np.isfinite(looks.agents["reactive_kvar"]).any(axis=0)
        self._charged = with_charge
        self._agents = np.array(
            [
                k
                for k, agent in enumerate(view.agents)
                if agent["bus"] is not None and (with_charge | with_reactive)[k]
            ],
            int,
        )
        self._fuel = np.array([view.agents[k]["group"] == "generator" for k in self._agents], bool)
        homes = [rows[view.agents[k]["bus"]] for k in self._agents]
        beside = np.array([homes[:k].count(home) for k, home in enumerate(homes)], float)
        self._wide, self._high = small * _WIDE, small * _HIGH
        self._left = small * (7.0 + (_WIDE + 3.0) * beside)

        def collection(**style: Any) -> Any:
            return axes.add_collection(
                PolyCollection(
                    [self._bar(left, 0.0, 1.0) for left in self._left],
                    sizes=(1.0,),
                    offsets=place[homes].reshape(-1, 2),
                    offset_transform=axes.transData,
                    transform=IdentityTransform(),
                    **style,
                ),
                autolim=False,
            )

        self._frames = collection(facecolors="white", edgecolors="black", linewidths=1.0, zorder=5)
        self._fills = collection(linewidths=0.0, zorder=6)
        self.artists = [self._frames, self._fills] if homes else []

    def show(self, step: int) -> None:
        if not self._agents.size:
            return
        looks, agents = self._looks, self._agents
        charge = np.nan_to_num(looks.agents["charge"][step][agents])
        reactive = np.nan_to_num(looks.agents["reactive_kvar"][step][agents]) / self._most
        stores = self._charged[agents]
        bottom = np.where(stores, 0.0, 0.5)
        top = np.where(stores, charge, 0.5 + 0.5 * reactive)
        self._fills.set_verts([self._bar(*one) for one in zip(self._left, bottom, top)])
        signed = np.where(reactive >= 0.0, GAUGES["supplies"], GAUGES["absorbs"])
        stored = np.where(self._fuel, GAUGES["fuel"], GAUGES["charge"])
        self._fills.set_facecolors(np.where(stores, stored, signed))
        self._frames.set_linewidths(np.where(looks.running[step][agents] > 0.0, 2.4, 0.9))

    def _bar(self, left: float, bottom: float, top: float) -> np.ndarray:
        """From `bottom` to `top` as shares of the height of a gauge; corners in points."""
        right, low, high = left + self._wide, bottom * self._high, top * self._high
        return np.array([[left, low], [right, low], [right, high], [left, high]])
