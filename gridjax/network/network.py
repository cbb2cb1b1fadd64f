"""The `Network` pytree: a balanced AC grid in per-unit, ready for a power flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

Array = Any  # a numpy or JAX array: host code holds float64 numpy, traced code holds tracers


class BusIndex(Mapping):
    """Row of the bus arrays for each bus of the source network (hashable, read-only).

    `index[bus]` is the row of one source bus; a sequence or array of source buses gives an
    `int` array of rows. Several source buses share a row where closed bus switches fuse them.
    """

    def __init__(self, rows: Mapping[int, int]):
        self._rows = {int(bus): int(row) for bus, row in rows.items()}
        self._hash = hash(tuple(sorted(self._rows.items())))

    def __getitem__(self, bus):
        if np.ndim(bus) > 0:
            return np.array([self[b] for b in np.asarray(bus).ravel()], dtype=int).reshape(np.shape(bus))
        try:
            return self._rows[int(bus)]
        except KeyError:
            raise KeyError(
                f"bus {bus} is not in the network (its buses: {_abbreviate(self._rows)})"
            ) from None

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BusIndex) and self._rows == other._rows

    def __repr__(self) -> str:
        return f"BusIndex({_abbreviate(self._rows)})"


def _abbreviate(rows: Mapping[int, int], limit: int = 8) -> str:
    names = [str(bus) for bus in list(rows)[:limit]]
    return ", ".join(names) + (f", ... {len(rows)} in all" if len(rows) > limit else "")


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A balanced AC network in per-unit on `base_mva` and the buses' own `base_kv`.

    Branches follow the usual pi model with an ideal transformer at the from end
    (MATPOWER manual, section 3.2), each end with a shunt admittance of its own:

        I_from = y / conj(t) (V_from / t - V_to) + charging_from V_from / |t|^2
        I_to   = y (V_to - V_from / t) + charging_to V_to
        y = 1 / (resistance + j reactance),   t = tap_ratio exp(j phase_shift)

    Every bus draws its own power from the branches and its shunt, V_i conj((Y V)_i), and at magnitude
    |V_i| is given

        S_i = injection_i + constant_current_i |V_i| + constant_impedance_i |V_i|^2

    plus, at a slack bus, what holds its complex voltage, and at a PV bus the reactive power that holds
    its magnitude. Only branches in service are kept. Arrays are float64 numpy on the host, so that what is
    prepared from them is exact; JAX casts them to its own precision where they are traced.
    """

    base_mva: Array  # [], MVA
    base_kv: Array  # [n_bus], kV, line to line
    shunt: Array  # [n_bus], complex p.u. admittance to ground
    from_bus: Array  # [n_branch], int
    to_bus: Array  # [n_branch], int
    resistance: Array  # [n_branch], p.u.
    reactance: Array  # [n_branch], p.u.
    charging_from: Array  # [n_branch], complex p.u. admittance to ground at the from end
    charging_to: Array  # [n_branch], complex p.u. admittance to ground at the to end
    tap_ratio: Array  # [n_branch], p.u., 1 for a line
    phase_shift: Array  # [n_branch], rad
    rating_from: Array  # [n_branch], p.u. current at the from end, inf where unrated
    rating_to: Array  # [n_branch], p.u. current at the to end, inf where unrated
    slack_voltage: Array  # [n_slack], complex p.u.
    pv_voltage: Array  # [n_pv], p.u., magnitude held at the voltage-controlled (PV) buses
    reactive_min: Array  # [n_pv], p.u., least the generators of the bus inject on top of S; -inf: no limit
    reactive_max: Array  # [n_pv], p.u., most of the same; inf: no limit
    constant_current: Array  # [n_bus], complex p.u., own injection at 1 p.u. of loads linear in voltage
    constant_impedance: Array  # [n_bus], complex p.u., own injection at 1 p.u. of loads square in voltage
    # own loads and generation of constant power; at PV buses without the generators' reactive power
    nominal_injection: Array  # [n_bus], complex p.u.
    coordinates: Array  # [n_bus, 2], for drawing only, NaN where unknown
    name: str = field(metadata={"static": True})
    slack_buses: tuple[int, ...] = field(metadata={"static": True})
    pv_buses: tuple[int, ...] = field(metadata={"static": True})  # ascending, none of them a slack bus
    bus_index: BusIndex = field(metadata={"static": True})
    branch_labels: tuple[str, ...] = field(metadata={"static": True})

    def __repr__(self) -> str:
        if not isinstance(self.base_kv, np.ndarray | jax.Array):  # something else in the shape of a network
            return object.__repr__(self)
        size = f"{self.n_bus} buses, {self.n_branch} branches"
        return f"<Network {self.name!r}: {size}, slack rows {list(self.slack_buses)}, {self.n_pv} PV buses>"

    @property
    def n_bus(self) -> int:
        """Number of buses."""
        return self.base_kv.shape[-1]

    @property
    def n_branch(self) -> int:
        """Number of branches: lines, transformers and impedances."""
        return self.from_bus.shape[-1]

    @property
    def n_pv(self) -> int:
        """Number of PV buses."""
        return len(self.pv_buses)

    @property
    def free_buses(self) -> np.ndarray:
        """Rows of all buses but the slack buses, `[n_bus - n_slack]`, ascending."""
        return np.setdiff1d(np.arange(self.n_bus), self.slack_buses)
