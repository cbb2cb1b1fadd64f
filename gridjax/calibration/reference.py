"""pandapower's answer for random states of a network: what `gridjax.powerflow` is measured against."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import pandapower as pp
from pandapower.auxiliary import pandapowerNet

from gridjax.calibration.supported import Table, in_service
from gridjax.network import Network

TOLERANCE_MVA = 1e-10
_MAX_LOAD = 1.5  # times the nominal load
_EXTRA_REACTIVE = 0.4  # reactive power of extra generation, at most this share of its active power

_RECYCLE = {"bus_pq": True, "gen": False, "trafo": False}  # only powers change between states

# per branch table: end of the branch, suffix of pandapower's result columns
_RESULTS = {
    "line": (("from", "from"), ("to", "to")),
    "trafo": (("from", "hv"), ("to", "lv")),
    "impedance": (("from", "from"), ("to", "to")),
    "trafo3w hv": (("from", "hv"),),
    "trafo3w mv": (("to", "mv"),),
    "trafo3w lv": (("to", "lv"),),
}


@dataclass
class Reference:
    """Solved states; arrays have a leading axis `[n_states]` and NaN where pandapower has no value."""

    injection: np.ndarray  # [n_states, n_bus], complex p.u.
    voltage: np.ndarray  # [n_states, n_bus], complex p.u.
    power: np.ndarray  # [n_states, n_branch, 2], complex p.u., from and to end
    current: np.ndarray  # [n_states, n_branch, 2], p.u.
    loading: np.ndarray  # [n_states, n_branch], share of the rating
    losses: np.ndarray  # [n_states], active p.u.
    slack_power: np.ndarray  # [n_states, n_slack], complex p.u.
    solved: np.ndarray  # [n_states], bool
    tolerance_mva: float  # loosest that was needed


def random_reference(network: Network, net: pandapowerNet, n_states: int, seed: int) -> Reference:
    """Solve `n_states` random states of `net` with `pandapower.runpp` at the tightest workable tolerance.

    Each load is scaled by U[0, 1.5] and each static generator by U[0, 1], independently; at about a third
    of the load buses there is new generation, together at most the nominal load, with a power factor of
    at least 0.93 either way.
    """
    random = np.random.default_rng(seed)
    net = copy.deepcopy(net)
    net.user_pf_options = {}
    nominal = {
        table: _supplied(net, network, table)[["p_mw", "q_mvar"]]
        for table in ("load", "sgen")
        if len(net[table])
    }
    extra, share = _add_generation(net, network, random)
    tolerance = _attempt(net, TOLERANCE_MVA, ways=(None,))  # tables of an older run must not be reused
    if np.isnan(tolerance):
        raise ValueError(f"pandapower does not converge on the nominal state of network {network.name!r}")
    found = _empty(network, n_states, tolerance)
    for state in range(n_states):
        for table, largest in (("load", _MAX_LOAD), ("sgen", 1.0)):
            if table in nominal:
                rows = nominal[table]
                factor = random.uniform(0.0, largest, len(rows))[:, None]
                net[table].loc[rows.index, ["p_mw", "q_mvar"]] = rows.to_numpy() * factor
        p = share * random.uniform(0.0, 1.0, len(extra)) * random.uniform()
        q = p * random.uniform(-_EXTRA_REACTIVE, _EXTRA_REACTIVE, len(extra))
        net.sgen.loc[extra, ["p_mw", "q_mvar"]] = np.stack([p, q], axis=-1)
        found.injection[state] = _injection(network, net, nominal)
        met = _attempt(net, tolerance)
        if np.isnan(met):
            continue
        found.tolerance_mva = max(found.tolerance_mva, met)
        found.solved[state] = True
        _read(found, state, network, net)
    return found


def _add_generation(
    net: pandapowerNet, network: Network, random: np.random.Generator
) -> tuple[list[int], np.ndarray]:
    """New static generators without power; return their indices and the largest power of each, MW."""
    load = _supplied(net, network, "load")
    if load.empty:
        return [], np.zeros(0)
    per_bus = (load.p_mw * load.scaling).clip(lower=0.0).groupby(load.bus).sum()
    buses = random.permutation(per_bus.index.to_numpy())[: max(1, len(per_bus) // 3)]
    chosen = per_bus.loc[buses].to_numpy()
    share = chosen / max(chosen.sum(), 1e-12) * per_bus.sum()
    return [int(pp.create_sgen(net, int(bus), p_mw=0.0, q_mvar=0.0)) for bus in buses], share


def _supplied(net: pandapowerNet, network: Network, table: str) -> Table:
    """The elements in service at buses that are in `network`."""
    rows = in_service(net, table)
    return rows[rows["bus"].isin(list(network.bus_index))] if len(rows) else rows


def _solve(net: pandapowerNet, tolerance_mva: float, recycle: dict | None = None) -> None:
    pp.runpp(
        net,
        calculate_voltage_angles=True,
        trafo_model="t",
        tolerance_mva=tolerance_mva,
        max_iteration=12,  # pyright: ignore[reportArgumentType] (an int is documented)
        numba=False,
        lightsim2grid=False,
        recycle=recycle,
    )


def _attempt(net: pandapowerNet, tolerance_mva: float, ways: tuple = (_RECYCLE, None)) -> float:
    """Solve from the last state's tables and voltages, else from scratch; return the tolerance met or NaN.

    Tolerances are loosened in steps of ten: a mismatch below the rounding of V conj(Y V) cannot be
    reached, and short lines have a large Y.
    """
    for loosened in (1.0, 10.0, 100.0):
        for recycle in ways:
            try:
                _solve(net, loosened * tolerance_mva, recycle)
                return loosened * tolerance_mva
            except pp.LoadflowNotConverged:
                continue
    return np.nan


def _injection(network: Network, net: pandapowerNet, nominal: dict) -> np.ndarray:
    """Injection of the element tables `[n_bus]`, p.u.: the nominal one, with loads and sgens replaced."""
    injection = network.nominal_injection.copy()
    for table, sign in (("load", -1.0), ("sgen", 1.0)):
        rows = _supplied(net, network, table)
        if rows.empty:
            continue
        before = (
            nominal[table].reindex(rows.index).fillna(0.0)
            if table in nominal
            else 0.0 * rows[["p_mw", "q_mvar"]]
        )
        change = (rows[["p_mw", "q_mvar"]] - before).to_numpy() * rows[["scaling"]].to_numpy()
        power = sign * (change[:, 0] + 1j * change[:, 1]) / float(network.base_mva)
        np.add.at(injection, network.bus_index[rows["bus"].to_numpy()], power)
    return injection


def _empty(network: Network, n_states: int, tolerance_mva: float) -> Reference:
    n, m, s = network.n_bus, network.n_branch, len(network.slack_buses)
    return Reference(
        injection=np.zeros((n_states, n), complex),
        voltage=np.full((n_states, n), np.nan, complex),
        power=np.full((n_states, m, 2), np.nan, complex),
        current=np.full((n_states, m, 2), np.nan),
        loading=np.full((n_states, m), np.nan),
        losses=np.full(n_states, np.nan),
        slack_power=np.zeros((n_states, s), complex),
        solved=np.zeros(n_states, bool),
        tolerance_mva=tolerance_mva,
    )


def _read(found: Reference, state: int, network: Network, net: pandapowerNet) -> None:
    """Copy pandapower's result tables into row `state`."""
    base = float(network.base_mva)
    buses = np.array(list(network.bus_index))
    result = net.res_bus.loc[buses]
    voltage = result["vm_pu"].to_numpy() * np.exp(1j * np.deg2rad(result["va_degree"].to_numpy()))
    found.voltage[state, network.bus_index[buses]] = voltage
    for kind, sides in _RESULTS.items():
        rows = [k for k, label in enumerate(network.branch_labels) if _kind(label) == kind]
        if not rows:
            continue
        table = net["res_" + kind.split()[0]].loc[[int(network.branch_labels[k].split()[1]) for k in rows]]
        for end, suffix in sides:
            side = ("from", "to").index(end)
            kv = network.base_kv[(network.from_bus, network.to_bus)[side][rows]]
            power = table[f"p_{suffix}_mw"].to_numpy() + 1j * table[f"q_{suffix}_mvar"].to_numpy()
            found.power[state, rows, side] = power / base
            found.current[state, rows, side] = table[f"i_{suffix}_ka"].to_numpy() * np.sqrt(3.0) * kv / base
        if kind in ("line", "trafo"):
            found.loading[state, rows] = table["loading_percent"].to_numpy() / 100.0
    losses = sum(net["res_" + table]["pl_mw"].sum() for table in ("line", "trafo", "trafo3w", "impedance"))
    losses += net.res_switch[["p_from_mw", "p_to_mw"]].sum().sum()  # those with an impedance
    found.losses[state] = losses / base
    sources = in_service(net, "ext_grid")
    power = net.res_ext_grid.loc[sources.index]
    place = [
        network.slack_buses.index(row) for row in np.atleast_1d(network.bus_index[sources["bus"].to_numpy()])
    ]
    np.add.at(found.slack_power[state], place, (power["p_mw"] + 1j * power["q_mvar"]).to_numpy() / base)


def _kind(label: str) -> str:
    table, _, *winding = label.split()
    return " ".join([table, *winding])
