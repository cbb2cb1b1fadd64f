"""A run as its files tell it: the held-out evaluation, and how it learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gridjax.evaluation.learning_curve import LearningCurve

# options that say what agents know of a case, or how long they train, and leave the case as it is
_LEAVE_CASES = {
    *("env", "agents", "network"),  # these are in the title
    *("episode_length", "forecast_error", "message_noise", "message_loss"),
    *("measurement_noise", "delay", "memory", "full_observability"),
}


@dataclass(frozen=True, eq=False)  # one of many may be a key
class EvaluatedRun:
    """One training of one learner on one task, with one seed or several."""

    name: str  # of the learner, as it was named for the comparison
    evaluation: Mapping[str, Any]  # an `evaluation.json`
    curve: LearningCurve | None = None  # None where nothing was logged
    trained_with: Mapping[str, Any] = field(default_factory=dict)  # a `versions.json`

    @property
    def task(self) -> str:
        """What was learned: task, agents and grid. Its runs compare where `world` is the same, too."""
        task = self.evaluation["task"]
        agents = f"{task['agents']} agents on " if task.get("agents") else ""
        return f"{task['env']}, {agents}{self.network}"

    @property
    def network(self) -> str:
        """Name of the grid."""
        return self.evaluation.get("network") or self.evaluation["task"]["network"]

    @property
    def learner(self) -> str:
        """The controller that was trained; its deterministic policies stand before the sampled ones."""
        return next(name for name, found in self.evaluation["controllers"].items() if found["seeds"])

    @property
    def start(self) -> str:
        """The controller from which the share of the way is counted."""
        controllers = self.evaluation["controllers"]
        zero = (n for n, found in controllers.items() if (found["share_of_way"] or {}).get("value") == 0)
        return self.evaluation.get("start") or next(zero, next(iter(controllers)))

    @property
    def reward(self) -> dict[str, Any]:
        """What the reward is made of; rewards compare only where it is the same."""
        return reward_terms(self.evaluation["task"])

    @property
    def world(self) -> dict[str, Any]:
        """The options that make a case what it is, whoever acts in it and however that is paid."""
        task = self.evaluation["task"].items()
        return {k: v for k, v in task if not _is_reward(k) and k not in _LEAVE_CASES and v is not None}

    def scores(self, controller: str | None = None) -> dict[str, np.ndarray]:
        """Measures `[n_run, n_day]` of a controller; the learner's where none is named."""
        found = self.evaluation["per_day"][controller or self.learner]
        return {measure: np.array(scores, float) for measure, scores in found.items()}


def reward_terms(task: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a task that say what its reward is: weights of the terms, and their shape."""
    return {key: value for key, value in task.items() if _is_reward(key) and value is not None}


def _is_reward(option: str) -> bool:
    return option.endswith("_weight") or option == "barrier"
