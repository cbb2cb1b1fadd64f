"""Calibrated networks on disk: one `.npz` of arrays and one `.json` that says where they come from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gridjax.network.network import BusIndex, Network
from gridjax.network.validation import check_network

_ARRAYS = tuple(f.name for f in dataclasses.fields(Network) if not f.metadata.get("static", False))
# absent from artefacts of constant-power networks that were written before these fields existed
_LATER = {"pv_voltage", "reactive_min", "reactive_max", "constant_current", "constant_impedance"}


def save_network(network: Network, folder: str | os.PathLike, description: dict[str, Any]) -> Path:
    """Write `network` as `<folder>/<name>.npz` and its `description` as `<name>.json`; return the latter.

    Both files are written under temporary names, then renamed. The JSON gains the static fields and the
    SHA-256 of the arrays, which `load_network` checks.
    """
    check_network(network)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.asarray(getattr(network, name)) for name in _ARRAYS}
    record = {
        **description,
        "name": network.name,
        "slack_buses": list(network.slack_buses),
        "pv_buses": list(network.pv_buses),
        "bus_index": {str(bus): row for bus, row in network.bus_index.items()},
        "branch_labels": list(network.branch_labels),
        "sha256": digest(arrays),
    }
    sheet = folder / f"{network.name}.json"
    archive = sheet.with_suffix(".npz")
    # the names of unfinished files end in .partial, so that the library does not list them
    unfinished = [path.with_name(path.name + ".partial") for path in (archive, sheet)]
    with open(unfinished[0], "wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
    unfinished[1].write_text(json.dumps(record, indent=1, allow_nan=False) + "\n")
    for path, final in zip(unfinished, (archive, sheet)):
        os.replace(path, final)
    return sheet


def load_network(path: str | os.PathLike) -> Network:
    """Read the artefact whose `.json` (or `.npz`) is at `path`.

    Raises `FileNotFoundError` if a part is missing, `ValueError` if the checksum does not match.
    """
    sheet = Path(path).with_suffix(".json")
    archive = sheet.with_suffix(".npz")
    for part in (sheet, archive):
        if not part.is_file():
            raise FileNotFoundError(f"network artefact {part} does not exist")
    record = json.loads(sheet.read_text())
    with np.load(archive, allow_pickle=False) as stored:
        missing = sorted(set(_ARRAYS) - set(stored.files) - _LATER)
        if missing:
            raise ValueError(f"network artefact {archive} lacks the arrays {missing}")
        arrays = {name: stored[name] for name in _ARRAYS if name in stored.files}
    if digest(arrays) != record["sha256"]:
        raise ValueError(f"network artefact {archive} does not match the checksum in {sheet.name}")
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


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names, dtypes, shapes and bytes: the content, not the zip container around it."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        value = np.ascontiguousarray(arrays[name])
        total.update(f"{name}:{value.dtype.str}:{value.shape};".encode())
        total.update(value.tobytes())
    return total.hexdigest()
