"""Evaluated runs side by side: `python -m experiments.compare NAME=RUN NAME=RUN ... --out FILE`.

Reads `evaluation.json` and `metrics.jsonl` of each, such as those of several learners, of several ways to
share parameters, or of several weights of a reward term. Runs of one task are compared with the first of
them, day by day; a name may stand for one run on each of several tasks. Rewards compare only where they are
made of the same; costs and energies always do. Prints tables, and draws figures into a folder beside FILE.
With `--keep EARLIER`, a file of the same kind, tasks of which no run is named stay as they stand there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from experiments.files import plain, write_json
from experiments.run_directory import read_metrics
from experiments.task import filled
from gridjax.evaluation.evaluated_run import EvaluatedRun
from gridjax.evaluation.learning_curve import learning_curve
from gridjax.evaluation.marl_eval import marl_eval_data
from gridjax.evaluation.run_comparison import compare_runs
from gridjax.evaluation.tables.learners import learners_table
from gridjax.evaluation.tables.runs import runs_table

_NEEDED = ("task", "days", "seeds", "steps_per_seed", "controllers", "per_day", "learner", "versions")


@dataclass(frozen=True)
class Command:
    """Compare evaluated runs with the first of them on their task."""

    runs: Annotated[tuple[str, ...], tyro.conf.Positional]  # NAME=FOLDER each
    out: Path  # JSON; figures go to a folder of that name with _figures
    keep: Path | None = None  # an earlier result, whose other tasks are taken over
    figures: bool = True  # draw them
    marl_eval: Path | None = None  # JSON for marl-eval (package id-marl-eval)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 for bad input."""
    command = tyro.cli(Command, args=arguments, prog="python -m experiments.compare")
    try:
        for path in (command.out, command.marl_eval):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
        runs = [read_run(entry) for entry in command.runs]
        report = compare_runs(runs)
        earlier = {} if command.keep is None else _tasks(command.keep)
        exported = None if command.marl_eval is None else marl_eval_data(runs)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    report["command"] = "python -m experiments.compare " + " ".join(f"{run.name}=RUN" for run in runs)
    report["versions"] = runs[0].evaluation["versions"]
    if earlier.keys() - report["tasks"].keys():
        # what is told of all tasks together needs the scores of every case
        report |= {"tasks": earlier | report["tasks"], "all_tasks": {}}
    report = plain(report)
    write_json(command.out, report)
    if command.marl_eval is not None:
        write_json(command.marl_eval, exported)
    print(f"{runs_table(report)}\n\n{learners_table(report)}")
    if command.figures:
        from gridjax.evaluation.figures.comparison import draw_comparison

        for path in draw_comparison(report, command.out.with_name(f"{command.out.stem}_figures")):
            print(path)
    return 0


def _tasks(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["tasks"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise ValueError(f"--keep {path} is no result of experiments.compare") from None


def read_run(entry: str) -> EvaluatedRun:
    """A run of the form NAME=FOLDER.

    Raises `ValueError` for another form or files that are none of a run's, `FileNotFoundError` for a run that
    was not evaluated.
    """
    name, sign, folder = entry.partition("=")
    if not (name and sign and folder):
        raise ValueError(f"{entry!r} is not of the form NAME=FOLDER")
    source, versions = Path(folder) / "evaluation.json", Path(folder) / "versions.json"
    if not source.is_file():
        raise FileNotFoundError(f"{source} does not exist: python -m experiments.evaluate {folder}")
    try:
        curve = learning_curve(read_metrics(Path(folder) / "metrics.jsonl"))
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from None
    evaluation = json.loads(source.read_text(encoding="utf-8"))
    missing = [key for key in _NEEDED if not isinstance(evaluation, dict) or key not in evaluation]
    if missing:
        raise ValueError(f"{source} is no evaluation of a run: it has no {', '.join(missing)}")
    return EvaluatedRun(
        name=name,
        evaluation=evaluation | {"task": filled(evaluation["task"])},
        curve=curve,
        trained_with=json.loads(versions.read_text(encoding="utf-8")) if versions.is_file() else {},
    )


if __name__ == "__main__":
    sys.exit(main())
