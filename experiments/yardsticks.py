"""What learning is measured against in each task: controllers, how they are scored, the order expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from gridjax.envs.resilience import Resilience
from gridjax.envs.smart_grid import SmartGrid
from gridjax.envs.voltage_control import VoltageControl
from gridjax.evaluation.rollout import Act, Recalling, Scores

Measures = dict[str, np.ndarray]
"""Named scores `[n_day]`, `reward` among them."""


class Score(Protocol):
    """Runs a controller through all days; `note` names it where progress is shown."""

    def __call__(self, act: Act | Recalling, note: str) -> Measures: ...


@dataclass(frozen=True)
class Yardsticks:
    """Controllers of one task, ready to be scored on fixed days."""

    before: Mapping[str, Act]  # from the worst to the best that is expected
    best: Callable[[], Act]  # with perfect information; what it takes is computed when it is called
    score: Score
    start: str  # the controller from which the share of the way to the best is counted
    order: tuple[str, ...]  # names of `before` that are claimed to be in order, worst first
    lower_is_better: tuple[str, ...] = ()  # measures besides the reward for which the order is claimed, too
    bounds: Callable[[], Measures] = dict  # below which such a measure cannot be, where that is known
    constants: Mapping[str, Any] = field(default_factory=dict)  # of rules, for the record


class NoYardsticks(ValueError):
    """A task has nothing that policies could be measured against."""


def stacked(runs: list[Measures]) -> Measures:
    """Scores `[n_run, n_day]` of several runs, or of one."""
    return {measure: np.stack([run[measure] for run in runs]) for measure in runs[0]}


def named_costs(scores: Scores) -> Measures:
    """`cost_NAME`, mean over the steps of each case, of every named cost of the task."""
    return {
        f"cost_{name}": np.asarray(value, float).reshape(len(value), -1).mean(axis=1)
        for name, value in scores.cost.items()
    }


def yardsticks(
    env: Any, params: Any, rows: np.ndarray, done: Callable[[int, str], None], rule: Any = None
) -> Yardsticks:
    """Those of the task `env` on the cases `rows`; `done(n, note)` is called after every `n` scored.

    `rule` is the tuned rule of SmartGrid-v0 or Resilience-v0, where it is known already. Raises
    `NoYardsticks` for a task that has none.
    """
    if isinstance(env, VoltageControl):
        from experiments.voltage_yardsticks import voltage_yardsticks

        return voltage_yardsticks(env, params, rows, done)
    if isinstance(env, SmartGrid):
        from experiments.prosumer_yardsticks import prosumer_yardsticks

        return prosumer_yardsticks(env, params, rows, done, rule)
    if isinstance(env, Resilience):
        from experiments.campus_yardsticks import campus_yardsticks

        return campus_yardsticks(env, params, rows, done, rule)
    raise NoYardsticks(
        f"{env.name} has nothing to be measured against yet; VoltageControl-v0, SmartGrid-v0 and "
        "Resilience-v0 have"
    )
