"""Runs that nobody trained: evaluations and learning curves of which everything is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from gridjax.evaluation.comparison import share_of_way, summarise

DAYS = 12
TASKS: dict[str, dict[str, Any]] = {
    "voltage": {"env": "VoltageControl-v0", "network": "case33bw", "barrier": "l1", "reactive_weight": 0.01},
    "campus": {"env": "Resilience-v0", "network": None, "energy_weight": 1.0},
}
NETWORKS = {"voltage": "case33bw", "campus": "campus13"}


def evaluation(
    task: str = "voltage",
    quality: float = 0.8,
    seeds: int = 5,
    optimum: bool = True,
    spread: float = 0.05,
    **options: Any,
) -> dict[str, Any]:
    """An `evaluation.json`: no control has a reward of -1, the optimum of 0, a learner of quality - 1."""
    days = np.random.default_rng(3).normal(0.0, 0.1, size=DAYS)
    noise = np.random.default_rng(round(1000 * abs(quality))).normal(0.0, spread, size=(2, seeds, DAYS))
    rewards = {
        "no_control": days[None] - 1.0,
        "mappo": days + quality - 1.0 + noise[0],
        "mappo_stochastic": days + quality - 1.05 + noise[1],
    }
    if optimum:
        rewards["optimum"] = days[None]
    measures = {
        name: {"reward": x, "controllable": 0.5 + 0.4 * np.tanh(x), "diverged": 0 * x}
        for name, x in rewards.items()
    }
    shares = share_of_way(rewards, "no_control", "optimum") if optimum else {}
    found = {
        "task": TASKS[task] | options,
        "network": NETWORKS[task],
        "steps_per_day": 480,
        "seeds": list(range(seeds)),
        "days": list(range(DAYS)),
        "steps_per_seed": 1_000_000,
        "training_seconds": 600.0,
        "start": "no_control",
        "controllers": {
            name: {
                "seeds": seeds if name.startswith("mappo") else 0,
                "share_of_way": shares.get(name),
                "summary": summarise(x),
            }
            for name, x in measures.items()
        },
        "learner": {"num_envs": 8},
        "versions": {"gridjax": "0", "platform": "cpu", "cpu_cores": 2},
        "per_day": {name: {key: value.tolist() for key, value in x.items()} for name, x in measures.items()},
    }
    return json.loads(json.dumps(found, default=np.ndarray.tolist))


def records(
    quality: float = 0.8, seeds: int = 5, number: int = 11, rate: float = 3.0, from_start: bool = True
) -> list[dict[str, Any]]:
    """Lines of a `metrics.jsonl`: rewards that rise from -1 to quality - 1, validations among other lines."""
    found: list[dict[str, Any]] = []
    noise = np.random.default_rng(round(1000 * quality)).normal(0.0, 0.02, size=(number, seeds))
    for k in range(0 if from_start else 1, number):
        share = k / (number - 1)
        rise = (1 - np.exp(-rate * share)) / (1 - np.exp(-rate))
        validation = -1.0 + quality * rise + noise[k] * share
        step = round(1_000_000 * share)
        found.append(
            {"update": k, "step": step, "seconds": 600.0 * share, "validation/reward": list(validation)}
        )
        found.append({"update": k, "step": step + 1, "seconds": 600.0 * share, "reward": [0.0] * seeds})
    return found


def write(folder: Path, evaluated: dict[str, Any], lines: list[dict[str, Any]] | None = None) -> Path:
    """A run directory with these files."""
    folder.mkdir(parents=True)
    (folder / "evaluation.json").write_text(json.dumps(evaluated))
    if lines is not None:
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (folder / "versions.json").write_text(json.dumps({"platform": "cpu", "cpu_cores": 2}))
    return folder
