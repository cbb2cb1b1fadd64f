"""Errors against pandapower, as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.tables.markdown import table


def calibration_table(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """Largest errors against pandapower over random states, from the reports of `gridjax.calibration`."""
    rows = [
        [
            "network",
            "buses",
            "PV",
            "states",
            "V, float64 (p.u.)",
            "V, float32 (p.u.)",
            "losses, float32",
            "states with overload (%)",
            "lowest V (p.u.)",
            "losses (kW)",
        ]
    ]
    for name, report in reports.items():
        checked, base = report["validation"], report["base_case"]
        rows.append(
            [
                name,
                str(len(set(report["bus_index"].values()))),
                str(len(report["pv_buses"])),
                str(checked["states"]),
                f"{checked['float64']['voltage_error']:.1e}",
                f"{checked['float32']['voltage_error']:.1e}",
                f"{checked['float32']['losses_relative']:.1e}",
                f"{100 * checked['overloaded_states']:.0f}",
                f"{base['lowest_voltage_pu']:.5f}",
                f"{base['losses_kw']:,.2f}",
            ]
        )
    return (
        f"{table(rows)}\n\nLargest error in complex voltage, and in losses as a share of them, over random "
        "loads and generation; lowest voltage and losses at the network's own loads. The report in each "
        "network's JSON says more: quantiles, branch flows, loading, slack power, ratings and their source."
    )
