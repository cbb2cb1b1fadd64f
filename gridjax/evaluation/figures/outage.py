"""An outage told in one picture: events, supply by source, tiers served, storage, voltage, frequency."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gridjax.evaluation.figures.style import FLOWS, LIMIT, dress, new_figure, save

_TIERS = {"critical": "#D55E00", "priority": "#E69F00", "discretionary": "#56B4E9"}
_SOURCES = {
    "sun": FLOWS["sun"],
    "generators": "#7F4F24",
    "batteries": FLOWS["battery"],
    "grid": FLOWS["grid"],
}


def plot_outage(
    steps: Mapping[str, np.ndarray],
    hours: float,
    path: Path,
    events: Mapping[str, np.ndarray],
    title: str = "",
) -> Path:
    """Draw one episode of Resilience-v0.

    Args:
        steps: its metrics, `[n_step]` or `[n_step, n]`, with `charge` `[n_step]` (share of the capacity) and
            `tank` `[n_step]` (share of the fuel) besides.
        hours: length of a step.
        path: of the PNG.
        events: bool `[n_step]` each, drawn as bars under their names.
    """
    m = {name: np.asarray(value, float) for name, value in steps.items()}
    time = hours * np.arange(m["import"].size + 1)

    def line(axes, value, **style):
        axes.step(time, np.append(value, value[-1]), where="post", lw=1.6, **style)

    figure = new_figure(10, 12)
    figure.suptitle(title)
    ratios = [0.35 + 0.16 * len(events), 1.6, 1.1, 1.0, 0.9, 0.9]
    strip, supply, tiers, stores, voltage, frequency = figure.subplots(
        6, 1, sharex=True, height_ratios=ratios
    )
    for axes in (supply, tiers, stores, voltage, frequency):
        for begin, end in _spells(m["grid_present"] < 0.5):
            axes.axvspan(hours * begin, hours * end, color=LIMIT, alpha=0.1, lw=0)

    for row, flags in enumerate(reversed([*events.values()])):
        spells = [(hours * a, hours * (b - a)) for a, b in _spells(np.asarray(flags, bool))]
        strip.broken_barh(spells, (row - 0.35, 0.7), color=LIMIT)
    strip.set_yticks(range(len(events)), [*events][::-1])
    strip.set_ylim(-0.6, len(events) - 0.4)
    strip.spines[["top", "right", "left"]].set_visible(False)

    power = _powers(m, hours)
    names = list(_SOURCES)
    up = np.stack([np.maximum(power[name], 0.0) for name in names])
    down = np.stack([np.minimum(power[name], 0.0) for name in names])
    for part in (up, down):
        edges = np.concatenate([np.zeros((1, part.shape[1])), np.cumsum(part, axis=0)])
        for k, name in enumerate(names):
            low, high = (np.append(x, x[-1]) for x in (edges[k], edges[k + 1]))
            label = name if part is up else None
            supply.fill_between(time, low, high, step="post", color=_SOURCES[name], lw=0, label=label)
    demand = sum(m[f"demand_{tier}"] for tier in _TIERS) / hours / 1e3
    line(supply, demand, color="black", ls="--", label="demand")
    dress(supply, "", "power (MW)")
    for tier, colour in _TIERS.items():
        share = m[f"served_{tier}"] / np.maximum(m[f"demand_{tier}"], 1e-9)
        line(tiers, 100 * share, color=colour, label=tier)
    dress(tiers, "", "load served (%)")
    tiers.set_ylim(-4, 104)
    line(stores, 100 * m["charge"], color=FLOWS["battery"], label="charge of batteries")
    line(stores, 100 * m["tank"], color=_SOURCES["generators"], label="fuel")
    dress(stores, "", "stored (%)")
    stores.set_ylim(-4, 104)
    dark = m["energised"] <= 0.0
    line(voltage, np.where(dark, np.nan, m["voltage_max"]), color="#0072B2", label="highest")
    line(voltage, np.where(dark, np.nan, m["voltage_min"]), color="#CC79A7", label="lowest")
    dress(voltage, "", "voltage (p.u.)")
    line(frequency, np.where(dark, np.nan, m["frequency"]), color="#0072B2", label="settled")
    line(frequency, np.where(dark, np.nan, m["nadir"]), color="#D55E00", label="lowest in the step")
    dress(frequency, "time (h)", "frequency (Hz)")
    frequency.set_xlim(time[0], time[-1])
    for axes in (supply, tiers, stores, voltage, frequency):
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return save(figure, path)


def _powers(m: Mapping[str, np.ndarray], hours: float) -> dict[str, np.ndarray]:
    """MW of every source, batteries positive for discharge."""
    return {
        "sun": m["sun"] / hours / 1e3,
        "generators": m["generated"].reshape(m["sun"].size, -1).sum(axis=1) / hours / 1e3,
        "batteries": m["discharged"].reshape(m["sun"].size, -1).sum(axis=1) / hours / 1e3,
        "grid": (m["import"] - m["export"]) / hours / 1e3,
    }


def _spells(flags: np.ndarray) -> list[tuple[int, int]]:
    """Begin and end (exclusive) of every run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2])]
