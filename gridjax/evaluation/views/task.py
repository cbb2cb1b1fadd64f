"""The view of a task."""

from __future__ import annotations

from typing import Any

from gridjax.envs import Environment
from gridjax.envs.resilience import Resilience
from gridjax.envs.smart_grid import SmartGrid
from gridjax.envs.voltage_control import VoltageControl
from gridjax.evaluation.views.resilience import ResilienceView
from gridjax.evaluation.views.smart_grid import SmartGridView
from gridjax.evaluation.views.view import View
from gridjax.evaluation.views.voltage_control import VoltageControlView


def view_of(env: Environment, params: Any) -> View:
    """The view of a task, or a `ValueError` for one that has none. Host-side."""
    if isinstance(env, SmartGrid):
        return SmartGridView.of(env, params)
    if isinstance(env, VoltageControl):
        return VoltageControlView.of(env, params)
    if isinstance(env, Resilience):
        return ResilienceView.of(env, params)
    raise ValueError(
        f"{env.name} has no view, expected SmartGrid-v0, VoltageControl-v0 or Resilience-v0; a task of "
        "one's own is shown by a gridjax.evaluation.views.NetworkView"
    )
