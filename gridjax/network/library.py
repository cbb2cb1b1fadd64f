"""The networks that ship with gridjax, by name."""

from __future__ import annotations

import difflib
import json
from functools import cache
from pathlib import Path
from typing import Any

from gridjax.network.artefact import load_network
from gridjax.network.network import Network

_FOLDER = Path(__file__).parent / "data"


def names() -> tuple[str, ...]:
    """Names of the shipped networks."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.npz")))


@cache
def get(name: str) -> Network:
    """The shipped network `name`; `ValueError` with the nearest names if there is none."""
    _check(name)
    return load_network(_FOLDER / f"{name}.json")


def describe(name: str) -> dict[str, Any]:
    """Source, licence, versions, checksum and validation report of a shipped network."""
    _check(name)
    return json.loads((_FOLDER / f"{name}.json").read_text())


def _check(name: str) -> None:
    known = names()
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.3)
        hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(known)}"
        raise ValueError(f"unknown network {name!r}; {hint}")
