"""Flows through the lines of a network in kW, and where its buses and lines are drawn."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.powerflow.branch import branch_flow
from gridjax.powerflow.nominal import Nominal


class Lines(NamedTuple):
    """`[n_branch]` each."""

    kw: jax.Array  # active power from source to target, at the source
    loading: jax.Array  # share of the rating at the worse end, 0 where unrated
    service: jax.Array  # bool


def line_flows(network: Network, nominal: Nominal, deviation: jax.Array, service: jax.Array) -> Lines:
    """Flows at V = V_n (1 + e), `deviation` e complex `[n_bus]`; `service` bool `[n_branch]`."""
    flow = branch_flow(network, nominal, deviation, service.astype(deviation.real.dtype))
    base = jnp.asarray(network.base_mva, deviation.real.dtype) * 1e3
    ends = jnp.stack([flow.current_from, flow.current_to])
    rating = jnp.stack([jnp.asarray(network.rating_from), jnp.asarray(network.rating_to)])
    share = jnp.abs(ends) / rating.astype(deviation.real.dtype)
    return Lines(flow.power_from.real * base, jnp.max(share, axis=0), service)


def bus_id(row: int) -> str:
    """What a page calls the bus of that row."""
    return f"bus-{row}"


def line_id(row: int) -> str:
    """What a page calls the branch of that row."""
    return f"line-{row}"


def drawn(network: Network, switches: Collection[int] = ()) -> dict[str, Any]:
    """Buses and lines of a network for a page; `switches` are rows of branches that open and close."""
    places = np.asarray(network.coordinates, float)
    sources: dict[int, list[int]] = {}
    for source, row in network.bus_index.items():
        sources.setdefault(row, []).append(source)
    buses = [
        {
            "id": bus_id(row),
            "name": "bus " + "+".join(str(source) for source in sources.get(row, [row])),
            "x": float(x) if np.isfinite(x) else None,
            "y": float(y) if np.isfinite(y) else None,
            "kv": float(kv),
        }
        for row, ((x, y), kv) in enumerate(zip(places, np.asarray(network.base_kv)))
    ]
    lines = [
        {
            "id": line_id(row),
            "name": label,
            "source": bus_id(int(source)),
            "target": bus_id(int(target)),
            "kind": "switch" if row in switches else "transformer" if label.startswith("trafo") else "line",
        }
        for row, (label, source, target) in enumerate(
            zip(network.branch_labels, np.asarray(network.from_bus), np.asarray(network.to_bus))
        )
    ]
    return {"buses": buses, "lines": lines}
