"""A pandapower network as a `Network`, through pandapower's own admittance model."""

from __future__ import annotations

import copy
import logging
from contextlib import contextmanager

import numpy as np
from pandapower.auxiliary import _init_runpp_options, pandapowerNet
from pandapower.pd2ppc import _pd2ppc
from pandapower.pypower import idx_brch, idx_bus, idx_gen

from gridjax.calibration.branches import elements, ratings
from gridjax.calibration.coordinates import coordinates
from gridjax.calibration.supported import check_supplied, check_supported, in_service
from gridjax.network import BusIndex, Network, check_network


def from_pandapower(net: pandapowerNet, name: str | None = None) -> tuple[Network, np.ndarray]:
    """Convert `net`; return the network and its own injection `[n_bus]`, complex p.u., generation positive.

    The model is that of `pandapower.runpp(net, calculate_voltage_angles=True, trafo_model="t")`: rows
    and branches are in the order of its internal tables, elements in service only. Buses fused by
    closed switches share a row; buses out of service, or unsupplied and unloaded, are dropped; an open
    line end is a row of its own. `network.bus_index[bus]` is the row of a pandapower bus. No power flow
    is run and `net` is not changed.

    Raises `TypeError` for anything but a pandapowerNet and `ValueError`, which names the elements, for
    unsupported elements, numbers that are not finite, no source, or a loaded island without a source.
    """
    check_supported(net)
    net = copy.deepcopy(net)
    for table in ("load", "sgen", "storage"):
        # pandapower multiplies what is out of service by zero, which lets NaN through
        net[table] = in_service(net, table) if len(net[table]) else net[table]
    ppci = _tables(net)
    bus, n_bus, base_mva = ppci["bus"], len(ppci["bus"]), float(ppci["baseMVA"])

    live = net.bus.index[net.bus.in_service.astype(bool)].astype(int)
    lookup = net._pd2ppc_lookups["bus"]
    rows = {int(b): int(lookup[b]) for b in live if 0 <= lookup[b] < n_bus}
    check_supplied(net, [int(b) for b in live if int(b) not in rows])

    kept = np.flatnonzero(ppci["internal"]["branch_is"])
    every = elements(net)
    parts = [every[k] for k in kept]
    branch = ppci["branch"].real
    ends = branch[:, [idx_brch.F_BUS, idx_brch.T_BUS]].astype(np.int32)
    base_kv = bus[:, idx_bus.BASE_KV].copy()
    rated = np.array(
        [ratings(net, part, base_kv[f], base_kv[t], base_mva) for part, (f, t) in zip(parts, ends)]
    ).reshape(-1, 2)

    # makeYbus halves these "line charging" columns; the asymmetric ones hold to end minus from end
    charging = branch[:, idx_brch.BR_G] + 1j * branch[:, idx_brch.BR_B]
    excess = branch[:, idx_brch.BR_G_ASYM] + 1j * branch[:, idx_brch.BR_B_ASYM]
    tap = branch[:, idx_brch.TAP]

    slack = list(dict.fromkeys(ppci["gen"][:, idx_gen.GEN_BUS].real.astype(int).tolist()))
    angle = np.deg2rad(bus[slack, idx_bus.VA])
    injection = -(bus[:, idx_bus.PD] + 1j * bus[:, idx_bus.QD]) / base_mva
    network = Network(
        base_mva=np.asarray(base_mva),
        base_kv=base_kv,
        shunt=(bus[:, idx_bus.GS] + 1j * bus[:, idx_bus.BS]) / base_mva,
        from_bus=ends[:, 0].copy(),
        to_bus=ends[:, 1].copy(),
        resistance=branch[:, idx_brch.BR_R].copy(),
        reactance=branch[:, idx_brch.BR_X].copy(),
        charging_from=charging / 2,
        charging_to=(charging + excess) / 2,
        tap_ratio=np.where(tap == 0.0, 1.0, tap),
        phase_shift=np.deg2rad(branch[:, idx_brch.SHIFT]),
        rating_from=rated[:, 0].copy(),
        rating_to=rated[:, 1].copy(),
        slack_voltage=bus[slack, idx_bus.VM] * np.exp(1j * angle),
        pv_voltage=np.zeros(0),
        reactive_min=np.zeros(0),
        reactive_max=np.zeros(0),
        constant_current=np.zeros(n_bus, complex),
        constant_impedance=np.zeros(n_bus, complex),
        nominal_injection=injection,
        coordinates=coordinates(net, rows, n_bus, parts, ends),
        name=str(name or net.name or "pandapower"),
        slack_buses=tuple(slack),
        pv_buses=(),
        bus_index=BusIndex(rows),
        branch_labels=tuple(part.label for part in parts),
    )
    return check_network(network), injection.copy()


def _tables(net: pandapowerNet) -> dict:
    """pandapower's internal tables for `net` (which gains lookups); in service only, unsolved.

    The public `to_ppc` would not do: it clips reactive power at its limits, which `runpp` does not by
    default, and drops the conductance columns of the branches.
    """
    _init_runpp_options(
        net,
        algorithm="nr",
        calculate_voltage_angles=True,
        init="flat",
        max_iteration="auto",
        tolerance_mva=1e-10,
        trafo_model="t",
        trafo_loading="current",
        enforce_p_lims=False,
        enforce_q_lims=False,
        check_connectivity=True,
        voltage_depend_loads=False,
        numba=False,
        lightsim2grid=False,
    )
    with _quiet():
        _, ppci = _pd2ppc(net)
    return ppci


@contextmanager
def _quiet():
    """pandapower logs a warning for every isolated bus; we drop or refuse those ourselves."""
    logger = logging.getLogger("pandapower")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
