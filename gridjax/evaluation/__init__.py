"""Held-out scenarios, statistics, figures, reports and replays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gridjax.evaluation.replay import Recording, record, to_html

__all__ = ["Recording", "record", "to_html"]


def __getattr__(name: str) -> Any:
    # most modules here need no learner, and replays do
    if name in __all__:
        from gridjax.evaluation import replay

        return getattr(replay, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
