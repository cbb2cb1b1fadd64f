import json

import numpy as np
import pytest
import yaml
from tiny_run import UPDATES, write_config

from experiments import mappo
from experiments.run_directory import RunDirectory, read_metrics
from experiments.run_lock import LOCK, RunLock


def test_a_run_leaves_everything_behind(trained):
    config = yaml.safe_load((trained / "config.yaml").read_text())
    assert config["task"]["network"] == "case33bw"
    assert config["learner"]["learning_rate"] == 3e-4
    versions = json.loads((trained / "versions.json").read_text())
    assert {"jax", "python", "platform", "device", "git_revision"} <= versions.keys()
    assert list(trained.glob("events.out.tfevents.*"))
    assert list((trained / "checkpoints").iterdir())


def test_metrics_hold_a_line_per_chunk_and_a_value_per_seed(trained):
    first, *records = read_metrics(trained / "metrics.jsonl")
    assert {"update": 0, "step": 0}.items() <= first.items()
    assert np.shape(first["validation/reward"]) == (2,)
    assert [record["update"] for record in records] == list(range(5, UPDATES + 1, 5))
    assert [record["step"] for record in records] == [16 * record["update"] for record in records]
    for name in ("reward", "metrics/controllable", "value_loss"):
        assert np.shape([record[name] for record in records]) == (len(records), 2)
    validated = [record["update"] for record in records if "validation/reward" in record]
    assert validated == [30, 60]


def test_seeds_differ_and_do_not_depend_on_each_other(trained, tmp_path):
    config = write_config(tmp_path, num_seeds="1", total_steps="80")
    run = tmp_path / "alone"
    assert mappo.main(["--config", str(config), "--run-dir", str(run), "--seed", "1"]) == 0
    together = read_metrics(trained / "metrics.jsonl")[1]["reward"]
    assert together[0] != together[1]
    np.testing.assert_allclose(read_metrics(run / "metrics.jsonl")[1]["reward"], together[1:], rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--network", "case34bw"], "unknown network 'case34bw'; did you mean case33bw"),
        (["--env", "VoltageControl-v1"], "did you mean VoltageControl-v0"),
        (["--gamma", "1.5"], "gamma: got 1.5, expected a finite number within 0 and 1"),
        (["--num-minibatches", "7"], "num_minibatches: got 7"),
        (["--config", "nowhere.yaml"], "nowhere.yaml does not exist"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_written(tmp_path, capsys, arguments, expected):
    assert mappo.main([*arguments, "--run-dir", str(tmp_path / "run")]) == 2
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_one_process_trains_a_run_at_a_time(tmp_path, capsys):
    run = tmp_path / "run"
    run.mkdir()
    with RunLock(run):
        assert mappo.main(["--config", str(write_config(tmp_path)), "--run-dir", str(run)]) == 2
    assert f"error: {run} is being trained by another process" in capsys.readouterr().err
    assert [path.name for path in run.iterdir()] == [LOCK]
    assert RunDirectory.new(str(run), "").path == run


def test_an_evaluation_is_of_certain_policies(tmp_path):
    run = RunDirectory(tmp_path)
    assert not run.is_evaluated("best", 320)
    run.evaluation.write_text(json.dumps({"steps_per_seed": 320, "checkpoint": {"which": "best"}}))
    assert run.is_evaluated("best", 320)
    assert not run.is_evaluated("last", 320)
    assert not run.is_evaluated("best", 640)
    run.evaluation.write_text("[]")
    assert not run.is_evaluated("best", 320)


def test_a_validation_that_was_not_finite_is_never_the_best():
    records = [
        {"update": 0, "validation/reward": [None, -1.0]},
        {"update": 5, "reward": [0.0, 0.0]},
        {"update": 9, "validation/reward": [-2.0, None]},
    ]
    assert mappo._best(records) == (
        "best in validation: update 9, 0 of 9; 1 of 2 never did better than untrained"
    )


def test_runs_without_a_name_do_not_meet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = [RunDirectory.new(None, "case33bw").path.as_posix() for _ in range(3)]
    assert found == ["runs/case33bw", "runs/case33bw-2", "runs/case33bw-3"]
