"""A run small enough for a test: few environments, a small network, seconds of training."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

CONFIG = """
task: {network: case33bw, episode_length: 24}
learner: {num_envs: 4, num_steps: 4, hidden: [8], num_epochs: 1, num_minibatches: 1, learning_rate: 3e-4,
  decay_learning_rate: false}
run:
  num_seeds: 2
  total_steps: 960
  updates_per_chunk: 5
  checkpoint_every: 160
  validation_every: 480
  validation_days: 1
  cpu_devices: 1
  evaluate: false
"""
UPDATES = 60


def write_config(folder: Path, **replaced: str) -> Path:
    """The tiny config as a file, with `replaced` parts of its text."""
    text = CONFIG
    for old, new in replaced.items():
        text = text.replace(f"{old}: ", f"{old}: {new} #", 1)
    path = folder / "tiny.yaml"
    path.write_text(text)
    return path


def start(cache: Path, *arguments: str, module: str = "experiments.mappo") -> subprocess.Popen[str]:
    """`python -m MODULE` as a process of its own; processes with one `cache` compile once."""
    environment = os.environ | {
        "JAX_PLATFORMS": "cpu",
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "COLUMNS": "200",
    }
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=Path(__file__).parents[2],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for_checkpoint(run: Path, process) -> None:
    """Return as soon as `run` has a checkpoint after its first update."""
    deadline = time.monotonic() + 240
    while not any(path.name.isdigit() and int(path.name) for path in (run / "checkpoints").glob("*")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "no checkpoint in time"
        time.sleep(0.005)
