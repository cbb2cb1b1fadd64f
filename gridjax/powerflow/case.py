"""What a power flow is asked: injections and, where they differ from the network's own, its topology."""

from __future__ import annotations

from typing import Any, NamedTuple

Array = Any


class Case(NamedTuple):
    """One entry per scenario, complex p.u. `[..., n_bus]`; what is `None` is the network's own."""

    injection: Array
    constant_current: Array | None = None
    constant_impedance: Array | None = None
    pv_voltage: Array | None = None  # [..., n_pv], p.u., set-points
    branch_status: Array | None = None  # [..., n_branch], zero: out of service
    slack: Array | None = None  # [..., n_bus], bool
    energised: Array | None = None  # [..., n_bus], bool
