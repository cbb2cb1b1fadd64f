"""The picture of `compare`: seasons, duration curves and autocorrelation, real beside synthetic."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np

from gridjax.scenarios.moments import SEASONS, autocorrelation, by_day, season_days
from gridjax.scenarios.profiles import Profiles
from gridjax.scenarios.synthetic import Day

# Okabe and Ito's blue and vermilion: apart for every kind of colour vision, and in grey
_REAL, _SYNTHETIC = "#0072B2", "#D55E00"
_TITLES = {"load_p": "household demand", "pv": "PV output"}
_LABELS = {"load_p": "demand (p.u. of nominal)", "pv": "PV output (p.u. of peak)"}


def draw(real: Profiles, years: Day, path: Path) -> None:
    """Write the comparison as a PNG; needs matplotlib (extra `train`). `years`: `[village, 366, 96, n]`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    first = by_day(real)
    # villages side by side are more columns of one year
    second = by_day(jax.tree.map(lambda leaf: np.concatenate(list(leaf), axis=-1), years))
    figure = Figure(figsize=(15, 11), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplot_mosaic([list("ABCD"), list("EFGH"), list("IIJJ"), list("KKLL")])
    for name, seasons, duration, memory in (("load_p", "ABCD", "I", "J"), ("pv", "EFGH", "K", "L")):
        _seasons([axes[letter] for letter in seasons], first[name], second[name], name)
        _duration(axes[duration], first[name], second[name], name)
        _memory(axes[memory], first[name], second[name], name)
    handles, labels = axes["A"].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False)
    figure.savefig(path, dpi=110, format="png")


def _seasons(axes, real: np.ndarray, synthetic: np.ndarray, name: str) -> None:
    hour = (np.arange(real.shape[1]) + 0.5) * 24 / real.shape[1]
    top = 0.0
    for axis, season in zip(axes, SEASONS):
        for values, colour, style, source in (
            (real, _REAL, "-", "real (SimBench 2016)"),
            (synthetic, _SYNTHETIC, "--", "synthetic"),
        ):
            chosen = np.moveaxis(values[season_days(season)], 1, 0).reshape(values.shape[1], -1)
            low, high = np.quantile(chosen, [0.1, 0.9], axis=1)
            axis.fill_between(hour, low, high, color=colour, alpha=0.2, lw=0, label=f"{source}, 10-90 %")
            axis.plot(hour, chosen.mean(1), style, color=colour, lw=1.8, label=f"{source}, mean")
            top = max(top, high.max())
        axis.set_title(f"{_TITLES[name]}, {season}", fontsize=10)
        axis.set_xlim(0, 24)
        axis.set_xticks(range(0, 25, 6))
        axis.set_xlabel("hour of the day (h)")
        axis.grid(alpha=0.3)
    for axis in axes:
        axis.set_ylim(0, 1.05 * top)
    axes[0].set_ylabel(_LABELS[name])


def _duration(axis, real: np.ndarray, synthetic: np.ndarray, name: str) -> None:
    share = np.linspace(0, 1, 2000)
    for values, colour, style in ((real, _REAL, "-"), (synthetic, _SYNTHETIC, "--")):
        axis.plot(100 * share, np.quantile(values, 1 - share), style, color=colour, lw=1.8)
    axis.set_xlim(0, 100)
    axis.set_ylim(0, None)
    axis.set_xlabel("share of the year exceeded (%)")
    axis.set_ylabel(_LABELS[name])
    axis.set_title(f"duration curve of {_TITLES[name]}, all sites together", fontsize=10)
    axis.grid(alpha=0.3)


def _memory(axis, real: np.ndarray, synthetic: np.ndarray, name: str) -> None:
    per_hour = real.shape[1] // 24
    lags = np.arange(1, 12 * per_hour + 1, 2)
    for values, colour, style in ((real, _REAL, "-"), (synthetic, _SYNTHETIC, "--")):
        axis.plot(lags / per_hour, autocorrelation(values, lags), style, color=colour, lw=1.8)
    axis.axhline(0, color="0.4", lw=0.8)
    axis.set_xlim(0, 12)
    axis.set_xlabel("lag within a day (h)")
    axis.set_ylabel("autocorrelation (-)")
    axis.set_title(f"autocorrelation of {_TITLES[name]}, mean over sites", fontsize=10)
    axis.grid(alpha=0.3)
