"""Held-out scenarios, statistics, figures, reports, replays and films."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridjax.evaluation.animation import animate
    from gridjax.evaluation.replay import Recording, record, to_html

_NAMES = {"Recording": "replay", "animate": "animation", "record": "replay", "to_html": "replay"}
__all__ = ["Recording", "animate", "record", "to_html"]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    # most modules here need no learner, and replays do
    if name in _NAMES:
        return getattr(importlib.import_module(f"gridjax.evaluation.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
