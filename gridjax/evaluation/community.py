"""Figures of a community of prosumers over a day or more, from the metrics of SmartGrid-v0.

`metrics` are those of every step, leading axis time, such as `record_day(...).metrics`: per agent
`[n_step, n_agent]`, of the whole `[n_step]`. Energies in kWh, money in EUR. Numpy on the host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any

CO2 = 0.363
"""kg per kWh drawn from the grid: an assumption, of the order of Germany's mix (Umweltbundesamt: 0.366 in
2020). Feed-in is credited with the same factor, as if it displaced the mix."""


@dataclass(frozen=True)
class CommunityFigures:
    """What `community_figures` finds."""

    agent_cost: (
        np.ndarray
    )  # [n_agent], EUR: payments, wear and unserved energy, less growth of what is stored
    community_cost: float  # EUR: theirs, and what transfers did not pay of the network's losses
    self_sufficiency: float  # share of their demand that did not come from the grid
    self_consumption: float  # share of their sun that was not fed in or curtailed; 1 without sun
    peak_import: float  # kW, largest of all agents together
    losses: float  # kWh, of the network
    peer_energy: float  # kWh, sent from agent to agent
    fairness: float  # Jain's index of savings, in [1 / n_agent, 1]
    battery_cycles: np.ndarray  # [n_agent], equivalent full cycles; 0 without battery
    co2: float  # kg, of net import: what is fed in displaces the same mix
    curtailed: float  # kWh
    unserved: float  # kWh
    steps_out_of_band: float  # share of steps with a bus outside of the voltage band


def community_figures(
    metrics: Mapping[str, Array],
    capacity: Array,
    hours: float = 0.25,
    unserved_price: float = 10.0,
    reference_cost: Array | None = None,
    co2: float = CO2,
) -> CommunityFigures:
    """Figures of all steps together.

    Args:
        metrics: see above.
        capacity: kWh of the batteries, `[n_agent]`.
        hours: length of a step, h.
        unserved_price: EUR/kWh of demand that was not met.
        reference_cost: EUR per agent, `[n_agent]`, without the community, such as with an idle battery:
            fairness is that of what each saves against it. Default: what each would have paid for its demand
            alone.
        co2: kg per kWh.

    Raises `ValueError` where a metric is missing or has another shape.
    """
    m = _checked(metrics, capacity)
    paid = m["paid_grid"] + m["paid_peers"] + m["paid_losses"]
    spent = paid + m["wear"] + unserved_price * m["unserved"] - m["stored_value"]
    agent_cost = spent.sum(axis=0)
    operator = m["loss_cost"].sum() - m["paid_losses"].sum()
    drawn = m["import"] - m["export"]
    demand, sun = m["demand"].sum(), m["sun"].sum()
    if reference_cost is None:
        reference_cost = (m["demand"] * m["import_price"][:, None]).sum(axis=0)
    used = sun - m["export"].sum() - m["curtailed"].sum()
    capacity = np.asarray(capacity, float)
    return CommunityFigures(
        agent_cost=agent_cost,
        community_cost=float(agent_cost.sum() + operator),
        self_sufficiency=float(1.0 - m["import"].sum() / demand) if demand > 0 else 1.0,
        self_consumption=float(used / sun) if sun > 0 else 1.0,
        peak_import=float(np.maximum(drawn.sum(axis=1), 0.0).max() / hours),
        losses=float(m["losses"].sum()),
        peer_energy=float(m["sent"].sum()),
        fairness=jain(np.asarray(reference_cost, float) - agent_cost),
        battery_cycles=_cycles(m["throughput"].sum(axis=0), capacity),
        co2=float(co2 * drawn.sum()),
        curtailed=float(m["curtailed"].sum()),
        unserved=float(m["unserved"].sum()),
        steps_out_of_band=float(np.mean(m["out_of_band"] > 0.0)),
    )


def jain(shares: Array) -> float:
    """Jain's fairness index (sum x)^2 / (n sum x^2) of non-negative `shares` `[n]`, in [1 / n, 1].

    Jain, Chiu and Hawe, DEC-TR-301, 1984. Losses count as nothing received; 1 where nobody has anything.
    """
    x = np.maximum(np.asarray(shares, float), 0.0)
    squares = (x**2).sum()
    return float(x.sum() ** 2 / (x.size * squares)) if squares > 0 else 1.0


def _cycles(throughput: np.ndarray, capacity: np.ndarray) -> np.ndarray:
    """Throughput both ways over twice the capacity."""
    return np.where(capacity > 0, throughput / (2.0 * np.where(capacity > 0, capacity, 1.0)), 0.0)


_PER_AGENT = (
    *("paid_grid", "paid_peers", "paid_losses", "wear", "stored_value"),
    *("demand", "sun", "import", "export", "sent", "throughput", "curtailed", "unserved"),
)
_WHOLE = ("losses", "loss_cost", "import_price", "out_of_band")


def _checked(metrics: Mapping[str, Array], capacity: Array) -> dict[str, np.ndarray]:
    missing = [name for name in (*_PER_AGENT, *_WHOLE) if name not in metrics]
    if missing:
        raise ValueError(f"metrics lacks {', '.join(missing)}, expected those of SmartGrid-v0")
    found = {name: np.asarray(metrics[name], float) for name in (*_PER_AGENT, *_WHOLE)}
    steps = found["losses"].shape[0] if found["losses"].ndim else 0
    for name, value in found.items():
        expected = (steps, np.size(capacity)) if name in _PER_AGENT else (steps,)
        if value.shape != expected:
            raise ValueError(f"metrics[{name!r}] has shape {value.shape}, expected {expected}")
    return found
