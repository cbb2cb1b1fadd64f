"""The command line of training: a file's settings, then flags over them; or a run to resume."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import tyro

from experiments import config_file
from experiments.config import Config, differences

# What may change when a run goes on: none of these alters what the steps already done would have been.
MAY_CHANGE = {
    *("total_steps", "evaluate", "evaluated", "checkpoint_every", "checkpoints_kept"),
    *("wandb", "wandb_project"),
}


@dataclass(frozen=True)
class Command:
    """Train multi-agent PPO, validate, checkpoint, and evaluate on held-out days."""

    config: Path | None = None  # YAML file of settings; flags go over it
    resume: Path | None = None  # folder of a run to continue, exactly as if it had not stopped
    settings: Config = field(default_factory=Config)


def parse(arguments: Sequence[str] | None = None) -> tuple[Config, Path | None]:
    """The settings chosen, and the run to resume if any.

    Raises `ValueError` or `FileNotFoundError` for files and values; unknown flags and their types end the
    program with exit status 2, as command lines do.
    """
    scout = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    scout.add_argument("--config", type=Path)
    scout.add_argument("--resume", type=Path)
    try:
        named, _ = scout.parse_known_args(arguments)
    except argparse.ArgumentError:
        named = argparse.Namespace(config=None, resume=None)  # tyro explains it better
    if named.config and named.resume:
        raise ValueError("--config and --resume exclude each other: a resumed run keeps its own settings")
    source = named.resume / "config.yaml" if named.resume else named.config
    if named.resume and not source.is_file():
        raise FileNotFoundError(f"no run to resume in {named.resume}: it has no config.yaml")
    start = config_file.read(source, Config) if source else Config()
    command = tyro.cli(
        tyro.conf.OmitArgPrefixes[Command],
        args=arguments,
        default=Command(settings=start),
        prog="python -m experiments.mappo",
    )
    settings = command.settings.resolved()
    if command.resume is None:
        return settings, None
    refused = {
        name: pair for name, pair in differences(start.resolved(), settings).items() if name not in MAY_CHANGE
    }
    if settings.learner.decay_learning_rate and start.run.total_steps != settings.run.total_steps:
        refused["total_steps"] = (start.run.total_steps, settings.run.total_steps)
    for name, (before, after) in refused.items():
        why = " where the learning rate decays to its end" if name == "total_steps" else ""
        raise ValueError(
            f"{name} is {after!r}, but the run to resume has {before!r}, and that cannot change{why}"
        )
    return replace(settings, run=replace(settings.run, run_dir=str(command.resume))), command.resume
