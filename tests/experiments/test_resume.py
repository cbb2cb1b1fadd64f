import json
import os
import shutil
import signal
from pathlib import Path

import jax
import numpy as np
import pytest
from tiny_run import UPDATES, start, wait_for_checkpoint, write_config

from experiments import mappo
from experiments.command_line import parse
from experiments.run_directory import RunDirectory, read_metrics
from experiments.training import Trainer
from gridjax.learners import Checkpoints


def final_leaves(run: Path) -> list[np.ndarray]:
    trainer = Trainer.of(RunDirectory.existing(run).read_config())
    with Checkpoints(run / "checkpoints") as checkpoints:
        assert checkpoints.latest_step() == UPDATES
        progress = checkpoints.restore(None, like=trainer.shape())
    return [
        np.asarray(jax.random.key_data(x) if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key) else x)
        for x in jax.tree.leaves(progress)
    ]


def without_times(run: Path) -> list[dict]:
    records = read_metrics(run / "metrics.jsonl")
    return [{k: v for k, v in r.items() if k not in ("seconds", "steps_per_second")} for r in records]


def test_a_killed_and_resumed_run_ends_with_the_same_bits(trained, tmp_path, cache):
    broken = tmp_path / "broken"
    with start(cache, "--config", str(write_config(tmp_path)), "--run-dir", str(broken)) as process:
        wait_for_checkpoint(broken, process)
        os.kill(process.pid, signal.SIGKILL)
    with Checkpoints(broken / "checkpoints") as checkpoints:
        assert 0 < checkpoints.latest_step() < UPDATES
    # a line that the kill cut off
    with (broken / "metrics.jsonl").open("a") as file:
        file.write('{"update": 5, "st')

    with start(cache, "--resume", str(broken)) as process:
        _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    for a, b in zip(final_leaves(trained), final_leaves(broken), strict=True):
        np.testing.assert_array_equal(a, b)
    assert without_times(trained) == without_times(broken)


def test_ctrl_c_saves_and_tells_how_to_go_on(tmp_path, cache):
    run = tmp_path / "run"
    arguments = (
        "--config",
        str(write_config(tmp_path)),
        "--run-dir",
        str(run),
        "--total-steps",
        "10_000_000",
    )
    with start(cache, *arguments) as process:
        wait_for_checkpoint(run, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"python -m experiments.mappo --resume {run}" in errors
    with Checkpoints(run / "checkpoints") as checkpoints:
        assert checkpoints.latest_step() == read_metrics(run / "metrics.jsonl")[-1]["update"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--resume", "RUN", "--seed", "7"], "seed is 7, but the run to resume has 0"),
        (["--resume", "RUN", "--config", "x.yaml"], "exclude each other"),
        (["--resume", "EMPTY"], "no run to resume in"),
        (["--run-dir", "RUN"], "continue it with --resume"),
    ],
)
def test_refusals_say_what_to_do(trained, tmp_path, capsys, arguments, expected):
    arguments = [a.replace("RUN", str(trained)).replace("EMPTY", str(tmp_path)) for a in arguments]
    assert mappo.main(arguments) == 2
    assert expected in capsys.readouterr().err


def test_a_run_without_checkpoints_is_refused(trained, tmp_path, capsys):
    shutil.copy(trained / "config.yaml", tmp_path)
    assert mappo.main(["--resume", str(tmp_path)]) == 2
    assert "no checkpoint in" in capsys.readouterr().err


def test_a_checkpoint_of_another_network_is_refused(trained, tmp_path, capsys):
    shutil.copytree(trained, tmp_path / "run")
    config = tmp_path / "run" / "config.yaml"
    config.write_text(config.read_text().replace("case33bw", "cigre_lv"))
    assert mappo.main(["--resume", str(tmp_path / "run")]) == 2
    assert "checkpoint from another network" in capsys.readouterr().err


def test_a_finished_run_can_be_made_longer(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    assert mappo.main(["--resume", str(tmp_path / "run"), "--total-steps", "1040"]) == 0
    records = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [record["update"] for record in records] == list(range(0, UPDATES + 6, 5))
    config, _ = parse(["--resume", str(tmp_path / "run")])
    assert config.run.total_steps == 1040
