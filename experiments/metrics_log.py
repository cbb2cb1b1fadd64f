"""Where the metrics of a run go: JSON lines and TensorBoard always, Weights & Biases on demand."""

from __future__ import annotations

import importlib.util
import json
import uuid
from dataclasses import asdict
from types import TracebackType
from typing import Any, Protocol

import numpy as np

from experiments.config import Config
from experiments.files import plain, write_json
from experiments.run_directory import RunDirectory

Record = dict[str, Any]  # numbers, or arrays [n_seed], by name


class Sink(Protocol):
    """One place that metrics go to."""

    def write(self, step: int, progress: Record, metrics: Record) -> None:
        """`progress` says how far training is, after `step` environment steps; `metrics` what came of it."""
        ...

    def close(self, failed: bool) -> None:
        """Nothing more will come."""
        ...


class MetricsLog:
    """All the places that a config asks for. A context manager.

    Args:
        run: whose folder they are in.
        config: of the run.
        update: updates done before, more than 0 where a run goes on.
        kept: False where another process keeps the log.

    Raises `ValueError` for Weights & Biases without its package, `OSError` where it refuses to begin.
    """

    def __init__(self, run: RunDirectory, config: Config, update: int = 0, kept: bool = True) -> None:
        check_wandb(config)
        self._sinks: list[Sink] = []
        if not kept:
            return
        if config.run.wandb != "disabled":
            self._sinks.append(WeightsAndBiases(run, config))
        self._sinks += [JsonLines(run), TensorBoard(run, update * config.steps_per_update)]

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sink in self._sinks:
            sink.close(failed=kind is not None)

    def write(self, step: int, progress: Record, metrics: Record) -> None:
        """See `Sink`."""
        for sink in self._sinks:
            sink.write(step, progress, metrics)


class JsonLines:
    """`metrics.jsonl`: a line a chunk, with a value per seed."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run

    def write(self, step: int, progress: Record, metrics: Record) -> None:
        del step
        self._run.append_metrics(progress | metrics)

    def close(self, failed: bool) -> None:
        del failed


class TensorBoard:
    """Event files with the means over the seeds; a run that goes on drops what was logged after `step`."""

    def __init__(self, run: RunDirectory, step: int) -> None:
        from tensorboardX import SummaryWriter

        goes_on = any(run.path.glob("events.out.tfevents.*"))
        self._events = SummaryWriter(str(run.path), purge_step=step + 1 if goes_on else None)

    def write(self, step: int, progress: Record, metrics: Record) -> None:
        del progress
        for name, value in metrics.items():
            self._events.add_scalar(name, float(np.mean(value)), step)

    def close(self, failed: bool) -> None:
        del failed
        self._events.close()


class WeightsAndBiases:
    """A run of Weights & Biases: the means over the seeds and, where there are several, `NAME/seed K`.

    Its files are in `RUN/wandb/`, its id in `RUN/wandb.json`: a run that goes on is the same run there. Its
    steps are environment steps: a chunk that is trained a second time, after a kill, falls on the first. What
    is logged offline is sent by `wandb sync RUN/wandb/offline-run-*`.
    """

    def __init__(self, run: RunDirectory, config: Config) -> None:
        import wandb

        mode = config.run.wandb
        known = run.path / "wandb.json"
        if known.is_file():
            number = json.loads(known.read_text(encoding="utf-8"))["id"]
        else:
            number = uuid.uuid4().hex[:12]
            write_json(known, {"id": number})
        try:
            self._wandb = wandb.init(
                project=config.run.wandb_project,
                id=number,
                name=run.path.resolve().name,
                dir=str(run.path.resolve()),
                mode=mode,
                config=plain(asdict(config)),
                # offline it is told when the parts are sent
                resume="allow" if mode == "online" else None,
                reinit="create_new",
                settings=wandb.Settings(
                    console="off",
                    save_code=False,
                    silent=mode == "offline",
                    # asks an address of a cloud provider what machine this is
                    x_disable_machine_info=mode == "offline",
                ),
            )
        except wandb.Error as error:
            raise OSError(f"wandb is {mode!r}, and Weights & Biases did not begin a run: {error}") from error

    def write(self, step: int, progress: Record, metrics: Record) -> None:
        logged: Record = dict(progress)
        for name, value in metrics.items():
            each = np.atleast_1d(np.asarray(value, float))
            logged[name] = float(each.mean())
            if each.size > 1:
                logged |= {f"{name}/seed {k}": float(x) for k, x in enumerate(each)}
        self._wandb.log(logged, step=step)

    def close(self, failed: bool) -> None:
        self._wandb.finish(exit_code=int(failed))


def check_wandb(config: Config) -> None:
    """Raises `ValueError` for Weights & Biases without its package."""
    if config.run.wandb != "disabled" and importlib.util.find_spec("wandb") is None:
        raise ValueError(
            f"wandb is {config.run.wandb!r}, but the package wandb is not installed, expected 'disabled' or "
            'pip install "gridjax[wandb]"'
        )
