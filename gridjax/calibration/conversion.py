"""A pandapower network as a `Network`, through pandapower's own admittance model."""

from __future__ import annotations

import numpy as np
from pandapower.auxiliary import pandapowerNet
from pandapower.pf.ppci_variables import _get_pf_variables_from_ppci
from pandapower.pypower import idx_brch, idx_bus, idx_gen

from gridjax.calibration.branches import elements, ratings
from gridjax.calibration.coordinates import coordinates
from gridjax.calibration.supported import check_supplied, check_supported
from gridjax.calibration.tables import Tables, internal_tables
from gridjax.network import BusIndex, Network, check_network

_UNLIMITED_MVAR = 1e9  # pandapower's number for a missing limit


def from_pandapower(net: pandapowerNet, name: str | None = None) -> tuple[Network, np.ndarray]:
    """Convert `net`; return the network and its own injection `[n_bus]`, complex p.u., generation positive.

    The model is that of `pandapower.runpp(net, calculate_voltage_angles=True, trafo_model="t")`: rows
    and branches are in the order of its internal tables, elements in service only. Buses fused by
    closed switches share a row; buses out of service, or unsupplied and unloaded, are dropped; an open
    line end, the star point of a three-winding transformer and the inner node of an extended ward are
    rows of their own. `network.bus_index[bus]` is the row of a pandapower bus.

    External grids and slack generators are slack buses; other generators, extended wards and the ends of
    DC lines are PV buses. As in `runpp`, the three phases of an asymmetric load or generator are added
    up, and at a bus with voltage-dependent loads the mean of their shares applies to all the power of
    the bus but that of generators: these shares are in `network.constant_current` and `constant_impedance`,
    not in the injection, so that scaling the injection leaves them. The slack is not distributed, controllers
    are not run.

    No power flow is run and `net` is not changed. Raises `TypeError` for anything but a pandapowerNet and
    `ValueError`, which names the elements, for unsupported elements, numbers that are not finite, no
    source, or a loaded island without a source.
    """
    check_supported(net)
    net, ppci = internal_tables(net)
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

    *_, slack, pv, _, _, _, start, _ = _get_pf_variables_from_ppci(ppci)
    pv = np.sort(pv)
    injection, constant_current, constant_impedance = bus_powers(ppci)
    low, high = _reactive_limits(ppci)
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
        slack_voltage=start[slack],
        pv_voltage=np.abs(start[pv]),
        reactive_min=low[pv],
        reactive_max=high[pv],
        constant_current=constant_current,
        constant_impedance=constant_impedance,
        nominal_injection=injection,
        coordinates=coordinates(net, rows, n_bus, parts, ends),
        name=str(name or net.name or "pandapower"),
        slack_buses=tuple(slack.tolist()),
        pv_buses=tuple(pv.tolist()),
        bus_index=BusIndex(rows),
        branch_labels=tuple(part.label for part in parts),
    )
    return check_network(network), injection.copy()


def bus_powers(ppci: Tables) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Injections of constant power, current and impedance at 1 p.u. voltage, complex p.u. `[n_bus]` each.

    Without the reactive power of generators and without what the sources inject.
    """
    bus, gen, base_mva = ppci["bus"], ppci["gen"], float(ppci["baseMVA"])
    p, q = -bus[:, idx_bus.PD] / base_mva, -bus[:, idx_bus.QD] / base_mva
    current = p * bus[:, idx_bus.CID_P] + 1j * q * bus[:, idx_bus.CID_Q]
    impedance = p * bus[:, idx_bus.CZD_P] + 1j * q * bus[:, idx_bus.CZD_Q]
    power = p + 1j * q - current - impedance
    generators = np.setdiff1d(np.arange(len(gen)), ppci["internal"]["ref_gens"])
    at = gen[generators, idx_gen.GEN_BUS].real.astype(int)
    np.add.at(power, at, gen[generators, idx_gen.PG] / base_mva)
    return power, current, impedance


def _reactive_limits(ppci: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Least and most reactive power of all generators at a bus, p.u. `[n_bus]`; infinite where unlimited."""
    gen, base_mva = ppci["gen"], float(ppci["baseMVA"])
    at = gen[:, idx_gen.GEN_BUS].real.astype(int)
    totals = []
    for column, sign in ((idx_gen.QMIN, -1.0), (idx_gen.QMAX, 1.0)):
        limit = np.where(sign * gen[:, column] < _UNLIMITED_MVAR, gen[:, column] / base_mva, sign * np.inf)
        total = np.zeros(len(ppci["bus"]))
        np.add.at(total, at, limit)
        totals.append(total)
    return totals[0], totals[1]
