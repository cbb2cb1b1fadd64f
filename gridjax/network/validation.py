"""Early checks of a network that comes from outside."""

from __future__ import annotations

import numpy as np

from gridjax.network.network import Network

_PER_BUS = ("base_kv", "shunt", "nominal_injection", "constant_current", "constant_impedance")
_PER_BRANCH = (
    "from_bus",
    "to_bus",
    "resistance",
    "reactance",
    "charging_from",
    "charging_to",
    "tap_ratio",
    "phase_shift",
    "rating_from",
    "rating_to",
)


def expect_network(network: object) -> None:
    """Raises `TypeError` for anything but a `Network`, such as a network of pandapower."""
    if not isinstance(network, Network):
        raise TypeError(
            f"expected a gridjax.Network, got a {type(network).__name__}; "
            "gridjax.calibration.from_pandapower makes one of pandapower's"
        )


def check_network(network: Network) -> Network:
    """Return `network` unchanged, or raise `ValueError` that names the field at fault.

    Checked: shapes, finite numbers, bus rows in range, non-zero series impedance, positive bases,
    ratings and PV set-points, ordered reactive limits, and that every bus is connected to a slack bus.
    Raises `TypeError` for what is no `Network`.
    """
    expect_network(network)
    name, n_bus, n_branch = network.name, network.n_bus, network.n_branch
    for fields, length in ((_PER_BUS, n_bus), (_PER_BRANCH, n_branch)):
        for field in fields:
            value = np.asarray(getattr(network, field))
            if value.shape != (length,):
                raise ValueError(f"network {name!r}: {field} has shape {value.shape}, expected ({length},)")
            rating = field.startswith("rating")
            if np.isnan(value).any() or (not rating and not np.isfinite(value).all()):
                bad = np.flatnonzero(np.isnan(value) if rating else ~np.isfinite(value))
                raise ValueError(f"network {name!r}: {field} is not finite at rows {bad[:5].tolist()}")
    if not network.slack_buses:
        raise ValueError(f"network {name!r}: slack_buses is empty, expected at least one source")
    slack = np.asarray(network.slack_buses)
    if slack.min() < 0 or slack.max() >= n_bus or len(set(network.slack_buses)) < slack.size:
        raise ValueError(
            f"network {name!r}: slack_buses must be distinct rows in [0, {n_bus}), got {slack.tolist()}"
        )
    if np.shape(network.coordinates) != (n_bus, 2):
        raise ValueError(
            f"network {name!r}: coordinates has shape {np.shape(network.coordinates)}, expected ({n_bus}, 2)"
        )
    if len(network.branch_labels) != n_branch:
        raise ValueError(
            f"network {name!r}: branch_labels has {len(network.branch_labels)} entries, expected {n_branch}"
        )
    slack_voltage = np.asarray(network.slack_voltage)
    if slack_voltage.shape != (len(network.slack_buses),) or not np.isfinite(slack_voltage).all():
        raise ValueError(
            f"network {name!r}: slack_voltage must be one finite number per slack bus "
            f"({len(network.slack_buses)}), got {slack_voltage}"
        )
    _check_voltage_controlled(network)
    for field in ("base_mva", "base_kv", "tap_ratio", "rating_from", "rating_to"):
        value = np.asarray(getattr(network, field))
        if value.size and (value <= 0).any():
            raise ValueError(
                f"network {name!r}: {field} must be positive, is {value.min()} at row {int(value.argmin())}"
            )
    impedance = np.hypot(network.resistance, network.reactance)
    if n_branch and impedance.min() == 0.0:
        row = int(impedance.argmin())
        raise ValueError(
            f"network {name!r}: branch {row} ({network.branch_labels[row]}) has zero series impedance"
        )
    for field in ("from_bus", "to_bus"):
        value = np.asarray(getattr(network, field))
        if n_branch and (value.min() < 0 or value.max() >= n_bus):
            raise ValueError(f"network {name!r}: {field} must lie in [0, {n_bus}), got {value.tolist()}")
    dead = ~reachable(network)
    if dead.any():
        rows = np.flatnonzero(dead)
        raise ValueError(
            f"network {name!r}: {rows.size} buses are an island with no source: rows {rows[:10].tolist()}"
        )
    return network


def _check_voltage_controlled(network: Network) -> None:
    name, n_bus, pv = network.name, network.n_bus, list(network.pv_buses)
    if pv != sorted(set(pv)) or (pv and (pv[0] < 0 or pv[-1] >= n_bus)):
        raise ValueError(
            f"network {name!r}: pv_buses must be distinct ascending rows in [0, {n_bus}), got {pv[:20]}"
        )
    both = sorted(set(pv) & set(network.slack_buses))
    if both:
        raise ValueError(f"network {name!r}: pv_buses and slack_buses share the rows {both[:5]}")
    for field in ("pv_voltage", "reactive_min", "reactive_max"):
        value = np.asarray(getattr(network, field))
        if value.shape != (len(pv),):
            raise ValueError(f"network {name!r}: {field} has shape {value.shape}, expected ({len(pv)},)")
    voltage = np.asarray(network.pv_voltage)
    bad = np.flatnonzero(~(np.isfinite(voltage) & (voltage > 0.0)))
    if bad.size:
        raise ValueError(
            f"network {name!r}: pv_voltage must be positive and finite, is {voltage[bad[0]]} at {bad[0]}"
        )
    low, high = np.asarray(network.reactive_min), np.asarray(network.reactive_max)
    bad = np.flatnonzero(~((low <= high) & (low < np.inf) & (high > -np.inf)))
    if bad.size:
        raise ValueError(
            f"network {name!r}: reactive_min must not exceed reactive_max, "
            f"got {low[bad[0]]} and {high[bad[0]]} at {bad[0]}"
        )


def reachable(network: Network) -> np.ndarray:
    """Which buses are connected to a slack bus: bool `[n_bus]`."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = (np.asarray(network.from_bus), np.asarray(network.to_bus))
    graph = coo_array((np.ones(network.n_branch), ends), shape=(network.n_bus, network.n_bus))
    _, label = connected_components(graph, directed=False)
    return np.isin(label, label[list(network.slack_buses)])
