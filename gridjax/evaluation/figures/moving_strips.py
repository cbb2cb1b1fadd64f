"""Measures of a recording that grow with time, one strip above the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gridjax.evaluation.figures.style import FLOWS, LIMIT, dress
from gridjax.evaluation.views import Look, View

_TIERS = {"critical": "#D55E00", "priority": "#E69F00", "discretionary": "#56B4E9"}

_CRUMB = 0.01  # kWh in a step, below which nothing counts as lost


class Strip(NamedTuple):
    """Quantities on one axis."""

    label: str  # with unit
    series: Mapping[str, tuple[np.ndarray, str]]  # `[n_step]` and colour by name
    limits: tuple[float, ...] = ()


def largest(looks: Sequence[Look]) -> dict[str, float]:
    """Largest absolute value of every metric, of all policies."""
    return {
        name: max(float(np.nanmax(np.abs(np.asarray(one.metrics[name])), initial=0.0)) for one in looks)
        for name in looks[0].metrics
    }


def strips_of(view: View, looks: Look, most: Mapping[str, float]) -> list[Strip]:
    """What there is to see of a policy: voltage and power, then what stores, compensates, or is lost.

    `most` is of all policies, so that their strips are the same: what is `largest` as 0 is left out.
    """
    m = {name: np.asarray(value) for name, value in looks.metrics.items()}
    live = np.asarray(looks.energised) > 0.0

    def measured(*series: tuple[str, str, float, str]) -> dict[str, tuple[np.ndarray, str]]:
        return {name: (factor * m[key], colour) for name, key, factor, colour in series if key in m}

    found = [
        Strip(
            "voltage (p.u.)",
            {
                name: (np.where(live, values, np.nan), colour)
                for name, (values, colour) in measured(
                    ("highest bus", "voltage_max", 1.0, "#0072B2"),
                    ("lowest bus", "voltage_min", 1.0, "#CC79A7"),
                ).items()
            },
            view.voltage_band,
        )
    ]
    powers = [
        ("demand", "demand_kw", FLOWS["demand"]),
        ("generation", "generation_kw", FLOWS["sun"]),
        ("at the source", "slack_kw", FLOWS["grid"]),
        ("to neighbours", "peer_kw", FLOWS["peers"]),
    ]
    powers = [one for one in powers if most.get(one[1], 0.0) > 0.0]
    large = max((most[key] for _, key, _ in powers), default=0.0) >= 1e3
    unit, factor = ("MW", 1e-3) if large else ("kW", 1.0)
    found.append(Strip(f"power ({unit})", measured(*((a, key, factor, b) for a, key, b in powers))))
    found.append(Strip("mean |q| (MVAr)", measured(("inverters", "reactive_mvar", 1.0, FLOWS["grid"]))))
    groups = np.array([agent["group"] for agent in view.agents])
    stored = {}
    for name, chosen, colour in (
        ("batteries", groups != "generator", FLOWS["battery"]),
        ("fuel", groups == "generator", "#7F4F24"),
    ):
        charge = np.asarray(looks.agents["charge"])[:, chosen]
        has = np.isfinite(charge).any(axis=0)
        if has.any():
            stored[name] = (100.0 * np.nanmean(charge[:, has], axis=1), colour)
    found.append(Strip("stored (%)", stored, ()))
    tiers = tuple((tier, f"unserved_{tier}_kwh", factor / view.hours, _TIERS[tier]) for tier in _TIERS)
    lost = measured(*tiers)
    if not lost and most.get("unserved_kwh", 0.0) > _CRUMB:
        lost = measured(("all", "unserved_kwh", factor / view.hours, _TIERS["critical"]))
    found.append(Strip(f"not served ({unit})", lost))
    return [strip for strip in found if strip.series]


class MovingStrips:
    """Strips in `axes`, an axis each, which show the past of a step: `show` moves its end.

    What is to come is hidden by one box that clips all that is drawn, so that nothing is drawn anew.
    """

    def __init__(self, axes: Any, strips: list[Strip], looks: Look, hour: float, hours: float) -> None:
        from matplotlib.transforms import Bbox, TransformedBbox

        self._hour, self._hours = hour, hours
        self._past = Bbox([[hour, 0.0], [hour, 1.0]])
        n = len(looks.energised)
        time = hour + hours * np.arange(n + 1)
        self._now: list[Any] = []
        self.artists: list[Any] = []  # all that change
        for one, strip in zip(axes, strips):
            clip = TransformedBbox(self._past, one.get_xaxis_transform())
            drawn = []
            for flags, style in (
                (np.asarray(looks.islanded), {"color": "#D55E00", "alpha": 0.18}),
                (np.asarray(looks.energised) <= 0.0, {"color": "black", "alpha": 0.35}),
            ):
                for begin, end in _spells(flags):
                    drawn.append(one.axvspan(time[begin], time[end], lw=0, **style))
            for name, (values, colour) in strip.series.items():
                (line,) = one.step(
                    time, np.append(values, values[-1]), where="post", color=colour, lw=1.6, label=name
                )
                drawn.append(line)
            for artist in drawn:
                artist.set_clip_box(clip)
            for limit in strip.limits:
                one.axhline(limit, color=LIMIT, ls="--", lw=1.0)
            dress(one, "", strip.label)
            one.set_xlim(time[0], time[-1])
            one.yaxis.label.set_fontsize(9)
            now = one.axvline(hour, color=LIMIT, lw=1.0)
            self._now.append(now)
            self.artists += [*drawn, now]
        step = next((step for step in (1, 2, 4, 6, 12) if time[-1] - time[0] <= 8 * step), 24)
        ticks = np.arange(np.ceil(time[0] / step) * step, time[-1] + 1e-6, step).astype(int)
        within = ticks[-1] <= 24 or time[-1] - time[0] > 24.0
        axes[-1].set_xticks(ticks, [str(tick if within else tick % 24) for tick in ticks])
        label = "time since midnight (h)" if time[-1] - time[0] > 24.0 else "hour of the day (h)"
        axes[-1].set_xlabel(label)

    def show(self, step: int) -> None:
        """Show everything up to the end of `step`."""
        self._past.x1 = self._hour + self._hours * (step + 1)
        for line in self._now:
            line.set_xdata([self._past.x1] * 2)


def _spells(flags: np.ndarray) -> list[tuple[int, int]]:
    """Begin and end (exclusive) of every run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist()))
