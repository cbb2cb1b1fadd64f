"""Time series on disk: one `.npz` of arrays and one `.json` that says where they come from."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np


def digest(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 (hex) over names, dtypes, shapes and values: the content, not the zip container."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        # little endian whatever the machine, so that one content has one digest
        value = np.ascontiguousarray(arrays[name], arrays[name].dtype.newbyteorder("<"))
        total.update(f"{name}:{value.dtype.str}:{value.shape};".encode())
        total.update(value.tobytes())
    return total.hexdigest()


def write(folder: str | os.PathLike, name: str, arrays: dict[str, np.ndarray], sheet: dict[str, Any]) -> None:
    """Write `<folder>/<name>.npz` and `<name>.json`: `sheet` plus the digest of `arrays`.

    Each file is written under a temporary name and renamed, so that a reader never meets half a file.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    archive, record = folder / f"{name}.npz", folder / f"{name}.json"
    partial = archive.with_name(f"{name}.partial.npz")
    np.savez_compressed(partial, allow_pickle=False, **arrays)
    os.replace(partial, archive)
    partial = record.with_name(f"{name}.partial.json")
    partial.write_text(json.dumps({**sheet, "sha256": digest(arrays)}, indent=1, ensure_ascii=False) + "\n")
    os.replace(partial, record)


def read(folder: str | os.PathLike, name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the sheet that `write` left.

    Raises `FileNotFoundError` naming the missing file; `ValueError` naming the file that cannot be read,
    or whose content does not match the SHA-256 in the sheet.
    """
    archive, record = Path(folder) / f"{name}.npz", Path(folder) / f"{name}.json"
    for part in (archive, record):
        if not part.is_file():
            raise FileNotFoundError(f"time series {part} does not exist")
    try:
        sheet = json.loads(record.read_text())
        expected = sheet["sha256"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"time series sheet {record} is not valid JSON with a sha256 entry") from error
    try:
        # opened here, because np.load leaves its own file open when the archive is broken
        with archive.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        raise ValueError(f"time series archive {archive} cannot be read: {error}") from error
    found = digest(arrays)
    if found != expected:
        raise ValueError(f"time series archive {archive} has SHA-256 {found}, its sheet expects {expected}")
    return arrays, sheet
