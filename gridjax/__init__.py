"""Electric grids in JAX: thousands of scenarios at once, every step a real AC power flow."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridjax.envs import make, tasks
    from gridjax.network import Network

__version__ = "0.1.0"

_ROOMS = (
    "calibration",
    "controllers",
    "devices",
    "envs",
    "evaluation",
    "interop",
    "learners",
    "live",
    "network",
    "powerflow",
    "scenarios",
    "testing",
)
_NAMES = {"make": "gridjax.envs", "tasks": "gridjax.envs", "Network": "gridjax.network"}
__all__ = ["Network", "__version__", "make", "tasks"]


def __getattr__(name: str) -> Any:
    # rooms load on first use, so that importing gridjax stays fast and starts no device work
    if name in _ROOMS:
        return importlib.import_module(f"gridjax.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'gridjax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_ROOMS])
