"""From a task's name or a run's folder to an engine that shows it."""

from __future__ import annotations

from pathlib import Path

import gridjax
from gridjax.evaluation.trained import Trained
from gridjax.live.engine import Engine
from gridjax.live.lane import World
from gridjax.live.policies import SHIPPED, Catalogue, policy_files
from gridjax.live.settings import Settings

SPLIT = "test"  # days that nobody was trained on


def engine_of(
    settings: Settings,
    env: str | None = None,
    run: Path | None = None,
    policy: str | None = None,
    scenario: str | None = None,
) -> Engine:
    """An engine for a task by name, or for that of a run.

    Raises `ValueError` or `FileNotFoundError` for what does not exist, or does not fit together.
    """
    if run is not None:
        task, params = _task_of(run).make(split=SPLIT)
        if env is not None and env != task.name:
            raise ValueError(f"env is {env!r}, but the run {run.name!r} is of {task.name}")
    else:
        name = env or "SmartGrid-v0"
        shipped = SHIPPED / f"{name}.json"
        made = Trained.load(shipped).make(split=SPLIT) if shipped.is_file() else None
        task, params = made or gridjax.make(name, split=SPLIT)
    catalogue = Catalogue(task, params, run)
    day = int(scenario) if scenario is not None and scenario.isdigit() else scenario
    return Engine(World(task, params), params, settings, catalogue, policy, day)


def _task_of(run: Path) -> Trained:
    if not run.is_dir():
        raise FileNotFoundError(f"run {str(run)!r} is no folder")
    files = policy_files(run)
    if not files:
        raise FileNotFoundError(
            f"run {run.name!r} has no policies/*.json: python -m experiments.export {run} writes them"
        )
    return Trained.load(files[0])
