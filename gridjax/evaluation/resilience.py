"""Reliability of a facility that rides through outages, from its time series.

Powers in kW are means over steps of `hours`. A load is unserved where demand - served exceeds 1e-6 of the
demand; what is below that, and served that exceeds demand by as little, is rounding. Numpy on the host;
`ValueError` names what is wrong with an input. How it goes through one outage: `gridjax.evaluation.survival`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridjax.evaluation.series import TOLERANCE, flags, positive, refuse

Array = Any

YEAR = 8760.0
"""Hours of a year."""


@dataclass(frozen=True)
class Interruptions:
    """What `interruptions` finds; each `[...]`."""

    count: np.ndarray  # as many as begin in the series, or before it and last into it
    hours: np.ndarray  # h, of all together
    frequency: np.ndarray  # per year; of many customers SAIFI
    duration: np.ndarray  # h per year; SAIDI
    mean_duration: np.ndarray  # h per interruption, 0 without one; CAIDI
    availability: np.ndarray  # share of the time; ASAI


def energy_not_served(demand: Array, served: Array, hours: float) -> np.ndarray:
    """kWh not served per tier `[..., n_tier]`, of demand and served in kW, `[..., n_step, n_tier]`.

    ENS, Billinton and Allan, Reliability Evaluation of Power Systems, 1996.
    """
    _, unserved, _ = _checked(demand, served, tiers=True)
    return positive("hours", hours) * unserved.sum(axis=-2)


def loss_of_load_probability(demand: Array, served: Array) -> np.ndarray:
    """Share of steps with a load of any tier unserved, `[...]`; kW, `[..., n_step, n_tier]`.

    LOLP, Billinton and Allan, 1996.
    """
    return _checked(demand, served, tiers=True)[2].any(axis=-1).mean(axis=-1)


def loss_of_load_expectation(demand: Array, served: Array) -> np.ndarray:
    """Hours a year with a load of any tier unserved, `[...]`; kW, `[..., n_step, n_tier]`.

    LOLE, Billinton and Allan, 1996, where the series stands for a whole year.
    """
    return YEAR * loss_of_load_probability(demand, served)


def interruptions(demand: Array, served: Array, hours: float) -> Interruptions:
    """Interruptions of one facility, of its (critical) demand and served in kW, `[..., n_step]`.

    IEEE 1366 for one customer. Steps in a row with load unserved are one interruption, also where the series
    ends in it. Every interruption counts as sustained, while the standard leaves out those of up to 5 min.
    Its indices are per customer interrupted in full, while here any load unserved interrupts.
    """
    _, _, lost = _checked(demand, served)
    hours = positive("hours", hours)
    before = np.concatenate([np.zeros_like(lost[..., :1]), lost[..., :-1]], axis=-1)
    count = (lost & ~before).sum(axis=-1)
    interrupted = hours * lost.sum(axis=-1)
    years = hours * lost.shape[-1] / YEAR
    return Interruptions(
        count=count,
        hours=interrupted,
        frequency=count / years,
        duration=interrupted / years,
        mean_duration=interrupted / np.maximum(count, 1),
        availability=1.0 - lost.mean(axis=-1),
    )


def resilience_index(demand: Array, served: Array) -> np.ndarray:
    """Mean of served / demanded over the steps of an event, `[...]` in [0, 1]; kW, `[..., n_step]`.

    Bruneau et al., Earthquake Spectra 19(4), 2003, doi 10.1193/1.1623497: their loss is the integral of
    1 - quality over the event. A step without demand lost nothing and counts as 1.
    """
    demand, unserved, _ = _checked(demand, served)
    return 1.0 - (unserved / np.where(demand > 0, demand, 1.0)).mean(axis=-1)


def unserved_share(demand: Array, served: Array, during: Array) -> np.ndarray:
    """Energy not served over demand while there is an outage, `[...]` in [0, 1]; kW, `[..., n_step]`.

    `during`: true in the steps of an outage, `[n_step]` or like demand. CityLearn's normalised unserved
    energy; 0 without demand in an outage.
    """
    demand, unserved, _ = _checked(demand, served)
    during = flags("during", during, demand.shape)
    demanded = (demand * during).sum(axis=-1)
    return (unserved * during).sum(axis=-1) / np.where(demanded > 0, demanded, 1.0)


def _checked(demand: Array, served: Array, tiers: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Demand, what of it is unserved, and where that is more than rounding."""
    demand, served = np.asarray(demand, float), np.asarray(served, float)
    if demand.ndim < 1 + tiers or demand.size == 0:
        expected = "[..., n_step, n_tier]" if tiers else "[..., n_step]"
        raise ValueError(f"demand has shape {demand.shape}, expected {expected}, none of them 0")
    if served.shape != demand.shape:
        raise ValueError(f"served has shape {served.shape}, expected that of demand, {demand.shape}")
    rounding = TOLERANCE * float(np.abs(demand[np.isfinite(demand)]).max(initial=0.0))
    for name, value, least in (("demand", demand, 0.0), ("served", served, -rounding)):
        refuse(name, value, ~np.isfinite(value), "a finite power (kW)")
        refuse(name, value, value < least, "a power (kW) that is not negative")
    refuse("served", served, served > demand + rounding, "at most the demand (kW)")
    unserved = np.clip(demand - served, 0.0, demand)
    lost = unserved > TOLERANCE * demand
    return demand, np.where(lost, unserved, 0.0), lost
