"""Evaluate a run on held-out days: `python -m experiments.evaluate RUN`.

Writes `RUN/evaluation.json` and prints it as a Markdown table. With `--agents 10` the policies serve, as they
are, ten prosumers instead of those that they were trained with: policies that attend to others can. That goes
into `RUN/evaluation-10-agents.json`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro

from experiments.bad_input import BAD_INPUT
from experiments.files import write_json
from experiments.run_directory import RunDirectory
from gridjax.evaluation.tables.evaluation import evaluation_table


@dataclass(frozen=True)
class Command:
    """Compare a trained run with rules and the optimum on fixed held-out days."""

    run: Annotated[str, tyro.conf.Positional]  # folder of the run
    days: int = 120  # of the held-out days, spread over the year
    # the policies best in validation, or the newest; None: as the run's config says
    checkpoint: Literal["best", "last"] | None = None
    force: bool = False  # replace an evaluation that is there already
    figures: bool = True  # draw figures/*.png
    optimum: bool = True  # search for the optimum, which may take longer than all the rest
    reuse: Path | None = None  # an evaluation.json of the same task and days, whose optimum is taken over
    agents: int | None = None  # another number of prosumers than the policies were trained with


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 for bad input."""
    command = tyro.cli(Command, args=arguments, prog="python -m experiments.evaluate")
    try:
        run = RunDirectory.existing(command.run)
        out = _file(run, command.agents)
        if out.exists() and not command.force:
            raise FileExistsError(f"{out} exists already; --force replaces it")
        if not 1 <= command.days <= 120:
            raise ValueError(f"--days is {command.days}, expected 1 to 120")
        from experiments.training import Trainer, use_cpu_devices

        config = run.read_config()
        use_cpu_devices(config)
        trainer = Trainer.of(config)
        evaluate_run(
            run,
            trainer,
            command.days,
            command.checkpoint,
            command.figures,
            command.optimum,
            command.reuse,
            command.agents,
        )
    except BAD_INPUT as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def evaluate_run(
    run: RunDirectory,
    trainer: Any,
    number: int = 120,
    checkpoint: str | None = None,
    figures: bool = True,
    optimum: bool = True,
    reuse: Path | None = None,
    agents: int | None = None,
) -> dict[str, Any]:
    """Score the run's policies and what they are measured against; write and print the evaluation.

    Raises `FileNotFoundError` without a checkpoint, `ValueError` for one of another network, for a file to
    reuse that is of another task or other days, or for policies that cannot serve another number of agents.
    """
    from experiments.cases import held_out_cases
    from experiments.held_out import measured_before, score_all
    from experiments.task import network_name
    from experiments.versions import versions
    from gridjax.evaluation.comparison import METHOD, bound_check, order_check, share_of_way, summarise
    from gridjax.evaluation.statistics import iqm

    began = time.monotonic()
    config = run.read_config()
    checkpoint = checkpoint or config.run.evaluated
    policies, updates, trained = run.policies(trainer, checkpoint)
    if agents is not None:
        config = replace(config, task=replace(config.task, agents=agents))
        trainer, policies = moved(config, policies)
    cases = held_out_cases(trainer.task, trainer.learner.env_params, number)
    before = None if reuse is None else measured_before(reuse, asdict(config.task), cases.rows)
    found = score_all(trainer, policies, cases, optimum, before)
    results = found.results
    rewards = {name: measures["reward"] for name, measures in results.items()}
    shares = share_of_way(rewards, found.start, "optimum") if "optimum" in rewards else {}
    evaluation = {
        "task": asdict(config.task),
        "network": network_name(trainer.learner.env_params),
        "steps_per_day": trainer.task.case_steps,
        "checkpoint": {"which": checkpoint, "updates": np.asarray(updates)},
        "seeds": trainer.seeds,
        "days": cases.rows,
        "steps_per_seed": trained * config.steps_per_update,
        "training_seconds": run.training_seconds(),
        "controllers": {
            name: {
                "seeds": len(trainer.seeds) if name in (found.learner, found.stochastic) else 0,
                "share_of_way": shares.get(name),
                "summary": summarise(measures),
            }
            for name, measures in results.items()
        },
        "start": found.start,
        "order": order_check(rewards, found.order),
        "order_iqm": order_check(rewards, found.order, statistic=iqm),
        "also_in_order": {
            name: order_check({key: -results[key][name] for key in found.order}, found.order)
            for name in found.lower_is_better
        },
        "cost_bounds": bound_check(results[found.learner], config.learner.cost_bounds or {}),
        "bounds": {name: _rounded([values])[0] for name, values in found.bounds.items()},
        **found.constants,
        "method": METHOD,
        "learner": asdict(config.learner),
        "versions": versions(),
        "evaluation_seconds": round(time.monotonic() - began, 1),
        "per_day": {
            name: {measure: _rounded(scores) for measure, scores in measures.items()}
            for name, measures in results.items()
        },
    }
    write_json(_file(run, agents), evaluation)
    print(evaluation_table(evaluation))
    if figures and agents is None:
        from experiments.figures import draw_run

        for path in draw_run(run, trainer, policies, cases, optimum):
            print(path)
    return evaluation


def _file(run: RunDirectory, agents: int | None) -> Path:
    return run.evaluation if agents is None else run.path / f"evaluation-{agents}-agents.json"


def moved(config: Any, policies: Any) -> tuple[Any, Any]:
    """A trainer for the task of `config`, and the stacked policies of a task with other agents for it.

    Raises `ValueError` for policies that cannot serve another number of agents.
    """
    import jax

    from experiments.training import Trainer, at_seed

    trainer = Trainer.of(config)
    env, params = trainer.learner.env, trainer.learner.env_params
    each = [at_seed(policies, k).on(env, params) for k in range(len(trainer.seeds))]
    return trainer, jax.tree.map(lambda *leaves: np.stack(leaves), *each)


def _rounded(scores: Sequence[np.ndarray] | np.ndarray) -> list[list[float]]:
    return [[float(f"{value:.6g}") for value in row] for row in scores]


if __name__ == "__main__":
    sys.exit(main())
