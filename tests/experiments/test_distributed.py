"""Processes that train one run together, as hosts would, and what one of them alone makes of it."""

import re

import jax
import numpy as np
import pytest
from tiny_run import start, write_config

from experiments import distributed
from experiments.run_directory import RunDirectory, read_metrics
from experiments.training import Trainer
from gridjax.learners import Checkpoints
from tests.ports import free_port

MODULE = "experiments.distributed"
UPDATES = 10


def train(folder, cache, run, processes, *more):
    """Exit statuses and what was written to standard error of every process."""
    config = write_config(folder, total_steps=str(16 * UPDATES), num_seeds="1", validation_every="80")
    where = f"localhost:{free_port()}"
    given = ["--run-dir", str(run), "--divided", "environments", *more]
    given += [] if "--resume" in more else ["--config", str(config)]
    started = []
    for k in range(processes):
        flags = ["--coordinator", where, "--processes", str(processes), "--process", str(k)]
        started.append(start(cache, *flags, *given, module=MODULE))
    ended = [process.communicate(timeout=400) for process in started]
    return [process.returncode for process in started], ended


def parameters(run):
    trainer = Trainer.of(RunDirectory.existing(run).read_config())
    with Checkpoints(run / "checkpoints") as checkpoints:
        progress = checkpoints.restore(UPDATES, like=trainer.shape())
    return jax.tree.leaves(progress.state.params)


@pytest.mark.slow
def test_two_processes_train_as_one_does(tmp_path, cache):
    one, two = tmp_path / "one", tmp_path / "two"
    assert train(tmp_path, cache, one, 1)[0] == [0]
    statuses, ended = train(tmp_path, cache, two, 2)
    assert statuses == [0, 0], ended
    assert f"python -m experiments.evaluate {two}" in ended[0][0]
    assert "run:" not in ended[1][0]
    for mine, other in zip(parameters(one), parameters(two), strict=True):
        np.testing.assert_allclose(mine, other, rtol=2e-4, atol=2e-6)
    records = [read_metrics(run / "metrics.jsonl") for run in (one, two)]
    assert [record["update"] for record in records[0]] == [record["update"] for record in records[1]]
    validated = [[r["validation/reward"] for r in each if "validation/reward" in r] for each in records]
    assert len(validated[0]) == 3
    np.testing.assert_allclose(validated[0], validated[1], rtol=1e-3)


def test_settings_are_looked_at_before_others_are_waited_for(capsys):
    flags = ["--coordinator", "localhost:1", "--processes", "2", "--process", "0"]
    assert distributed.main([*flags, "--config", "none.yaml"]) == 2
    assert "none.yaml does not exist" in capsys.readouterr().err


def test_a_process_that_is_not_one_of_them_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        distributed.main(["--coordinator", "localhost:1", "--processes", "2", "--process", "2"])
    assert end.value.code == 2
    assert re.search("--process is 2, expected 0 to 1", capsys.readouterr().err)
