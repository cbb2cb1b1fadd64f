"""Figures of outages are drawn."""

import numpy as np

from gridjax.evaluation.figures.resilience import plot_survival, plot_trapezoid

NAN = float("nan")


def is_png(path):
    return path.read_bytes()[:4] == b"\x89PNG"


def test_figures(tmp_path):
    curves = {"no_control": np.zeros(8), "mappo": np.linspace(1, 0.5, 8), "some_rule": np.full(8, NAN)}
    assert is_png(plot_survival(curves, 0.25, tmp_path / "figures" / "a.png", "outages of a year"))
    performances = {"ippo": [1, 0, 0.5, 1], "mappo": np.ones(4)}
    assert is_png(plot_trapezoid(performances, 0.25, 1, 3, tmp_path / "b.png", "an outage"))
