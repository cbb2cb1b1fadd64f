"""What happened between two steps, told from their pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BAND_SLACK = 1e-3  # p.u., below what a class 0.2 voltage transformer tells apart
_CRUMB = 0.01  # kWh


def happenings(
    before: Mapping[str, Any] | None, now: Mapping[str, Any], band: tuple[float, float]
) -> list[dict[str, str]]:
    """Events with `kind`, `severity` and `text`. `before` is None at the first step of an episode."""
    found: list[dict[str, str]] = []

    def tell(kind: str, severity: str, text: str) -> None:
        found.append({"kind": kind, "severity": severity, "text": text})

    grid, metrics = now["grid"], now["metrics"]
    was = before["grid"] if before else {"connected": True, "islanded": False, "energised_share": 1.0}
    if grid["energised_share"] <= 0.0 < was["energised_share"]:
        tell("collapse", "alarm", "the grid has collapsed: nothing is supplied")
    elif grid["energised_share"] < was["energised_share"] - 1e-6:
        tell("outage", "alarm", f"{1.0 - grid['energised_share']:.0%} of the buses are without supply")
    if was["connected"] and not grid["connected"] and grid["islanded"]:
        tell("islanding", "alarm", "the connection to the grid is lost: an island goes on by itself")
    if not was["connected"] and grid["connected"]:
        tell("reconnection", "info", "connected to the grid again")
    elif grid["energised_share"] > was["energised_share"] + 1e-6:
        tell("reconnection", "info", f"{grid['energised_share']:.0%} of the buses are supplied")

    lost = metrics["unserved_kwh"] or 0.0
    lost_before = (before["metrics"]["unserved_kwh"] or 0.0) if before else 0.0
    if lost > _CRUMB >= lost_before:
        tell("unserved", "warning", f"{lost:.2f} kWh of demand not served in this step")
    if grid["energised_share"] > 0.0 and _outside(now, band) and not (before and _outside(before, band)):
        low, high = metrics["voltage_min"], metrics["voltage_max"]
        tell("voltage", "warning", f"voltages from {low:.3f} to {high:.3f} p.u., out of the band")
    if _overloaded(now) and not (before and _overloaded(before)):
        tell("overload", "warning", f"a line carries {_heaviest(now):.0%} of its rating")
    return found


def _outside(picture: Mapping[str, Any], band: tuple[float, float]) -> bool:
    voltages = [v for v, live in zip(*(picture["buses"][k] for k in ("voltage", "energised"))) if live]
    low, high = band[0] - _BAND_SLACK, band[1] + _BAND_SLACK
    return any(not low <= v <= high for v in voltages)


def _heaviest(picture: Mapping[str, Any]) -> float:
    return max((share for share in picture["lines"]["loading"] if share is not None), default=0.0)


def _overloaded(picture: Mapping[str, Any]) -> bool:
    return _heaviest(picture) > 1.0
