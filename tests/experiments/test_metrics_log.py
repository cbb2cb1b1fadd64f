import importlib.util
import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from experiments import mappo
from experiments.config import Config, Run
from experiments.metrics_log import MetricsLog
from experiments.run_directory import RunDirectory, read_metrics

OFFLINE = Config(run=Run(num_seeds=2, wandb="offline", wandb_project="a project"))


def records(path: Path) -> list:
    """What is in a file of W&B: after seven bytes of its own, a log as LevelDB writes it."""
    from wandb.proto import wandb_internal_pb2 as messages

    raw, place, part, found = path.read_bytes(), 7, b"", []
    assert raw[:4] == b":W&B"
    while place + 7 <= len(raw):
        left = 32768 - place % 32768
        if left < 7:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", raw, place)
        part += raw[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            found.append(messages.Record.FromString(part))
            part = b""
    return found


def history(run: Path) -> list[dict]:
    """Lines of all the parts of a run, in the order in which they were logged."""
    files = sorted(run.glob("wandb/offline-run-*/*.wandb"), key=lambda path: path.stat().st_mtime)
    lines = [r.history for file in files for r in records(file) if r.WhichOneof("record_type") == "history"]
    return [
        {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in line.item}
        for line in lines
    ]


def write(run: RunDirectory, updates: range) -> None:
    with MetricsLog(run, OFFLINE, updates.start) as log:
        for update in updates:
            metrics = {"reward": np.array([1.0, 3.0]) * update, "metrics/losses": np.array([0.5, 0.7])}
            log.write(2048 * update, {"update": update, "seconds": 0.5}, metrics)


@pytest.mark.parametrize("update", [0, 2])
def test_tensorboard_drops_what_a_run_that_goes_on_logs_anew(tmp_path, update):
    config = Config()
    for first, updates in ((0, range(4)), (update, range(update + 1, 4))):
        with MetricsLog(RunDirectory(tmp_path), config, first) as log:
            for k in updates:
                log.write(k * config.steps_per_update, {}, {"reward": np.float32(k)})
    starts = [
        event.step
        for path in sorted(tmp_path.glob("events.out.tfevents.*"))
        for event in events(path)
        if event.WhichOneof("what") == "session_log"
    ]
    assert starts == [update * config.steps_per_update + 1]


def events(path: Path) -> list:
    """What is in an event file: each with its length before it and checksums around."""
    from tensorboardX.proto.event_pb2 import Event

    raw, place, found = path.read_bytes(), 0, []
    while place < len(raw):
        (length,) = struct.unpack_from("<Q", raw, place)
        found.append(Event.FromString(raw[place + 12 : place + 12 + length]))
        place += 12 + length + 4
    return found


def test_every_place_has_the_same_numbers_and_a_resumed_run_is_the_same(tmp_path):
    run = RunDirectory(tmp_path)
    write(run, range(1, 3))
    write(run, range(3, 4))
    lines = read_metrics(run.metrics)
    assert [line["update"] for line in lines] == [1, 2, 3]
    assert [line["reward"] for line in lines] == [[1.0, 3.0], [2.0, 6.0], [3.0, 9.0]]
    logged = history(tmp_path)
    assert [line["_step"] for line in logged] == [2048, 4096, 6144]
    assert [line["reward"] for line in logged] == [2.0, 4.0, 6.0]
    assert [line["reward/seed 1"] for line in logged] == [3.0, 6.0, 9.0]
    assert [line["metrics/losses"] for line in logged] == pytest.approx([0.6] * 3)
    number = json.loads((tmp_path / "wandb.json").read_text())["id"]
    parts = list(tmp_path.glob("wandb/offline-run-*/*.wandb"))
    assert len(parts) == 2
    for part in parts:
        (described,) = [r.run for r in records(part) if r.WhichOneof("record_type") == "run"]
        assert (described.run_id, described.project) == (number, "a project")
    assert len(list(tmp_path.glob("events.out.tfevents.*"))) >= 1


def test_a_run_that_goes_on_may_be_logged_elsewhere_too(trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    assert mappo.main(["--resume", str(run), "--total-steps", "1040", "--wandb", "offline"]) == 0
    last = read_metrics(run / "metrics.jsonl")[-1]
    (logged,) = history(run)
    assert logged["_step"] == last["step"] == 1040
    for name in ("reward", "entropy", "explained_variance"):
        assert logged[name] == pytest.approx(np.mean(last[name]))
        assert logged[f"{name}/seed 0"] == pytest.approx(last[name][0])


def test_without_the_package_nothing_begins(tmp_path, monkeypatch, capsys):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "wandb" else found(name))
    assert mappo.main(["--wandb", "online", "--run-dir", str(tmp_path / "run")]) == 2
    assert "wandb is 'online', but the package wandb is not installed" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
