"""Which pandapower networks can be converted: everything else is refused early, by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandapower.auxiliary import pandapowerNet

Table = Any  # a pandas DataFrame: pandas' own types do not tell a column from a table

_UNSUPPORTED = {
    "line_dc": "DC lines",
    "load_dc": "DC loads",
    "source_dc": "DC sources",
    "b2b_vsc": "back-to-back converters",
    "vsc": "voltage source converters",
    "vsc_stacked": "voltage source converters",
    "vsc_bipolar": "voltage source converters",
    "svc": "static VAr compensators",
    "tcsc": "thyristor-controlled series capacitors",
    "ssc": "static synchronous compensators",
    "controller": "controllers (run them first, then take them out of service)",
}

_NUMBERS = {
    "bus": ("vn_kv",),
    "ext_grid": ("vm_pu", "va_degree"),
    "gen": ("p_mw", "vm_pu", "scaling"),
    "dcline": ("p_mw", "loss_percent", "loss_mw", "vm_from_pu", "vm_to_pu"),
    "load": ("p_mw", "q_mvar", "scaling"),
    "asymmetric_load": (*(f"p_{x}_mw" for x in "abc"), *(f"q_{x}_mvar" for x in "abc"), "scaling"),
    "asymmetric_sgen": (*(f"p_{x}_mw" for x in "abc"), *(f"q_{x}_mvar" for x in "abc"), "scaling"),
    "sgen": ("p_mw", "q_mvar", "scaling"),
    "storage": ("p_mw", "q_mvar", "scaling"),
    "shunt": ("p_mw", "q_mvar", "step"),
    "ward": ("ps_mw", "qs_mvar", "pz_mw", "qz_mvar"),
    "xward": ("ps_mw", "qs_mvar", "pz_mw", "qz_mvar", "r_ohm", "x_ohm", "vm_pu"),
    "line": ("length_km", "r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "g_us_per_km", "parallel", "df"),
    "trafo": (
        "sn_mva",
        "vn_hv_kv",
        "vn_lv_kv",
        "vk_percent",
        "vkr_percent",
        "pfe_kw",
        "i0_percent",
        "shift_degree",
        "parallel",
        "df",
    ),
    "trafo3w": tuple(f"{x}_{w}_{u}" for w in ("hv", "mv", "lv") for x, u in (("sn", "mva"), ("vn", "kv")))
    + tuple(f"{x}_{w}_percent" for w in ("hv", "mv", "lv") for x in ("vk", "vkr"))
    + ("pfe_kw", "i0_percent", "shift_mv_degree", "shift_lv_degree"),
    "impedance": ("rft_pu", "xft_pu", "rtf_pu", "xtf_pu", "sn_mva"),
}

_POSITIVE = {
    "bus": ("vn_kv",),
    "ext_grid": ("vm_pu",),
    "gen": ("vm_pu",),
    "xward": ("vm_pu",),
    "dcline": ("vm_from_pu", "vm_to_pu"),
    "line": ("length_km", "parallel", "df"),
    "trafo": ("sn_mva", "vn_hv_kv", "vn_lv_kv", "parallel", "df"),
    "impedance": ("sn_mva",),
}

_NOT_ZERO = {"trafo": ("vk_percent",)}  # negative in the star equivalents of some test cases

_CONSUMERS = {
    "load": "p_mw q_mvar",
    "sgen": "p_mw q_mvar",
    "gen": "p_mw",
    "storage": "p_mw q_mvar",
    "motor": "pn_mech_mw",
    "ward": "ps_mw qs_mvar",
    "xward": "ps_mw qs_mvar",
    "asymmetric_load": "p_a_mw p_b_mw p_c_mw q_a_mvar q_b_mvar q_c_mvar",
    "asymmetric_sgen": "p_a_mw p_b_mw p_c_mw q_a_mvar q_b_mvar q_c_mvar",
}


def check_supported(net: pandapowerNet) -> None:
    """Raise `TypeError` or `ValueError` unless `net` is an AC network of supported elements with a source.

    The message names the table, how many elements are at fault and their pandapower indices.
    """
    if not isinstance(net, pandapowerNet):
        raise TypeError(f"expected a pandapowerNet, got {type(net).__name__}")
    for table, words in _UNSUPPORTED.items():
        found = in_service(net, table)
        if len(found):
            raise ValueError(f"{_count(table, found)} in service: {words} are not supported")
    _check_shares(net)
    _refuse_one_way_impedances(net)
    for table, columns in _NUMBERS.items():
        rows = in_service(net, table)
        for column in columns:
            if column not in rows:
                continue
            value = np.asarray(pd.to_numeric(rows[column], errors="coerce"), float)
            if not np.isfinite(value).all():
                bad = rows[~np.isfinite(value)]
                raise ValueError(f"{_count(table, bad)}: {column} must be a finite number")
            if column in _POSITIVE.get(table, ()) and (value <= 0).any():
                bad = rows[value <= 0]
                raise ValueError(f"{_count(table, bad)}: {column} must be positive, is {value.min():g}")
            if column in _NOT_ZERO.get(table, ()) and (value == 0.0).any():
                raise ValueError(f"{_count(table, rows[value == 0.0])}: {column} must not be zero")
    live = in_service(net, "bus").index
    generators = in_service(net, "gen")
    if len(generators):
        generators = generators[generators["slack"].astype(bool)]
    sources = [rows for rows in (in_service(net, "ext_grid"), generators) if len(rows)]
    if not any(rows["bus"].isin(live).any() for rows in sources):
        raise ValueError(
            "the network has no ext_grid and no slack gen in service: at least one source is needed"
        )


def check_supplied(net: pandapowerNet, dead: list[int]) -> None:
    """Raise `ValueError` if a bus in `dead` (in service, connected to no source) has load or generation."""
    loaded = set()
    for table, columns in _CONSUMERS.items():
        rows = in_service(net, table)
        rows = rows[rows["bus"].isin(dead)] if len(rows) else rows
        if len(rows):
            loaded |= set(rows["bus"][(rows[columns.split()] != 0).any(axis=1)].astype(int))
    if loaded:
        names = ", ".join(map(str, sorted(loaded)[:10])) + (", ..." if len(loaded) > 10 else "")
        raise ValueError(
            f"an island with no source holds load or generation at {len(loaded)} pandapower buses: {names}"
        )


def in_service(net: pandapowerNet, table: str) -> Table:
    """The rows of `net[table]` that are in service (empty where the table does not exist)."""
    if table not in net or not isinstance(net[table], pd.DataFrame) or net[table].empty:
        return pd.DataFrame()
    rows = net[table]
    return rows[rows["in_service"].astype(bool)] if "in_service" in rows else rows


def _check_shares(net: pandapowerNet) -> None:
    """Shares of constant-impedance and constant-current load: numbers in [0, 100], together at most 100."""
    loads = in_service(net, "load")
    for power in "pq":
        columns = [f"const_{kind}_{power}_percent" for kind in "zi"]
        if len(loads) == 0 or not set(columns) <= set(loads):
            continue
        share = loads[columns].to_numpy(float)
        bad = loads[~((share >= 0.0).all(axis=1) & (share.sum(axis=1) <= 100.0))]
        if len(bad):
            raise ValueError(
                f"{_count('load', bad)}: {' and '.join(columns)} must be at least 0 and together at most 100"
            )


def _refuse_one_way_impedances(net: pandapowerNet) -> None:
    rows = in_service(net, "impedance")
    if rows.empty:
        return
    differ = rows[(rows.rft_pu != rows.rtf_pu) | (rows.xft_pu != rows.xtf_pu)]
    if len(differ):
        raise ValueError(
            f"{_count('impedance', differ)}: series impedances that differ by direction are not supported"
        )


def _count(table: str, rows: Table) -> str:
    index = list(rows.index)
    shown = ", ".join(map(str, index[:10])) + (", ..." if len(index) > 10 else "")
    return f"{len(index)} {table} ({table} {shown})"
