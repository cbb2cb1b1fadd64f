"""One look for all figures: Okabe and Ito's colours, apart for every kind of colour vision, and printable."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Any

COLOURS = {
    "no_control": "#D55E00",
    "category_b": "#CC79A7",
    "steep": "#E69F00",
    "tuned_droop": "#56B4E9",
    "mappo": "#0072B2",
    "optimum": "#009E73",
    "idle_battery": "#D55E00",
    "self_consumption": "#CC79A7",
    "time_of_use": "#E69F00",
    "peer_to_peer": "#F0E442",
    "tuned_rule": "#56B4E9",
    "ippo": "#0072B2",
    "do_nothing": "#D55E00",
    "droop_alone": "#E69F00",
}
# what flows in a community
FLOWS = {"sun": "#E69F00", "demand": "#000000", "grid": "#0072B2", "battery": "#009E73", "peers": "#D55E00"}
LIMIT = "#444444"
# of things compared, whatever they are: colours in an order in which neighbours differ in lightness too
SERIES = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000")
_DASHES = ("-", "--", ":", "-.")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def series(number: int) -> dict[str, str]:
    """Colour, dashes and marker of the `number`th of several curves: apart without colour, too."""
    return {
        "color": SERIES[number % len(SERIES)],
        "ls": _DASHES[number % len(_DASHES)],
        "marker": _MARKERS[number % len(_MARKERS)],
    }


def new_figure(width: float, height: float) -> Any:
    """An empty figure, width and height in inches, that needs no display but matplotlib (extra `train`)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def wrapped(title: str, width: float) -> str:
    """A heading of `fontsize` 11 in lines that fit a figure so many inches wide."""
    return "\n".join(fill(line, round(12.5 * width)) for line in title.splitlines())


def dress(axes: Any, x: str, y: str, title: str = "") -> None:
    """Labels with units, a light grid, and no frame where nothing is measured."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if title:
        axes.set_title(title, fontsize=11)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def hours(axes: Any) -> None:
    """The horizontal axis is one day."""
    axes.set_xlim(0, 24)
    axes.set_xticks(range(0, 25, 4))


def save(figure: Any, path: str | Path) -> Path:
    """Write a PNG, making its folder."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140, format="png")
    return path
