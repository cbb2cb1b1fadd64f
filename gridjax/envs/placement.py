"""Where agents stand on a network."""

from __future__ import annotations

import numpy as np

from gridjax.network import Network


def spread(network: Network, n_agent: int | None = None) -> tuple[int, ...]:
    """Buses for `n_agent` agents: loaded buses, each as far as can be from the slack and one another."""
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


def distances(network: Network, sources: list[int]) -> np.ndarray:
    """Shortest path over |z| (p.u.) from each source to every bus: `[n_source, n_bus]`."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    length = np.hypot(network.resistance, network.reactance)
    n = network.n_bus
    graph = coo_array((length, (np.asarray(network.from_bus), np.asarray(network.to_bus))), shape=(n, n))
    return dijkstra(graph, directed=False, indices=sources)
