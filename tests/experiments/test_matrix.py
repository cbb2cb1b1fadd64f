import json
import signal
from pathlib import Path

import pytest
import yaml
from tiny_run import start, wait_for_checkpoint, write_config

from experiments import matrix
from experiments.run_lock import RunLock

MATRIX = "experiments.matrix"
CONFIGS = Path(__file__).parents[2] / "experiments" / "configs"


def write(folder, **run):
    """A matrix of two learners of one task."""
    write_config(folder)
    (folder / "local.yaml").write_text("base: tiny.yaml\nlearner: {central_critic: false}\n")
    row = {
        "learners": {"central": "tiny.yaml", "local": "local.yaml"},
        "run": {"num_seeds": 1, **run},
        "days": 2,
        "optimum": False,
    }
    path = folder / "matrix.yaml"
    path.write_text(yaml.safe_dump({"tasks": {"small": row}}))
    return path


@pytest.mark.slow
def test_it_is_stopped_and_goes_on_and_does_nothing_twice(tmp_path, cache):
    path, out = write(tmp_path, total_steps=160), tmp_path / "runs"
    long = tmp_path / "long"
    long.mkdir()
    with start(cache, str(write(long, total_steps=10_000_000)), "--out", str(out), module=MATRIX) as process:
        wait_for_checkpoint(out / "small" / "central", process)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=300)
    assert process.returncode == 128 + signal.SIGTERM, errors
    assert "stopped in small, central (1 of 2); call it again to go on" in errors
    stopped_at = {p.name for p in (out / "small" / "central" / "checkpoints").iterdir() if p.name.isdigit()}

    # made as short as what is done, the rest follows
    settings = out / "small" / "central" / "config.yaml"
    settings.write_text(settings.read_text().replace("total_steps: 10000000", "total_steps: 160"))
    with start(cache, str(path), "--out", str(out), module=MATRIX) as process:
        printed, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    assert stopped_at & {p.name for p in (out / "small" / "central" / "checkpoints").iterdir()}
    names = []
    for learner in ("central", "local"):
        found = json.loads((out / "small" / learner / "evaluation.json").read_text())
        assert len(found["days"]) == 2
        assert "optimum" not in found["controllers"]
        names += [name for name, scores in found["controllers"].items() if scores["seeds"]]
    assert {"mappo", "ippo"} <= set(names)

    with start(cache, str(path), "--out", str(out), module=MATRIX) as process:
        printed, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert printed.count("done already") == 2


def test_a_failed_run_does_not_keep_others_from_their_turn(tmp_path, capsys, monkeypatch):
    begun = []

    def fail_first(entry):
        begun.append(entry.learner)
        return int(entry.learner == "central")

    monkeypatch.setattr(matrix, "_run", fail_first)
    assert matrix.main([str(write(tmp_path)), "--out", str(tmp_path / "runs")]) == 1
    assert begun == ["central", "local"]
    assert "failed: small, central (1 of 2)" in capsys.readouterr().err


class Killed:
    """A run that something else than the matrix ended."""

    def __init__(self, arguments):
        begun.append(arguments)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def wait(self):
        return -signal.SIGKILL


begun: list[list[str]] = []


def test_a_run_that_is_killed_keeps_nobody_from_their_turn_either(tmp_path, capsys, monkeypatch):
    begun.clear()
    monkeypatch.setattr(matrix.subprocess, "Popen", Killed)
    assert matrix.main([str(write(tmp_path)), "--out", str(tmp_path / "runs")]) == 1
    assert len(begun) == 2
    assert "failed: small, local (2 of 2)" in capsys.readouterr().err


def test_a_run_that_another_process_has_just_begun_is_left_alone(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(matrix.subprocess, "Popen", Killed)
    run = tmp_path / "runs" / "small" / "central"
    run.mkdir(parents=True)
    (run / "config.yaml").touch()
    with RunLock(run):
        matrix.main([str(write(tmp_path)), "--out", str(tmp_path / "runs")])
    assert f"error: {run} is being trained by another process" in capsys.readouterr().err
    assert (run / "config.yaml").exists()


def test_what_is_no_run_is_not_deleted(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(matrix.subprocess, "Popen", Killed)
    run = tmp_path / "runs" / "small" / "central"
    run.mkdir(parents=True)
    (run / "notes.txt").write_text("mine")
    assert matrix.main([str(write(tmp_path)), "--out", str(tmp_path / "runs")]) == 1
    assert "is no run to go on with, and holds notes.txt" in capsys.readouterr().err
    assert (run / "notes.txt").read_text() == "mine"


def test_the_folder_may_be_a_link(tmp_path):
    path, disk = write(tmp_path), tmp_path / "a" / "disk"
    disk.mkdir(parents=True)
    (tmp_path / "runs").symlink_to(disk)
    assert len(matrix.prepare(path, tmp_path / "runs")) == 2


def test_a_rule_is_tuned_once_for_all_learners_that_steer_it(tmp_path):
    (tmp_path / "steers.yaml").write_text("task: {env: SmartGrid-v0}\nlearner: {steers: tuned_rule}\n")
    (tmp_path / "own.yaml").write_text("base: steers.yaml\nlearner: {rule_constants: [0.5]}\n")
    (tmp_path / "acts.yaml").write_text("task: {env: SmartGrid-v0}\n")
    learners = {name: f"{name}.yaml" for name in ("steers", "acts", "own")} | {"again": "steers.yaml"}
    path, out = tmp_path / "matrix.yaml", tmp_path / "runs"
    path.write_text(yaml.safe_dump({"tasks": {"homes": {"learners": learners}}}, sort_keys=False))
    entries = {entry.learner: entry for entry in matrix.prepare(path, out)}
    assert not any("--rule-constants" in next(entry.commands()) for entry in entries.values())
    first = out / "homes" / "steers"
    first.mkdir(parents=True)
    first.joinpath("config.yaml").write_text(
        "task: {env: SmartGrid-v0}\nlearner: {steers: tuned_rule, rule_constants: [0.25, 1.0]}\n"
    )
    training = {name: next(entry.commands()) for name, entry in entries.items() if name != "steers"}
    at = training["again"].index("--rule-constants")
    assert training["again"][at + 1 : at + 3] == ["0.25", "1.0"]
    assert not any("--rule-constants" in training[name] for name in ("acts", "own"))


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("tasks: {small: {learners: {a: none.yaml}}}", [], "none.yaml does not exist"),
        ("tasks: {small: {learner: {a: tiny.yaml}}}", [], "unknown key tasks.small.learner; did you mean"),
        (
            "tasks: {small: {learners: {a: tiny.yaml}, run: {total_step: 3}}}",
            [],
            "unknown key run.total_step; did you mean total_steps",
        ),
        ("tasks: {small: {days: 3}}", [], "tasks.small: expected learners"),
        (
            "tasks: {small: {learners: {a: tiny.yaml}}}",
            ["--only", "big"],
            "--only big: expected one of small",
        ),
    ],
)
def test_bad_input_is_refused_before_anything_is_run(tmp_path, capsys, text, arguments, expected):
    write_config(tmp_path)
    (tmp_path / "matrix.yaml").write_text(text)
    out = tmp_path / "runs"
    assert matrix.main([str(tmp_path / "matrix.yaml"), "--out", str(out), *arguments]) == 2
    assert expected in capsys.readouterr().err
    assert not list(out.glob("small"))


def test_the_shipped_matrix_can_be_read(tmp_path):
    entries = matrix.prepare(CONFIGS / "learners.yaml", tmp_path)
    assert {entry.task for entry in entries} >= {"resilience", "case33bw", "smart_grid"}
    assert {entry.learner for entry in entries} == {"mappo", "ippo", "recurrent", "attention", "lagrangian"}
