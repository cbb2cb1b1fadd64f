"""How a facility goes through one outage: how long it survives, and the shape of what it loses meanwhile.

Numpy on the host; `ValueError` names what is wrong with an input.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = Any

_TOLERANCE = 1e-6


class Trapezoid(NamedTuple):
    """What `trapezoid` finds; all 0 where nothing was lost."""

    drop_speed: float  # 1/h, Phi: depth over the time from the event's begin to the lowest performance
    depth: float  # share of the demand, Lambda
    hours: float  # h, E: with performance below 1
    recovery_speed: float  # 1/h, Pi: depth over the time from there to full performance; 0 if never seen
    area: float  # h, of 1 - performance


def survival(critical_served: Array, length: Array | None = None) -> np.ndarray:
    """Probability S(T) that the critical load is served for all T steps of an outage, `[n_step]`, T from 1.

    Args:
        critical_served: true where the critical load is served in full, from an outage's first step,
            `[n_outage, n_step]`. What comes after an outage's end is not looked at.
        length: steps that each outage lasts, 1 to n_step, `[n_outage]`. Default: all n_step.

    Without `length` it is the share of outages survived up to T (NREL REopt, probs_of_surviving). An outage
    that ends at T' < T says nothing about T: to count it as survived would flatter, to leave it out would
    throw away that it survived T'. With `length` it is therefore Kaplan and Meier's estimate (Journal of the
    American Statistical Association 53, 1958): the product over t <= T of 1 - failures in step t / outages
    that get there unfailed. That takes an outage's length to be independent of how well it goes. Where no
    outage gets to T and not all have failed, nan. If all last n_step the two agree.
    """
    served = np.asarray(critical_served)
    if served.ndim != 2 or served.size == 0:
        raise ValueError(f"critical_served has shape {served.shape}, expected [n_outage, n_step], none 0")
    wrong = ~np.isin(served, (0, 1))
    if wrong.any():
        raise ValueError(f"critical_served holds {served[wrong][0]}, expected true or false")
    survived = np.logical_and.accumulate(served.astype(bool), axis=1)
    if length is None:
        return survived.mean(axis=0)
    lasts = np.asarray(length)
    outages, steps = served.shape
    if lasts.shape != (outages,) or lasts.dtype.kind not in "iu":
        raise ValueError(f"length is {lasts.dtype} of shape {lasts.shape}, expected integers, ({outages},)")
    if lasts.min() < 1 or lasts.max() > steps:
        raise ValueError(f"length is {lasts.min()} to {lasts.max()}, expected 1 to {steps} steps")
    unfailed = np.concatenate([np.ones((outages, 1), bool), survived[:, :-1]], axis=1)
    there = unfailed & (np.arange(steps) < lasts[:, None])
    at_risk, failed = there.sum(axis=0), (there & ~survived).sum(axis=0)
    estimate = np.cumprod(1.0 - failed / np.maximum(at_risk, 1))
    return np.where((at_risk > 0) | (estimate == 0.0), estimate, np.nan)


def trapezoid(performance: Array, hours: float, begin: int, end: int) -> Trapezoid:
    """The resilience trapezoid of one event, of the share of demand served in each step, `[n_step]`.

    Args:
        performance: in [0, 1]; 1 where nothing is demanded.
        hours: length of a step, h.
        begin: first step of the event.
        end: step at which the grid is back, n_step if it never is. The event is over with the first full
            performance from then on, or else with the series.

    Panteli et al., IEEE Trans. Power Systems 32(6), 2017, doi 10.1109/TPWRS.2017.2664141. Values are means
    over steps, so that a drop to the lowest within its k-th step takes k steps, and speeds are at most
    depth / hours: holding on for longer before a drop counts as a slower one. From the last of the lowest to
    full performance it is k steps likewise. E there is the time between drop and recovery, on a plateau that
    a varying series does not have; all time below 1 is the same for abrupt edges, and longer for slopes. The
    area there is that of the performance left, here of what was lost.
    """
    p = np.asarray(performance, float)
    if p.ndim != 1 or p.size == 0:
        raise ValueError(f"performance has shape {p.shape}, expected (n_step,) with a step at least")
    if not (np.isfinite(p).all() and p.min() >= -_TOLERANCE and p.max() <= 1.0 + _TOLERANCE):
        raise ValueError(f"performance is {p.min()} to {p.max()}, expected shares in [0, 1]")
    if not (np.isfinite(hours) and hours > 0):
        raise ValueError(f"hours is {hours}, expected a positive number")
    whole = all(isinstance(step, (int, np.integer)) for step in (begin, end))
    if not (whole and 0 <= begin < end <= p.size):
        raise ValueError(f"begin is {begin} and end {end}, expected integers, 0 <= begin < end <= {p.size}")
    loss = 1.0 - np.clip(p, 0.0, 1.0)
    loss[loss <= _TOLERANCE] = 0.0
    full = np.flatnonzero(loss[end:] == 0.0)
    event = loss[begin : end + full[0] if full.size else p.size]
    depth = float(event.max())
    if depth == 0.0:
        return Trapezoid(0.0, 0.0, 0.0, 0.0, 0.0)
    lowest, degraded = np.flatnonzero(event >= depth - _TOLERANCE), np.flatnonzero(event)
    recovered = begin + int(degraded[-1]) + 1
    return Trapezoid(
        drop_speed=depth / (hours * (int(lowest[0]) + 1)),
        depth=depth,
        hours=hours * degraded.size,
        recovery_speed=depth / (hours * (recovered - begin - int(lowest[-1]))) if recovered < p.size else 0.0,
        area=hours * float(event.sum()),
    )
