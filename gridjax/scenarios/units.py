"""Units of the columns of a user's table: what a name says, and what it is worth in kW, kVAr or EUR/kWh."""

from __future__ import annotations

import re
from collections.abc import Mapping

KINDS = ("load", "reactive", "generation", "price")
_POWER = {"W": 1e-3, "kW": 1.0, "MW": 1e3}
_ENERGY = {"Wh": 1e-3, "kWh": 1.0, "MWh": 1e3}
_REACTIVE = {"var": 1e-3, "kvar": 1.0, "Mvar": 1e3}
_PRICE = {"EUR/kWh": 1.0, "ct/kWh": 1e-2, "EUR/MWh": 1e-3}
KNOWN: Mapping[str, Mapping[str, float]] = {
    "load": {**_POWER, **_ENERGY},
    "reactive": _REACTIVE,
    "generation": {**_POWER, **_ENERGY},
    "price": _PRICE,
}
"""Units of each kind and their factors to kW (kWh a row, for energies), kVAr and EUR/kWh."""


def unit_of(column: str, kind: str, units: Mapping[str, str]) -> str:
    """The unit of `column`: that of `units[column]`, else of its name, else of `units[kind]`.

    A name tells its unit as `house [kW]`, `house (kW)`, `house_kW` or `house kW`. Case matters where it tells
    milli from mega; `kvar`, `kVAr` and `KW` are understood.

    Raises `ValueError` naming the column if there is no unit, or one that is unknown for its kind.
    """
    named = re.search(r"[\[(]\s*([^\[\]()]+?)\s*[\])]\s*$", column) or re.search(r"[_ ]([A-Za-z/]+)$", column)
    if column in units:
        found = units[column]
    elif named and ("[" in named[0] or "(" in named[0] or _spelt(named[1], kind)):
        found = named[1]
    elif kind in units:
        found = units[kind]
    else:
        raise ValueError(
            f"column {column!r} ({kind}) has no unit: name it like '{column} [{next(iter(KNOWN[kind]))}]', "
            f"or give units={{{kind!r}: ...}}; known: {', '.join(KNOWN[kind])}"
        )
    spelt = _spelt(found, kind)
    if spelt is None:
        raise ValueError(
            f"column {column!r} ({kind}) is in {found!r}, expected one of {', '.join(KNOWN[kind])}"
        )
    return spelt


def factor(kind: str, unit: str, hours: float) -> float:
    """What one `unit` is in kW, kVAr or EUR/kWh, where a row of the table spans `hours`."""
    return KNOWN[kind][unit] / (hours if unit in _ENERGY and kind != "price" else 1.0)


def _spelt(unit: str, kind: str) -> str | None:
    """The spelling that is known, or None. mW is not MW: only letters whose case means nothing may differ."""
    for known in KNOWN[kind]:
        if unit.lower() == known.lower() and not (known[0] == "M" and unit[0] != "M"):
            return known
    return None
