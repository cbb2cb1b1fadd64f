"""Buses of a network joined into one, as a closed switch between two buses joins them."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from gridjax.network.network import BusIndex, Network
from gridjax.network.validation import check_network


def fuse(network: Network, pairs: Mapping[int, int] | Iterable[tuple[int, int]]) -> Network:
    """Join buses of `network` as closed bus-bus switches without impedance do; on the host.

    `pairs` is {row that goes: row that stays}, or such pairs one by one. A row that stays may go in
    another pair: with {a: b, b: c} both a and b become c. Injections, shunts and voltage-dependent parts
    [n_bus] of buses that are joined add up, branches and sources move to the row that stays, which keeps
    its coordinates. The rows that are left are numbered anew in their old order; `bus_index` follows.
    Branches keep their rows, their labels and everything but their ends, and the network its name.

    Raises `ValueError` for a row out of range, one that goes twice or into itself, pairs in a ring,
    different `base_kv`, more than one slack or PV bus joined, or a branch between buses that are joined.
    """
    target = _targets(network, pairs)
    _check_joined(network, target)
    kept = np.unique(target)
    row = np.searchsorted(kept, target)  # of every old row, the new one

    def added(value: np.ndarray) -> np.ndarray:
        value = np.asarray(value)
        total = np.zeros(kept.size, value.dtype)
        np.add.at(total, row, value)
        return total

    pv = row[np.array(network.pv_buses, int)]
    order = np.argsort(pv)
    joined = replace(
        network,
        base_kv=np.asarray(network.base_kv)[kept],
        shunt=added(network.shunt),
        from_bus=row[network.from_bus].astype(np.asarray(network.from_bus).dtype),
        to_bus=row[network.to_bus].astype(np.asarray(network.to_bus).dtype),
        pv_voltage=np.asarray(network.pv_voltage)[order],
        reactive_min=np.asarray(network.reactive_min)[order],
        reactive_max=np.asarray(network.reactive_max)[order],
        constant_current=added(network.constant_current),
        constant_impedance=added(network.constant_impedance),
        nominal_injection=added(network.nominal_injection),
        coordinates=np.asarray(network.coordinates)[kept],
        slack_buses=tuple(int(row[bus]) for bus in network.slack_buses),
        pv_buses=tuple(int(bus) for bus in pv[order]),
        bus_index=BusIndex({bus: int(row[old]) for bus, old in network.bus_index.items()}),
    )
    return check_network(joined)


def _targets(network: Network, pairs: Mapping[int, int] | Iterable[tuple[int, int]]) -> np.ndarray:
    """The old row that every bus ends up in, int `[n_bus]`."""
    name, n_bus = network.name, network.n_bus
    stays: dict[int, int] = {}
    for pair in pairs.items() if isinstance(pairs, Mapping) else pairs:
        gone, left = map(operator.index, pair)  # pyright: ignore[reportArgumentType]
        for bus in (gone, left):
            if not 0 <= bus < n_bus:
                raise ValueError(f"network {name!r}: rows to fuse must lie in [0, {n_bus}), got {bus}")
        if gone == left:
            raise ValueError(f"network {name!r}: row {gone} cannot be fused with itself")
        if gone in stays:
            raise ValueError(
                f"network {name!r}: row {gone} is to go twice, into row {stays[gone]} and into row {left}"
            )
        stays[gone] = left
    target = np.arange(n_bus)
    for gone in stays:
        end, passed = gone, [gone]
        while end in stays:
            end = stays[end]
            if end in passed:
                ring = " -> ".join(map(str, [*passed[passed.index(end) :], end]))
                raise ValueError(f"network {name!r}: rows to fuse form a ring, {ring}: none of them stays")
            passed.append(end)
        target[gone] = end
    return target


def _check_joined(network: Network, target: np.ndarray) -> None:
    name = network.name
    base_kv = np.asarray(network.base_kv)
    for gone in np.flatnonzero(target != np.arange(target.size)):
        left = target[gone]
        if not math.isclose(base_kv[gone], base_kv[left]):
            raise ValueError(
                f"network {name!r}: rows {gone} and {left} cannot be fused, their base_kv are "
                f"{base_kv[gone]} and {base_kv[left]}"
            )
    sources = np.array([*network.slack_buses, *network.pv_buses], int)
    for left, count in zip(*np.unique(target[sources], return_counts=True)):
        if count > 1:
            rows = np.sort(sources[target[sources] == left]).tolist()
            raise ValueError(
                f"network {name!r}: rows {rows} cannot be fused, each of them is a slack or PV bus"
            )
    ends = np.stack([np.asarray(network.from_bus), np.asarray(network.to_bus)])
    loops = np.flatnonzero((target[ends[0]] == target[ends[1]]) & (ends[0] != ends[1]))
    if loops.size:
        branch = int(loops[0])
        raise ValueError(
            f"network {name!r}: rows {ends[0, branch]} and {ends[1, branch]} cannot be fused, "
            f"branch {branch} ({network.branch_labels[branch]}) lies between them"
        )
