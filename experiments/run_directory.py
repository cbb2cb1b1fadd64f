"""The folder of one run: `config.yaml`, `versions.json`, `metrics.jsonl`, events, checkpoints, figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments import config_file
from experiments.config import Config
from experiments.files import plain, write_json, write_text
from experiments.run_lock import LOCK


@dataclass(frozen=True)
class RunDirectory:
    """Paths of a run."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    @property
    def evaluation(self) -> Path:
        return self.path / "evaluation.json"

    @classmethod
    def new(cls, chosen: str | None, title: str) -> RunDirectory:
        """An empty folder: the one `chosen`, else `runs/TITLE`, `runs/TITLE-2` and so on.

        Raises `FileExistsError` where the chosen one holds something.
        """
        if chosen is not None:
            path = Path(chosen)
            if path.exists() and (not path.is_dir() or any(held.name != LOCK for held in path.iterdir())):
                raise FileExistsError(
                    f"{path} exists and is not empty: continue it with --resume {path}, "
                    "or choose another --run-dir"
                )
        else:
            path, number = Path("runs") / title, 1
            while not _made(path):
                number += 1
                path = path.with_name(f"{title}-{number}")
        path.mkdir(parents=True, exist_ok=True)
        return cls(path)

    @classmethod
    def existing(cls, path: str | Path) -> RunDirectory:
        """The folder of a run that was begun. Raises `FileNotFoundError` where it is none."""
        run = cls(Path(path))
        if not run.config.is_file():
            raise FileNotFoundError(f"{path} is no run: it has no config.yaml")
        return run

    def write_settings(self, config: Config, made_with: dict[str, Any]) -> None:
        """Record what the run is, and what it runs on."""
        write_text(self.config, config_file.text(config))
        write_json(self.path / "versions.json", made_with)

    def read_config(self) -> Config:
        """The settings the run was begun with."""
        return config_file.read(self.config, Config)

    def append_metrics(self, record: dict[str, Any]) -> None:
        """Add one line to `metrics.jsonl`."""
        with self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(plain(record), allow_nan=False) + "\n")

    def rewind_metrics(self, update: int) -> float:
        """Drop the lines after `update`; returns the seconds of training up to there."""
        kept = [record for record in read_metrics(self.metrics) if record["update"] <= update]
        lines = [json.dumps(record, allow_nan=False) + "\n" for record in kept]
        write_text(self.metrics, "".join(lines))
        return kept[-1]["seconds"] if kept else 0.0

    def progress(self, trainer: Any) -> Any:
        """The newest checkpoint; raises as `policies` does."""
        from gridjax.learners import Checkpoints

        with Checkpoints(self.checkpoints) as checkpoints:
            return checkpoints.restore(None, like=trainer.shape())

    def policies(self, trainer: Any, which: str = "best") -> tuple[Any, Any, int]:
        """The policies best in validation, or the newest (`which` "last"), stacked over the seeds.

        Also the updates after which each was taken `[n_seed]`, and the updates done. Raises
        `FileNotFoundError` without a checkpoint, `ValueError` for one of another network.
        """
        progress = self.progress(trainer)
        done = int(progress.state.updates[0])
        if which == "best":
            return progress.best, progress.best_update, done
        return trainer.policies(progress), progress.state.updates, done

    def is_evaluated(self, which: str, steps: int) -> bool:
        """Whether `evaluation.json` is of the policies `which` after so many steps of each seed."""
        try:
            found = json.loads(self.evaluation.read_text(encoding="utf-8"))
            return found["steps_per_seed"] == steps and found["checkpoint"]["which"] == which
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def training_seconds(self) -> float | None:
        """Seconds of training and validation logged so far, compilation included."""
        records = read_metrics(self.metrics)
        return records[-1]["seconds"] if records else None


def _made(path: Path) -> bool:
    """Make the folder; False where it is there already, of another run that begins just now, too."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return False
    return True


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The records of a `metrics.jsonl`; one cut off by a kill, the last, is left out."""
    records = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return records
