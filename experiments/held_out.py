"""Scores of a run's policies, and of what they are measured against, on the same days."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.cases import Cases
from experiments.files import plain
from experiments.progress import ProgressBar
from experiments.steering import known_rule
from experiments.training import Trainer, at_seed
from experiments.yardsticks import Measures, stacked, yardsticks


@dataclass(frozen=True)
class Comparison:
    """All controllers on the same days, worst expected first."""

    results: dict[str, Measures]  # `[n_run, n_day]`
    learner: str  # "mappo" or "ippo": the one of them with seeds, deterministic
    stochastic: str  # the same policies with their actions sampled
    start: str  # the controller from which the share of the way is counted
    order: tuple[str, ...]  # claimed, worst first
    lower_is_better: tuple[str, ...]  # measures for which it is claimed besides the reward
    bounds: Measures  # below which measures cannot be, `[n_day]`
    constants: Mapping[str, Any]  # of rules


def learner_name(central_critic: bool) -> str:
    """What the policies are called in tables."""
    return "mappo" if central_critic else "ippo"


def stochastic_name(learner: str) -> str:
    """What a learner's policies are called where their actions are sampled."""
    return f"{learner}_stochastic"


def score_all(
    trainer: Trainer,
    policies: Any,
    cases: Cases,
    optimum: bool = True,
    before: Mapping[str, Measures] | None = None,
) -> Comparison:
    """Score every controller on `cases`; `policies` is stacked over the seeds.

    `before` holds what was measured before: an optimum in it is not searched for again. Raises `ValueError`
    for a task without controllers to be measured against.
    """
    env = trainer.task
    name, seeds = learner_name(trainer.learner.central_critic), len(trainer.seeds)
    with ProgressBar("evaluating", cases.rows.size * (6 + 2 * seeds), unit="cases") as bar:
        sticks = yardsticks(env, cases.params, cases.rows, bar.advance, known_rule(trainer.learner.env))
        results = {}
        for key, act in sticks.before.items():
            results[key] = stacked([sticks.score(act, key.replace("_", " "))])
        each = [at_seed(policies, k) for k in range(seeds)]
        results[name] = stacked(
            [sticks.score(trainer.act(policy), f"{name.upper()} seed {k}") for k, policy in enumerate(each)]
        )
        sampled = stochastic_name(name)
        results[sampled] = stacked(
            [
                sticks.score(trainer.act(policy, seed), f"{name.upper()} seed {k}, sampled")
                for k, (policy, seed) in enumerate(zip(each, trainer.seeds))
            ]
        )
        if before is not None and "optimum" in before:
            results["optimum"] = dict(before["optimum"])
        elif optimum:
            results["optimum"] = stacked([sticks.score(sticks.best(), "optimum")])
    return Comparison(
        results=results,
        learner=name,
        stochastic=sampled,
        start=sticks.start,
        order=(*sticks.order, name, *(["optimum"] if "optimum" in results else [])),
        lower_is_better=sticks.lower_is_better,
        bounds=sticks.bounds() if "optimum" in results else {},
        constants=sticks.constants,
    )


def measured_before(path: Path, task: Mapping[str, Any], days: np.ndarray) -> dict[str, Measures]:
    """Scores of an `evaluation.json` of the same task and days.

    Raises `FileNotFoundError`, or `ValueError` that says in what it differs.
    """
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or "per_day" not in found:
        raise ValueError(f"--reuse {path}: it is no evaluation.json")
    for name, mine in (("task", task), ("days", days)):
        if found.get(name) != plain(mine):
            raise ValueError(f"--reuse {path}: its {name} is another, expected {plain(mine)}")
    return {
        name: {measure: np.array(scores, float) for measure, scores in measures.items()}
        for name, measures in found["per_day"].items()
    }
