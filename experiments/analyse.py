"""Look into a run: `python -m experiments.analyse RUN`.

Writes `RUN/analysis.json`, and `RUN/figures/analysis_*.png` drawn from it: what agents do, what goes with
what, what the critic's values are worth, how learning went, and the cases that cost most.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from experiments.bad_input import BAD_INPUT
from experiments.files import plain, write_json
from experiments.run_directory import RunDirectory
from gridjax.evaluation.worst_cases import cases_table


@dataclass(frozen=True)
class Command:
    """Figures of what a trained policy does, and of how it learned."""

    run: Annotated[str, tyro.conf.Positional]  # folder of the run
    days: int = 120  # of the held-out cases, spread over the year
    seed: int | None = None  # of those trained; the first where None. How learning went shows all of them
    # the policies best in validation, or the newest; values are always those of the newest
    checkpoint: Literal["best", "last"] = "best"
    rank_by: str | None = None  # a named cost; all of them where None
    worst: int = 4  # cases drawn through time
    redraw: bool = False  # draw again what analysis.json holds, and play nothing


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 for bad input."""
    command = tyro.cli(Command, args=arguments, prog="python -m experiments.analyse")
    try:
        run = RunDirectory.existing(command.run)
        file = run.path / "analysis.json"
        if command.redraw:
            if not file.is_file():
                raise FileNotFoundError(f"{file} does not exist: run this without --redraw first")
            analysis = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(analysis, dict) or "worst_cases" not in analysis:
                raise ValueError(f"{file} holds no analysis: run this without --redraw")
        else:
            if not 1 <= command.days <= 120:
                raise ValueError(f"--days is {command.days}, expected 1 to 120")
            if command.worst < 1:
                raise ValueError(f"--worst is {command.worst}, expected at least 1")
            analysis = analyse(run, command)
            write_json(file, analysis)
    except BAD_INPUT as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(cases_table(analysis["worst_cases"]["ranked"]))
    for path in draw(analysis, run.figures):
        print(path)
    return 0


def analyse(run: RunDirectory, command: Command) -> dict[str, Any]:
    """Everything that the figures show.

    Raises `FileNotFoundError` without a checkpoint, `ValueError` for one of another network, a seed that was
    not trained, or a cost that the task does not have.
    """
    import jax

    from experiments.analysis import actions, correlations, value_error, worst_cases
    from experiments.cases import held_out_cases
    from experiments.run_directory import read_metrics
    from experiments.task import network_name
    from experiments.training import Trainer, at_seed, use_cpu_devices
    from experiments.versions import versions
    from gridjax.envs import ActionRepeat
    from gridjax.evaluation.figures.learning import learning_series
    from gridjax.evaluation.recording import record_cases, record_forecast
    from gridjax.evaluation.rollout import act_with
    from gridjax.evaluation.worst_cases import check_rank_by
    from gridjax.learners.lagrangian import cost_names

    began = time.monotonic()
    config = run.read_config()
    use_cpu_devices(config)
    trainer = Trainer.of(config)
    seed = trainer.seeds[0] if command.seed is None else command.seed
    if seed not in trainer.seeds:
        raise ValueError(f"--seed is {seed}, expected one of {', '.join(map(str, trainer.seeds))}")
    place = trainer.seeds.index(seed)
    progress = run.progress(trainer)
    policies = progress.best if command.checkpoint == "best" else trainer.policies(progress)
    check_rank_by(command.rank_by, cost_names(trainer.task, trainer.learner.env_params))
    cases = held_out_cases(trainer.task, trainer.learner.env_params, command.days)

    # actions are those of the policy, of the rule's constants where it steers one
    paced = trainer.learner.env
    env, every = (paced.env, paced.repeats) if isinstance(paced, ActionRepeat) else (paced, 1)
    act = act_with(at_seed(policies, place), env, every)
    updates, best = int(progress.state.updates[place]), int(progress.best_update[place])
    which = f"the best in validation, update {best}" if command.checkpoint == "best" else f"update {updates}"
    print(f"playing {cases.rows.size} held-out cases with {which} of {updates}", file=sys.stderr, flush=True)
    played = record_cases(env, cases.params, act, cases.rows, jax.random.key(0))
    ranked = worst_cases(trainer.task, cases, played, command.rank_by, command.worst)
    print("playing them again, exploring, beside the critic", file=sys.stderr, flush=True)
    state = jax.tree.map(lambda x: x[place], progress.state)
    foretold = record_forecast(trainer.learner, state, cases.params, cases.rows, jax.random.key(1))
    found = {
        "env": config.task.env,
        "network": network_name(trainer.learner.env_params),
        "seed": seed,
        "checkpoint": command.checkpoint,
        "updates": updates,
        "best_update": best,
        "cases": cases.rows,
        "actions": actions(env, cases.params, played),
        "correlations": correlations(env, cases.params, played),
        "value_error": value_error(trainer.learner, foretold),
        "learning": learning_series([r for r in read_metrics(run.metrics) if "entropy" in r]),
        "worst_cases": ranked,
        "versions": versions(),
        "command": f"python -m experiments.analyse RUN --days {command.days}",
        "seconds": round(time.monotonic() - began, 1),
    }
    return plain(_rounded(plain(found)))


def draw(analysis: dict[str, Any], folder: Path) -> list[Path]:
    """Every figure of an `analysis.json`; the paths."""
    from gridjax.evaluation.figures.learning import plot_learning, plot_value_error
    from gridjax.evaluation.figures.policy import plot_actions, plot_correlation
    from gridjax.evaluation.figures.worst_cases import plot_ranking, plot_worst

    task = f"{analysis['env']} on {analysis['network']}"
    played = f"{task}: {len(analysis['cases'])} held-out cases, seed {analysis['seed']}"
    values, worst = analysis["value_error"], analysis["worst_cases"]
    judged = f"{100 * values['judged']:.0f} % of the steps"
    if values["bootstrapped"] >= 0.005:
        judged += f"; {100 * values['bootstrapped']:.0f} % of a return is the critic's value at the end"
    written = [
        plot_actions(analysis["actions"], folder / "analysis_actions.png", f"actions\n{played}"),
        *(
            plot_correlation(found, folder / f"analysis_correlation_{group}.png", f"{group}: {played}")
            for group, found in analysis["correlations"].items()
        ),
        plot_value_error(
            values, folder / "analysis_value_error.png", f"values and what followed, {judged}\n{played}"
        ),
        plot_ranking(worst, folder / "analysis_costs.png", f"the costliest cases\n{played}"),
        plot_worst(
            worst, folder / "analysis_worst_cases.png", f"the costliest cases (dotted: median)\n{played}"
        ),
    ]
    if analysis["learning"]["steps"]:
        written.append(
            plot_learning(analysis["learning"], folder / "analysis_learning.png", f"learning\n{task}")
        )
    return written


def _rounded(value: Any) -> Any:
    """Numbers to six digits, as many as a figure can show."""
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


if __name__ == "__main__":
    sys.exit(main())
