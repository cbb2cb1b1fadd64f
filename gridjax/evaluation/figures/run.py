"""Figures of a run: how it learned, and what it does with a day. Matplotlib loads where it is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gridjax.evaluation.figures.style import COLOURS, LIMIT, dress, hours, new_figure, save, series
from gridjax.evaluation.tables.titles import TITLES

REWARD_PANEL = ("reward", "validation/reward", 1.0, "mean reward per step (-)")
VOLTAGE_PANELS = (
    REWARD_PANEL,
    ("metrics/controllable", "validation/controllable", 100.0, "steps with every bus in the band, CR (%)"),
)


def training_curve(
    records: Sequence[Mapping[str, Any]],
    path: Path,
    panels: Sequence[tuple[str, str, float, str]] = VOLTAGE_PANELS,
) -> Path:
    """Metrics over environment steps, from the records of a `metrics.jsonl` (lists are over seeds).

    A panel is a metric in training, the same in validation, a factor on both, and a label with unit. Lines
    are means over the seeds, bands their whole range; circles are the validation days.
    """
    figure = new_figure(5 * max(len(panels), 1), 4)
    every = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (name, validation, factor, label) in zip(every, panels):
        for key, style, title in (
            (name, {"color": COLOURS["mappo"], "lw": 1.8}, "training, actions sampled"),
            (
                validation,
                {"color": COLOURS["no_control"], "marker": "o", "ms": 4, "lw": 1.0},
                "validation days, deterministic",
            ),
        ):
            chosen = [record for record in records if key in record]
            if not chosen:
                continue
            steps = np.array([record["step"] for record in chosen]) / 1e6
            values = factor * np.array([record[key] for record in chosen], float).reshape(len(chosen), -1)
            axes.plot(steps, values.mean(axis=1), label=title, **style)
            axes.fill_between(
                steps, values.min(axis=1), values.max(axis=1), color=style["color"], alpha=0.2, lw=0
            )
        dress(axes, "environment steps of each seed (million)", label)
        axes.set_xlim(0, None)
    figure.axes[0].legend(frameon=False, loc="lower right")
    return save(figure, path)


def voltage_fan(
    voltages: Mapping[str, np.ndarray], band: tuple[float, float], path: Path, title: str
) -> Path:
    """Voltages `[n_step, n_bus]` (p.u.) of one day per controller: how they spread over the buses.

    Line: median bus; dark band: 10 to 90 % of the buses; light band: the lowest to the highest.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    figure = new_figure(4.2 * len(voltages), 4.2)
    figure.suptitle(title)
    every = figure.subplots(1, len(voltages), sharey=True, squeeze=False)[0]
    for k, (axes, (name, voltage)) in enumerate(zip(every, voltages.items())):
        colour = COLOURS.get(name, series(k)["color"])
        hour = 24.0 * np.arange(voltage.shape[0]) / voltage.shape[0]
        low, median, high = np.quantile(voltage, [0.1, 0.5, 0.9], axis=1)
        least, most = voltage.min(axis=1), voltage.max(axis=1)
        axes.fill_between(hour, least, most, color=colour, alpha=0.2, lw=0)
        axes.fill_between(hour, low, high, color=colour, alpha=0.4, lw=0)
        axes.plot(hour, median, color=colour, lw=1.8)
        for limit in band:
            axes.axhline(limit, color=LIMIT, ls="--", lw=1.0)
        inside = np.mean((least >= band[0]) & (most <= band[1]))
        dress(
            axes,
            "hour of the day (h)",
            "",
            f"{TITLES.get(name, name)}, in the band {100 * inside:.1f} % of the day",
        )
        hours(axes)
    every[0].set_ylabel("voltage magnitude (p.u.)")
    bottom, top = every[0].get_ylim()
    every[0].set_ylim(min(bottom, band[0] - 0.01), max(top, band[1] + 0.01))
    # one legend in grey for all panels, whose colours differ
    keys = (
        Patch(color="0.5", alpha=0.3, lw=0, label="lowest to highest bus"),
        Patch(color="0.5", alpha=0.7, lw=0, label="10 to 90 % of the buses"),
        Line2D([], [], color=LIMIT, lw=1.8, label="median bus"),
        Line2D([], [], color=LIMIT, lw=1.0, ls="--", label="limits"),
    )
    figure.legend(handles=keys, loc="outside lower center", ncols=4, frameon=False)
    return save(figure, path)


def reactive_power(
    reactive: Mapping[str, np.ndarray], sun: np.ndarray, buses: Sequence[int], path: Path, title: str
) -> Path:
    """Set-points q of one day per controller (MVAr), above the sun (MW), all `[n_step, n_inverter]`.

    One line an inverter, labelled by its bus; colours run along the list of buses.
    """
    from matplotlib import colormaps

    figure = new_figure(4.6 * len(reactive), 5.4)
    figure.suptitle(title)
    every = figure.subplots(2, len(reactive), sharex=True, sharey="row", height_ratios=(3, 1), squeeze=False)
    colours = colormaps["cividis"](np.linspace(0, 0.95, len(buses)))
    styles = ("-", "--", "-.", ":")
    hour = 24.0 * np.arange(sun.shape[0]) / sun.shape[0]
    for column, (name, q) in enumerate(reactive.items()):
        for k, bus in enumerate(buses):
            every[0, column].plot(
                hour, q[:, k], styles[k % len(styles)], color=colours[k], lw=1.3, label=f"bus {bus}"
            )
        every[0, column].axhline(0, color=LIMIT, lw=0.8)
        dress(every[0, column], "", "reactive power (MVAr)" if column == 0 else "", TITLES.get(name, name))
        every[1, column].fill_between(hour, sun.sum(axis=1), color="#E69F00", alpha=0.6, lw=0)
        dress(every[1, column], "hour of the day (h)", "PV, all (MW)" if column == 0 else "")
        hours(every[1, column])
    handles, labels = every[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False, fontsize=8, title="inverter at")
    return save(figure, path)
