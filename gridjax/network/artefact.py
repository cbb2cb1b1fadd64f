"""Calibrated networks on disk: one `.npz` of arrays and one `.json` that says where they come from."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gridjax import archive
from gridjax.network.network import BusIndex, Network
from gridjax.network.validation import check_network

_ARRAYS = tuple(f.name for f in dataclasses.fields(Network) if not f.metadata.get("static", False))
# absent from artefacts of constant-power networks that were written before these fields existed
_LATER = {"pv_voltage", "reactive_min", "reactive_max", "constant_current", "constant_impedance"}


def save_network(
    network: Network, folder: str | os.PathLike, description: Mapping[str, Any] | None = None
) -> Path:
    """Write `network` as `<folder>/<name>.npz` and `<name>.json`; return the latter, which `get` reads.

    The JSON holds `description` (data for JSON: source, licence, ...), the static fields and the SHA-256 of
    the arrays, which `load_network` checks.
    """
    check_network(network)
    arrays = {name: np.asarray(getattr(network, name)) for name in _ARRAYS}
    record = {
        **(description or {}),
        "name": network.name,
        "slack_buses": list(network.slack_buses),
        "pv_buses": list(network.pv_buses),
        "bus_index": {str(bus): row for bus, row in network.bus_index.items()},
        "branch_labels": list(network.branch_labels),
    }
    return archive.write(Path(folder) / network.name, arrays, record)


def load_network(path: str | os.PathLike) -> Network:
    """Read the artefact whose `.json` (or `.npz`) is at `path`.

    Raises `FileNotFoundError` if a part is missing, `ValueError` if the checksum does not match.
    """
    arrays, record = archive.read(path, "network artefact")
    missing = sorted(set(_ARRAYS) - arrays.keys() - _LATER)
    if missing:
        raise ValueError(f"network artefact {path} lacks the arrays {missing}")
    arrays = {name: arrays[name] for name in _ARRAYS if name in arrays}
    for field in sorted(_LATER - set(arrays)):
        per_bus = field.startswith("constant")
        arrays[field] = np.zeros(arrays["base_kv"].size, complex) if per_bus else np.zeros(0)
    for value in arrays.values():
        value.setflags(write=False)  # one network is shared by all who load it by name
    return Network(
        **arrays,
        name=record["name"],
        slack_buses=tuple(record["slack_buses"]),
        pv_buses=tuple(record.get("pv_buses", ())),
        bus_index=BusIndex({int(bus): row for bus, row in record["bus_index"].items()}),
        branch_labels=tuple(record["branch_labels"]),
    )
