"""Train multi-agent PPO: `python -m experiments.mappo --help`.

python -m experiments.mappo                                    # case33bw, one seed
python -m experiments.mappo --config experiments/configs/case141.yaml --num-seeds 2
python -m experiments.mappo --resume runs/case33bw             # after Ctrl-C, a kill or a power cut
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from experiments.bad_input import BAD_INPUT
from experiments.command_line import parse
from experiments.config import Config
from experiments.distributed import anywhere, is_first_process
from experiments.export import write_policies
from experiments.interrupt import Interrupt
from experiments.metrics_log import MetricsLog, check_wandb
from experiments.progress import ProgressBar
from experiments.run_directory import RunDirectory, read_metrics
from experiments.run_lock import RunLock
from experiments.steering import with_constants
from experiments.task import network_name
from experiments.training import Progress, Trainer, ranked, use_cpu_devices
from experiments.versions import versions
from gridjax.learners import Checkpoints

_VALIDATED = "validation/reward"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, 2 for bad settings, 128 plus the signal's number where one stopped it."""
    with ExitStack() as held:
        try:
            config, resumed = parse(arguments)
            check_wandb(config)
            if resumed is None:
                config = replace(config, run=replace(config.run, cpu_devices=use_cpu_devices(config)))
                trainer = Trainer.of(config)
                config = with_constants(config, trainer.learner.env)
                run = _new_folder(config)
                held.enter_context(_lock(run))
                config = replace(config, run=replace(config.run, run_dir=str(run.path)))
                progress, seconds = trainer.start(), 0.0
            else:
                use_cpu_devices(config)
                run, trainer = RunDirectory.existing(resumed), Trainer.of(config)
                held.enter_context(_lock(run))
                progress, seconds = restore(run, trainer)
            log = MetricsLog(run, config, updates_done(progress), kept=is_first_process())
            held.enter_context(log)
        except BAD_INPUT as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        made_with = versions()
        if is_first_process():
            run.write_settings(config, made_with)
            _announce(run, config, trainer, made_with, progress)
        stopped_by = train(run, config, trainer, progress, seconds, log)
    if stopped_by:
        print(
            f"stopped and saved; go on with: python -m experiments.mappo --resume {run.path}", file=sys.stderr
        )
        return 128 + stopped_by
    steps = config.total_updates * config.steps_per_update
    if is_first_process() and config.run.evaluated == "best":
        print(_best(read_metrics(run.metrics)))
    if jax.process_count() > 1:
        if is_first_process():
            print(f"trained; now in one process: python -m experiments.evaluate {run.path}")
    elif config.run.evaluate and not run.is_evaluated(config.run.evaluated, steps):
        from experiments.evaluate import evaluate_run
        from experiments.yardsticks import NoYardsticks
        from gridjax.evaluation.figures.run import REWARD_PANEL, training_curve

        if run.evaluation.exists():
            print(f"{run.evaluation} is of other policies: evaluating again", flush=True)
        try:
            evaluate_run(run, trainer=trainer)
        except NoYardsticks as error:
            print(f"trained, and not evaluated: {error}", file=sys.stderr)
            figure, panels = run.path / "figures" / "training.png", (REWARD_PANEL,)
            print(training_curve(read_metrics(run.metrics), figure, panels))
            print(f"what it does: python -m experiments.analyse {run.path}")
    return 0


def restore(run: RunDirectory, trainer: Trainer) -> tuple[Progress, float]:
    """The newest checkpoint of a run, and the seconds of training up to it.

    Metrics logged after it are dropped, since they are about to be logged again. Raises
    `FileNotFoundError` without a checkpoint, `ValueError` for one of another network or configuration.
    """
    with Checkpoints(run.checkpoints) as checkpoints:
        progress = checkpoints.restore(None, like=trainer.shape())
        if is_first_process():
            checkpoints.discard_after(updates_done(progress))
    progress = trainer.place(progress)
    return progress, run.rewind_metrics(updates_done(progress)) if is_first_process() else 0.0


def _new_folder(config: Config) -> RunDirectory:
    """The folder of a run that begins, made by the first process."""
    if jax.process_count() > 1 and config.run.run_dir is None:
        raise ValueError("run_dir is None, expected a folder that all processes see")
    if not is_first_process():
        return RunDirectory(Path(str(config.run.run_dir)))
    return RunDirectory.new(config.run.run_dir, config.task.title)


def _lock(run: RunDirectory) -> AbstractContextManager[Any]:
    return RunLock(run.path) if is_first_process() else nullcontext()


def updates_done(progress: Progress) -> int:
    """Updates that every seed has done."""
    return int(np.asarray(progress.state.updates)[0])


def train(
    run: RunDirectory,
    config: Config,
    trainer: Trainer,
    progress: Progress,
    seconds: float,
    log: MetricsLog,
) -> int:
    """Train up to `total_updates`; returns the number of the signal that stopped it before, or 0."""
    per_update, chunk, total = config.steps_per_update, config.run.updates_per_chunk, config.total_updates
    checkpoint_every = config.updates_between(config.run.checkpoint_every)
    validation_every = config.updates_between(config.run.validation_every)
    seeds = len(trainer.seeds)
    update = updates_done(progress)
    with (
        Checkpoints(run.checkpoints, config.run.checkpoints_kept) as checkpoints,
        Interrupt() as interrupt,
        ProgressBar(
            "training", total * per_update, update * per_update, "steps", hidden=not is_first_process()
        ) as bar,
    ):
        if update == 0 and checkpoints.latest_step() is None:
            checkpoints.save(0, progress, wait=True)  # so that a run killed early can be resumed too
        if update == 0:
            began = time.monotonic()
            progress, validation = trainer.validate(progress, 0)
            seconds += time.monotonic() - began
            # what the policies are worth before they have learned anything, once
            if not read_metrics(run.metrics):
                log.write(0, {"update": 0, "step": 0, "seconds": round(seconds, 3)}, _named(validation))
        stopped_by = anywhere(interrupt.signal)
        while update < total and not stopped_by:
            began = time.monotonic()
            # a run that ended within a chunk and was then made longer first completes it
            number = min(chunk - update % chunk, total - update)
            progress, metrics = trainer.advance(progress, number)
            update += number
            elapsed = time.monotonic() - began
            if update % validation_every == 0 or update == total:
                progress, validation = trainer.validate(progress, update)
                metrics |= _named(validation)
            seconds += time.monotonic() - began
            rate = number * per_update * seeds / elapsed
            done = {
                "update": update,
                "step": update * per_update,
                "seconds": round(seconds, 3),
                "steps_per_second": round(rate, 1),
            }
            log.write(update * per_update, done, metrics)
            stopped_by = anywhere(interrupt.signal)
            if update % checkpoint_every == 0 or update == total or stopped_by:
                checkpoints.save(update, progress, {"reward": float(np.mean(metrics["reward"]))})
                if is_first_process():
                    write_policies(run, trainer, progress)
            bar.advance(number * per_update, _note(rate, metrics))
    return stopped_by


def _named(validation: dict[str, Any]) -> dict[str, Any]:
    return {f"validation/{name}": value for name, value in validation.items()}


def _note(rate: float, metrics: dict[str, Any]) -> str:
    note = f"{rate:,.0f} steps/s  reward {np.mean(metrics['reward']):.5f}"
    if _VALIDATED in metrics:
        note += f"  validated {np.mean(metrics[_VALIDATED]):.5f}"
    if "metrics/controllable" in metrics:
        note += f"  CR {np.mean(metrics['metrics/controllable']):.3f}"
    return note


def _best(records: Sequence[dict[str, Any]]) -> str:
    """After which update each seed was best in validation, as `Trainer.validate` has it."""
    found = [record for record in records if _VALIDATED in record]
    # what is not finite is logged as null
    reward = np.array([record[_VALIDATED] for record in found], float)
    over = np.array([record.get("validation/excess", np.zeros(reward.shape[1])) for record in found], float)
    best = [found[ranked(*pair)[0]]["update"] for pair in zip(reward.T, over.T)]
    early = f"; {best.count(0)} of {len(best)} never did better than untrained" if 0 in best else ""
    return f"best in validation: update {', '.join(map(str, best))} of {records[-1]['update']}{early}"


def _announce(
    run: RunDirectory, config: Config, trainer: Trainer, made_with: dict[str, Any], progress: Progress
) -> None:
    done = updates_done(progress) * config.steps_per_update
    print(
        f"{config.task.env} on {network_name(trainer.learner.env_params)}: {len(trainer.seeds)} seed(s), "
        f"{config.total_updates * config.steps_per_update:,} steps each"
        + (f", resumed at {done:,}" if done else "")
        + f"\ngridjax {made_with['gridjax']}, jax {made_with['jax']} on {trainer.mesh.size} of "
        f"{made_with['device_count']} x {made_with['device']} ({made_with['platform']})"
        f"\nrun: {Path(run.path)}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
