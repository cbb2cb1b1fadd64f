"""The networks that ship with gridjax, by name."""

from __future__ import annotations

import difflib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from gridjax.network.artefact import load_network
from gridjax.network.network import Network
from gridjax.network.validation import check_network

_FOLDER = Path(__file__).parent / "data"


def names() -> tuple[str, ...]:
    """Names of the shipped networks."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.npz")))


def get(network: str | os.PathLike | Network) -> Network:
    """A shipped network by its name, one's own by the path of its `.json` (`save_network`), or itself.

    Raises `ValueError` with the nearest names for a name that is not there, or for a network that is not
    sound (see `check_network`), `FileNotFoundError` for a path, `TypeError` for anything else.
    """
    if isinstance(network, str | os.PathLike):
        path = Path(network)
        return load_network(path) if path.suffix == ".json" else _shipped(str(network))
    return check_network(network)


@cache
def _shipped(name: str) -> Network:
    _check(name)
    return load_network(_FOLDER / f"{name}.json")


def describe(name: str) -> dict[str, Any]:
    """Source, licence, versions, checksum and validation report of a shipped network; raises as `get`."""
    if not isinstance(name, str):
        raise TypeError(f"expected the name of a shipped network, got a {type(name).__name__}")
    _check(name)
    return json.loads((_FOLDER / f"{name}.json").read_text())


def _check(name: str) -> None:
    known = names()
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.3)
        hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(known)}"
        raise ValueError(f"unknown network {name!r}; {hint}")
