"""Where inverters stand and which buses each of them observes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


def spread(network: Network, n_agent: int | None = None) -> tuple[int, ...]:
    """Buses for `n_agent` inverters: loaded buses, each as far as can be from the slack and one another."""
    loaded = np.flatnonzero(np.real(network.nominal_injection) < 0.0)
    loaded = np.setdiff1d(loaded, network.slack_buses)
    if loaded.size == 0:
        raise ValueError(f"network {network.name!r} has no loaded bus to put an inverter on; give pv_buses")
    if n_agent is None:
        n_agent = max(2, loaded.size // 5)
    if not 1 <= n_agent <= loaded.size:
        raise ValueError(f"n_agent is {n_agent}, expected 1 to {loaded.size}, the number of loaded buses")
    chosen = list(network.slack_buses)
    distance = distances(network, chosen)
    picked: list[int] = []
    for _ in range(n_agent):
        gap = np.where(np.isin(loaded, picked), -1.0, distance.min(axis=0)[loaded])
        picked.append(int(loaded[gap.argmax()]))
        distance = np.vstack([distance, distances(network, picked[-1:])])
    return tuple(sorted(picked))


def nearest_zones(network: Network, groups: list[list[int]]) -> tuple[tuple[int, ...], ...]:
    """Rows of the buses nearest to each group of inverters along the branches, by impedance."""
    distance = np.stack([distances(network, group).min(axis=0) for group in groups])
    owner = distance.argmin(axis=0)
    return tuple(tuple(int(b) for b in np.flatnonzero(owner == k)) for k in range(len(groups)))


def distances(network: Network, sources: list[int]) -> np.ndarray:
    """Shortest path over |z| (p.u.) from each source to every bus: `[n_source, n_bus]`."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    length = np.hypot(network.resistance, network.reactance)
    n = network.n_bus
    graph = coo_array((length, (np.asarray(network.from_bus), np.asarray(network.to_bus))), shape=(n, n))
    return dijkstra(graph, directed=False, indices=sources)
