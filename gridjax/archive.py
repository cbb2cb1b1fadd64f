"""Arrays on disk: `NAME.npz`, and `NAME.json` that says what they are, with their checksum."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

LARGEST = 1 << 30  # bytes of arrays, beyond which a file is not what it should be


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 (hex) over names, dtypes, shapes and values: the content, not the zip container."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        # little endian whatever the machine, so that one content has one digest
        value = np.ascontiguousarray(arrays[name], arrays[name].dtype.newbyteorder("<"))
        total.update(f"{name}:{value.dtype.str}:{value.shape};".encode())
        total.update(value.tobytes())
    return total.hexdigest()


def write(path: str | os.PathLike, arrays: Mapping[str, np.ndarray], record: Mapping[str, Any]) -> Path:
    """Write `arrays` as `path` with the ending `.npz`, `record` with their digest as `.json`; return that.

    Both are written under temporary names, then renamed, the JSON last, so that a reader never meets half a
    file. `record` is data for JSON; ValueError where it is not finite.
    """
    sheet, archive = _files(path)
    text = json.dumps({**record, "sha256": digest(arrays)}, indent=1, allow_nan=False, ensure_ascii=False)
    sheet.parent.mkdir(parents=True, exist_ok=True)
    # the names of unfinished files end in .partial, so that nobody lists them; another process has its own
    unfinished = [file.with_name(f"{file.name}.{os.getpid()}.partial") for file in (archive, sheet)]
    try:
        with open(unfinished[0], "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        unfinished[1].write_text(text + "\n", encoding="utf-8")
        for file, final in zip(unfinished, (archive, sheet)):
            os.replace(file, final)
    finally:
        for file in unfinished:
            file.unlink(missing_ok=True)
    return sheet


def read(path: str | os.PathLike, what: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the record that `write` left at `path` (either ending); `what` names them in errors.

    Raises `FileNotFoundError` naming the missing file; `ValueError` naming the file that cannot be read, or
    arrays that are not those of the record.
    """
    record = read_record(path, what)
    return read_arrays(path, what, record), record


def read_record(path: str | os.PathLike, what: str) -> dict[str, Any]:
    """The record alone. Raises as `read`."""
    sheet, _ = _files(path)
    if not sheet.is_file():
        raise FileNotFoundError(f"{what} {sheet} does not exist")
    try:
        record = json.loads(sheet.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{what} {sheet} is no JSON: {error}") from error
    if not isinstance(record, dict):
        raise ValueError(f"{what} {sheet} is no JSON object")
    return record


def read_arrays(path: str | os.PathLike, what: str, record: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays that `record` belongs to. Raises as `read`."""
    sheet, archive = _files(path)
    if not archive.is_file():
        raise FileNotFoundError(f"{what} {archive} does not exist")
    if archive.stat().st_size > LARGEST:
        raise ValueError(f"{what} {archive} has {archive.stat().st_size} bytes, expected {LARGEST} at most")
    try:
        # opened here, because np.load leaves its own file open when the archive is broken
        with archive.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except Exception as error:  # of many kinds, depending on where the file is damaged
        raise ValueError(f"{what} {archive} cannot be read: {error}") from error
    if digest(arrays) != record.get("sha256"):
        raise ValueError(f"{what} {archive} does not match the checksum in {sheet.name}")
    return arrays


def _files(path: str | os.PathLike) -> tuple[Path, Path]:
    """JSON and arrays; a name may have points of its own."""
    path = Path(path)
    stem = path.with_suffix("") if path.suffix in {".json", ".npz"} else path
    return stem.with_name(f"{stem.name}.json"), stem.with_name(f"{stem.name}.npz")
