"""What a page is told: once who is who, then a frame for every step. `gridjax.live.schema` describes both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.views.view import View

VERSION = "gridjax.live/1"


def frame(
    *,
    sequence: int,
    timestamp: str,
    step: int,
    episode: int,
    clock: Mapping[str, Any],
    picture: Mapping[str, Any],
    comparison: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """A step; `picture` and `comparison` have policy and events, too."""
    return {
        "schema": VERSION,
        "type": "frame",
        "sequence": sequence,
        "timestamp": timestamp,
        "step": step,
        "episode": episode,
        "clock": clock,
        **picture,
        "comparison": comparison,
    }


def hello(view: View, **more: Any) -> dict[str, Any]:
    """Who is who; `more` is what only the sender knows."""
    return {
        "schema": VERSION,
        "type": "hello",
        "env": view.env.name,
        "network": view.network,
        "hours_per_step": view.hours,
        "voltage_band": list(view.voltage_band),
        "grid": view.grid,
        "agents": list(view.agents),
        **more,
    }
