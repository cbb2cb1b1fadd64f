"""Voltage and frequency of a facility held against EN 50160, from its time series.

Numpy on the host; `ValueError` names what is wrong with an input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gridjax.evaluation.series import TOLERANCE, flags, measured, positive

Array = Any

WEEK = 168.0
"""Hours of a week."""


class VoltageQuality(NamedTuple):
    """What `en50160_voltage` finds."""

    share: float  # of the time of the worst week with voltages within 10 %; nan where every bus is dead
    dead: float  # share of the buses and steps without voltage
    holds: bool  # at least 95 % of each week, or nothing to judge


class FrequencyQuality(NamedTuple):
    """What `en50160_frequency` finds; a share is nan and its verdict true where there is nothing to judge."""

    connected: float  # share of connected steps within 1 %
    islanded: float  # share of islanded steps within 2 %
    islanded_wide: float  # share of islanded steps within 15 %
    dead: float  # share of all steps without frequency
    connected_holds: bool  # 99.5 %
    islanded_holds: bool  # 95 %
    islanded_wide_holds: bool  # always


def en50160_voltage(voltage: Array, hours: float, buses: Sequence[int] | None = None) -> VoltageQuality:
    """Time with all voltages within 10 % of nominal, of the worst week; p.u., `[n_step, n_bus]`.

    EN 50160, low voltage: 95 % of the 10-minute means of each week, here of the steps. Its outer limits
    (+10 %, -15 %, always) are not judged. It judges every bus apart: all at once is stricter.

    Args:
        voltage: nan at a bus that is dead, which is ignored; weeks with nothing but dead buses as well.
        hours: length of a step, h, a whole number of which makes a week.
        buses: those to look at. Default: all.

    Weeks follow each other from the first step; the last one ends with the series and overlaps the one
    before it if need be. A series shorter than a week is one.
    """
    v = measured("voltage", voltage, "[n_step, n_bus]")
    steps = WEEK / positive("hours", hours)
    week = round(steps)
    if week < 1 or abs(week - steps) > TOLERANCE * steps:
        raise ValueError(f"hours is {hours}, expected a whole number of steps in a week of {WEEK:g} h")
    if buses is not None:
        chosen = np.asarray(buses)
        if chosen.ndim != 1 or chosen.size == 0 or chosen.dtype.kind not in "iu":
            raise ValueError(f"buses is {buses!r}, expected a list of bus numbers")
        if chosen.min() < 0 or chosen.max() >= v.shape[1]:
            raise ValueError(f"buses is {buses!r}, expected numbers from 0 to {v.shape[1] - 1}")
        v = v[:, chosen]
    dead = np.isnan(v)
    inside = np.all(dead | _within(v, 0.10), axis=1)
    live = ~np.all(dead, axis=1)
    last = max(len(v) - week, 0)
    shares = [
        float(inside[begin : begin + week][live[begin : begin + week]].mean())
        for begin in sorted({*range(0, last + 1, week), last})
        if live[begin : begin + week].any()
    ]
    share = min(shares, default=float("nan"))
    return VoltageQuality(share=share, dead=float(dead.mean()), holds=not share < 0.95)


def en50160_frequency(frequency: Array, islanded: Array, nominal: float = 50.0) -> FrequencyQuality:
    """Time with the frequency near nominal, connected and islanded; Hz, `[n_step]`.

    EN 50160: connected within 1 % for 99.5 % of a year; islanded within 2 % for 95 % of a week and within
    15 % always; of 10-second means, here of the steps, and over the whole series, not week by week. Its
    outer limits of a connected grid (+4 %, -6 %, always) are not judged.

    Args:
        frequency: nan where there is no voltage, which is ignored.
        islanded: true where there is no connection, `[n_step]`.
        nominal: Hz.
    """
    f = measured("frequency", frequency, "[n_step]") / positive("nominal", nominal)
    island = flags("islanded", islanded, f.shape)
    live = ~np.isnan(f)

    def share(chosen: np.ndarray, limit: float) -> float:
        return float(_within(f[chosen & live], limit).mean()) if (chosen & live).any() else float("nan")

    connected, within_2, within_15 = share(~island, 0.01), share(island, 0.02), share(island, 0.15)
    return FrequencyQuality(
        connected=connected,
        islanded=within_2,
        islanded_wide=within_15,
        dead=float(1.0 - live.mean()),
        connected_holds=not connected < 0.995,
        islanded_holds=not within_2 < 0.95,
        islanded_wide_holds=not within_15 < 1.0,
    )


def _within(per_unit: np.ndarray, limit: float) -> np.ndarray:
    # 1.1 - 1.0 exceeds 0.1
    return np.abs(per_unit - 1.0) <= limit + TOLERANCE
