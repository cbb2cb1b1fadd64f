"""Where switches and units of a campus are: from labels and rows to a checked layout."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridjax.envs.options import whole
from gridjax.envs.placement import spread
from gridjax.envs.resilience.topology import Layout
from gridjax.network import Network
from gridjax.powerflow.topology import components


def _rows(network: Network, name: str, given: Sequence[str | int]) -> list[int]:
    rows = []
    for one in given:
        if isinstance(one, str):
            if one not in network.branch_labels:
                raise ValueError(f"{name} holds {one!r}, expected labels of branches of {network.name!r}")
            rows.append(network.branch_labels.index(one))
        elif whole(one, 0) and one < network.n_branch:
            rows.append(int(one))
        else:
            raise ValueError(f"{name} holds {one!r}, expected rows below {network.n_branch}, or labels")
    return rows


def layout_of(
    network: Network,
    connections: Sequence[str | int],
    ties: Sequence[str | int],
    normally_open: Sequence[str | int],
) -> Layout:
    """The switches of a campus, whose buses are those that open `connections` cut off from the slack.

    Raises `ValueError` for branches that are not there, are named twice, or are not where they should be.
    """
    outer, inner = _rows(network, "connections", connections), _rows(network, "ties", ties)
    switches = (*outer, *inner)
    if len(set(switches)) < len(switches):
        raise ValueError(f"ties is {list(ties)!r}, expected none that is named twice or a connection")
    opened = _rows(network, "normally_open", normally_open)
    if not set(opened) <= set(switches):
        raise ValueError(f"normally_open is {list(normally_open)!r}, expected connections or ties")
    status = np.ones(network.n_branch)
    status[outer] = 0.0
    label = np.asarray(components(network, status))
    campus = ~np.isin(label, label[np.array(network.slack_buses)])
    f, t = np.asarray(network.from_bus), np.asarray(network.to_bus)
    for name, rows, wanted in (("connections", outer, True), ("ties", inner, False)):
        bad = [network.branch_labels[k] for k in rows if bool(campus[f[k]] != campus[t[k]]) is not wanted]
        inside = [network.branch_labels[k] for k in rows if not (campus[f[k]] or campus[t[k]])]
        if bad or inside:
            raise ValueError(
                f"{name} holds {bad or inside}, expected branches {'into' if wanted else 'inside'} the campus"
            )
    if all(row in opened for row in outer):
        raise ValueError(f"normally_open is {list(normally_open)!r}, expected a connection that is closed")
    return Layout(
        switches=switches,
        from_bus=tuple(int(f[k]) for k in switches),
        to_bus=tuple(int(t[k]) for k in switches),
        to_grid=(True,) * len(outer) + (False,) * len(inner),
        normal=tuple(k not in opened for k in switches),
        campus=tuple(bool(c) for c in campus),
    )


def far_apart(network: Network, loaded: np.ndarray) -> tuple[int, ...]:
    """Two loaded buses of the campus far from the slack and one another; one where there is one."""
    order = [bus for bus in spread(network) if bus in loaded]
    return tuple((order or loaded.tolist())[-2:])


def on_campus(name: str, buses: Sequence[int], campus: np.ndarray) -> tuple[int, ...]:
    """`buses`, or a `ValueError` that names those that are not on the campus (bool `[n_bus]`)."""
    bad = [bus for bus in buses if not (whole(bus, 0) and bus < campus.size and campus[bus])]
    if bad:
        raise ValueError(
            f"{name} holds {bad}, expected rows of the campus: {np.flatnonzero(campus).tolist()}"
        )
    return tuple(int(bus) for bus in buses)
