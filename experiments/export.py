"""Write the policies of a run as portable files: `python -m experiments.export RUN [--to FOLDER/NAME]`.

Without `--to`, those of every checkpoint that was kept, and the best, into `RUN/policies/`, where the live
page finds them. With `--to`, the best alone, such as the one that ships in the wheel:

    python -m experiments.export runs/smartgrid --to gridjax/live/policies/SmartGrid-v0
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from experiments.bad_input import BAD_INPUT
from experiments.files import plain
from experiments.run_directory import RunDirectory
from experiments.steering import known_rule
from experiments.task import network_name
from experiments.training import Progress, Trainer, at_seed, ranked
from experiments.versions import versions
from gridjax.learners import Checkpoints, DamagedCheckpoint
from gridjax.learners.portable import save_policy


@dataclass(frozen=True)
class Command:
    """Write the policies of a run as portable files."""

    run: Annotated[str, tyro.conf.Positional]  # folder of the run
    to: Path | None = None  # the best policy alone, as this file without its ending


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 for bad input."""
    command = tyro.cli(Command, args=arguments, prog="python -m experiments.export")
    try:
        run = RunDirectory.existing(command.run)
        trainer = Trainer.of(run.read_config())
        with Checkpoints(run.checkpoints) as checkpoints:
            steps = checkpoints.steps()
            if not steps:
                raise FileNotFoundError(f"no checkpoint in {run.checkpoints}")
            for step in steps[-1:] if command.to else steps:
                try:
                    progress = checkpoints.restore(None if command.to else step, like=trainer.shape())
                except DamagedCheckpoint as error:
                    print(f"passed over: {error}", file=sys.stderr)
                    continue
                found = [write_best(command.to, run, trainer, progress)] if command.to else []
                found = found or write_policies(run, trainer, progress)
                for path in found:
                    print(path)
    except BAD_INPUT as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def write_policies(run: RunDirectory, trainer: Trainer, progress: Progress) -> list[Path]:
    """The newest policy of the seed that is best so far, and the best one, into `RUN/policies/`."""
    folder = run.path / "policies"
    update, seed = int(progress.state.updates[0]), _best_seed(progress)
    newest = at_seed(trainer.policies(progress), seed)
    about = _about(run, trainer, seed) | {"update": update, "best": False}
    return [
        save_policy(newest, folder / f"update-{update:08d}", about),
        write_best(folder / "best", run, trainer, progress),
    ]


def write_best(path: Path, run: RunDirectory, trainer: Trainer, progress: Progress) -> Path:
    """The policy best in validation of all seeds, or the newest before any validation.

    Of a run whose last policies are evaluated (`run.evaluated`) it is the newest of the first seed.
    """
    last = run.read_config().run.evaluated == "last"
    seed = 0 if last else _best_seed(progress)
    validated = not last and bool(np.isfinite(np.asarray(progress.best_reward)[seed]))
    update = int(np.asarray(progress.best_update)[seed]) if validated else int(progress.state.updates[0])
    policies = progress.best if validated else trainer.policies(progress)
    reward = float(np.asarray(progress.best_reward)[seed]) if validated else None
    about = _about(run, trainer, seed) | {"update": update, "best": True, "validation_reward": reward}
    return save_policy(at_seed(policies, seed), path, about)


def _best_seed(progress: Progress) -> int:
    return int(ranked(np.asarray(progress.best_reward), np.asarray(progress.best_excess))[0])


def _about(run: RunDirectory, trainer: Trainer, seed: int) -> dict[str, Any]:
    config = run.read_config()
    rule = known_rule(trainer.learner.env)
    return plain(
        {
            "env": config.task.env,
            "options": config.task_options(),
            "network": network_name(trainer.learner.env_params),
            "rule_constants": None if rule is None else [float(value) for value in vars(rule).values()],
            "repeats": config.learner.action_repeat,
            "run": run.path.name,
            "seed": trainer.seeds[seed],
            "steps_per_update": config.steps_per_update,
            "total_updates": config.total_updates,
            "made_with": versions(),
        }
    )


if __name__ == "__main__":
    sys.exit(main())
