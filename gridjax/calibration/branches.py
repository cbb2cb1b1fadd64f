"""Which pandapower element each branch row stands for, and what current it may carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pandapower.auxiliary import pandapowerNet

_UNLIMITED_KA = 9999.0  # pandapower's cases write 99999 A or kA for "no limit"


@dataclass(frozen=True)
class Element:
    """One branch: `table` and `index` in pandapower; `winding` is hv, mv or lv for three-winding parts."""

    table: str
    index: int
    winding: str = ""

    @property
    def label(self) -> str:
        """Table, index and winding, as errors and reports name it."""
        return f"{self.table} {self.index} {self.winding}".rstrip()


def elements(net: pandapowerNet) -> list[Element]:
    """The element of every row of `net._ppc["branch"]`, in or out of service."""
    found: list[Element] = []
    for table, (start, stop) in sorted(net._pd2ppc_lookups["branch"].items(), key=lambda item: item[1]):
        if table == "trafo3w":
            rows = [Element(table, int(i), w) for w in ("hv", "mv", "lv") for i in net.trafo3w.index]
        elif table == "switch":
            rows = [Element(table, int(i)) for i in net.switch.index[net._impedance_bb_switches]]
        else:
            rows = [Element(table, int(i)) for i in net[table].index]
        if start != len(found) or stop - start != len(rows):
            raise RuntimeError(f"unexpected layout of pandapower's branch table at {table}")
        found += rows
    return found


def ratings(
    net: pandapowerNet, element: Element, kv_from: float, kv_to: float, base_mva: float
) -> tuple[float, float]:
    """Rated currents at the from and the to end, in p.u. of each end's base; inf where there is none.

    `kv_from`, `kv_to`: base voltages of the ends, kV. As in pandapower's loading_percent: a line's
    max_i_ka * df * parallel; a transformer's rated power at each winding's own rated voltage.
    """
    table, i = element.table, element.index
    if table == "line":
        row = net.line.loc[i]
        ka = _limit(row["max_i_ka"]) * float(row["df"]) * float(row["parallel"])
        return _per_unit(ka, kv_from, base_mva), _per_unit(ka, kv_to, base_mva)
    if table == "switch":
        ka = _limit(net.switch.at[i, "in_ka"] if "in_ka" in net.switch else np.nan)
        return _per_unit(ka, kv_from, base_mva), _per_unit(ka, kv_to, base_mva)
    if table == "trafo":
        row = net.trafo.loc[i]
        mva = float(row["sn_mva"]) * float(row["df"]) * float(row["parallel"])
        return mva / base_mva * kv_from / row["vn_hv_kv"], mva / base_mva * kv_to / row["vn_lv_kv"]
    if table == "trafo3w":
        # only the terminal has a rating: the other end is the fictitious star point
        row, w = net.trafo3w.loc[i], element.winding
        kv = kv_from if w == "hv" else kv_to
        rated = float(row[f"sn_{w}_mva"]) / base_mva * kv / float(row[f"vn_{w}_kv"])
        return (rated, np.inf) if w == "hv" else (np.inf, rated)
    return np.inf, np.inf


def _limit(ka: float) -> float:
    return float(ka) if np.isfinite(ka) and ka < _UNLIMITED_KA else np.inf


def _per_unit(ka: float, base_kv: float, base_mva: float) -> float:
    return ka * np.sqrt(3.0) * base_kv / base_mva
