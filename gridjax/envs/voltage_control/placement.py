"""Where inverters stand and which buses each of them observes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridjax.envs.placement import distances
from gridjax.network import Network


@dataclass(frozen=True)
class Placement:
    """Protocol of one network: MAPDN's for case33bw and case141, ours for the rest."""

    pv_buses: tuple[int, ...]  # rows of the network
    peak_load_mw: float
    peak_pv_mw: float
    action_range: float
    zones: tuple[tuple[int, ...], ...] | None = None  # observed rows per inverter; None: by distance


def _case33bw() -> Placement:
    zone = {12: range(6, 18), 17: range(6, 18), 21: range(18, 22), 24: range(22, 25)}
    zone |= {28: range(25, 33), 32: range(25, 33)}
    return Placement(
        pv_buses=tuple(zone),
        peak_load_mw=3.5,
        peak_pv_mw=8.75,
        action_range=0.8,
        zones=tuple(tuple(buses) for buses in zone.values()),
    )


# fmt: off
_CASE141_PV = (
    (35, 110), (52, 74), (81,), (76, 86), (58, 61, 67, 68), (99, 105, 109), (115, 116), (129, 132),
    (136, 137, 138, 140),
)
# fmt: on


def published(network: Network) -> Placement | None:
    """MAPDN's placement (Wang et al., NeurIPS 2021, appendix) for the networks that it has.

    Its zone borders of case141 are not in print: there a bus belongs to the zone whose inverters are
    nearest along the feeder.
    """
    if network.name == "case33bw":
        return _case33bw()
    if network.name == "case141":
        groups = [list(group) for group in _CASE141_PV]
        near = nearest_zones(network, groups)
        return Placement(
            pv_buses=tuple(bus for group in groups for bus in group),
            peak_load_mw=20.0,
            peak_pv_mw=80.0,
            action_range=0.6,
            zones=tuple(zone for group, zone in zip(groups, near) for _ in group),
        )
    return None


def nearest_zones(network: Network, groups: list[list[int]]) -> tuple[tuple[int, ...], ...]:
    """Rows of the buses nearest to each group of inverters along the branches, by impedance."""
    distance = np.stack([distances(network, group).min(axis=0) for group in groups])
    owner = distance.argmin(axis=0)
    return tuple(tuple(int(b) for b in np.flatnonzero(owner == k)) for k in range(len(groups)))
