"""Train and evaluate many runs, one after the other: `python -m experiments.matrix FILE --out FOLDER`.

What is done already is left as it is, what was interrupted goes on: call it again after Ctrl-C, a kill or a
power cut. A run that fails does not keep the others from their turn.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro
import yaml

from experiments import config_file
from experiments.command_line import parse
from experiments.files import write_text
from experiments.run_lock import RunInUse, RunLock

# beginnings of the names that are in a run's folder before its first checkpoint, and are written anew
_UNSTARTED = (".", "config.yaml", "versions.json", "checkpoints", "events.out.tfevents.", "wandb")


class Stopped(Exception):
    """The matrix itself got a signal, whose number it holds."""


@dataclass(frozen=True)
class Row:
    """Learners of one task, with one budget."""

    learners: dict[str, str]  # config of each, relative to the file of the matrix
    run: dict[str, float] = field(default_factory=dict)  # settings of `run` over those of the configs
    days: int = 120  # held-out cases
    optimum: bool = True  # searched for once, by the first learner of the task, as a rule is tuned once


@dataclass(frozen=True)
class Matrix:
    """Tasks by name."""

    tasks: dict[str, Row]


@dataclass(frozen=True)
class Command:
    """Train and evaluate every learner of a matrix on every task of it; call again to go on."""

    matrix: Annotated[Path, tyro.conf.Positional]  # YAML file, such as experiments/configs/learners.yaml
    out: Path  # folder of the runs, FOLDER/TASK/LEARNER each
    only: tuple[str, ...] = ()  # tasks to which it is confined; all where none is given


@dataclass(frozen=True)
class Entry:
    """One run of the matrix."""

    task: str
    learner: str
    row: Row
    config: Path
    run: Path

    @property
    def finished(self) -> bool:
        return (self.run / "evaluation.json").is_file()

    @property
    def first(self) -> Path:
        """The run of the same task that tunes the rule and searches for the optimum."""
        return self.run.parent / next(iter(self.row.learners))

    def commands(self) -> Iterator[list[str]]:
        """What is left to do, as arguments of Python."""
        begun = any(path.name.isdigit() for path in (self.run / "checkpoints").glob("*"))
        if not begun and self.run.exists():
            others = sorted(p.name for p in self.run.iterdir() if not p.name.startswith(_UNSTARTED))
            if others:
                raise FileExistsError(
                    f"{self.run} is no run to go on with, and holds {', '.join(others[:5])}: move it away"
                )
            with RunLock(self.run):
                shutil.rmtree(self.run)  # it was stopped before there was anything to go on from
        afresh = ["--config", str(self.config), "--run-dir", str(self.run), *self._rule()]
        start = ["--resume", str(self.run)] if begun else afresh
        yield ["-m", "experiments.mappo", *start, "--no-evaluate"]
        days = ["--days", str(self.row.days)]
        yield ["-m", "experiments.evaluate", str(self.run), *days, *self._best()]

    def _rule(self) -> list[str]:
        known = self.first / "config.yaml"
        if self.first == self.run or not known.is_file():
            return []
        (mine, _), (first, _) = (parse(["--config", str(path)]) for path in (self.config, known))
        constants = first.learner.rule_constants
        if mine.learner.rule_constants or constants is None or mine.learner.steers != first.learner.steers:
            return []
        return ["--rule-constants", *map(str, constants)]

    def _best(self) -> list[str]:
        if not self.row.optimum:
            return ["--no-optimum"]
        known = self.first / "evaluation.json"
        return ["--reuse", str(known)] if self.first != self.run and known.is_file() else []


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, 1 where a run failed, 2 for bad input, 128 plus the signal's number where one came."""
    command = tyro.cli(Command, args=arguments, prog="python -m experiments.matrix")
    try:
        entries = prepare(command.matrix, command.out, command.only)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    failed = []
    for number, entry in enumerate(entries, 1):
        title = f"{entry.task}, {entry.learner} ({number} of {len(entries)})"
        if entry.finished:
            print(f"== {title}: done already", flush=True)
            continue
        print(f"== {title}", flush=True)
        try:
            status = _run(entry)
        except Stopped as stopped:
            print(f"stopped in {title}; call it again to go on", file=sys.stderr)
            return 128 + stopped.args[0]
        except (RunInUse, FileExistsError) as error:
            print(f"error: {error}", file=sys.stderr)
            status = 1
        if status:
            failed.append(title)
            print(f"== {title} failed with exit status {status}", file=sys.stderr)
    for title in failed:
        print(f"failed: {title}", file=sys.stderr)
    return 1 if failed else 0


def prepare(matrix: Path, out: Path, only: Sequence[str] = ()) -> list[Entry]:
    """Entries of `matrix`, the config of each written under `out` and read once.

    Raises `ValueError` or `FileNotFoundError` for a setting, a task or a file that does not exist.
    """
    tasks = config_file.read(matrix, Matrix).tasks
    for name in only:
        if name not in tasks:
            raise ValueError(f"--only {name}: expected one of {', '.join(tasks)}")
    entries = []
    for task, row in tasks.items():
        if only and task not in only:
            continue
        for learner, config in row.learners.items():
            path = out / "configs" / f"{task}-{learner}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            # ".." leads from where a link points to
            base = os.path.relpath((matrix.parent / config).resolve(), path.parent.resolve())
            settings: dict[str, Any] = {"base": base, "run": row.run}
            write_text(path, yaml.safe_dump(settings, sort_keys=False))
            parse(["--config", str(path)])
            entries.append(Entry(task, learner, row, path, out / task / learner))
    return entries


def _run(entry: Entry) -> int:
    """Exit status of the first command that does not end well, else 0; raises `Stopped`."""
    for arguments in entry.commands():
        with subprocess.Popen([sys.executable, *arguments]) as process:
            status = _wait(process)
        if status:
            return status
    return 0


def _wait(process: subprocess.Popen) -> int:
    """Exit status of `process`, which may save what it has before it ends where a signal came."""
    got = []

    def passed_on(number: int, _: Any) -> None:
        got.append(number)
        # a Ctrl-C reaches the run by itself, a termination does not
        if number == signal.SIGTERM:
            process.terminate()

    before = {number: signal.signal(number, passed_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if got:
        raise Stopped(got[0])
    return status


if __name__ == "__main__":
    sys.exit(main())
