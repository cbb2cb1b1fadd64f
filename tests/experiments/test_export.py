"""Policies that a run leaves as files do what its checkpoints do."""

import shutil

import jax
import numpy as np
from tiny_run import UPDATES

from experiments import export
from experiments.run_directory import RunDirectory
from experiments.training import Trainer, at_seed
from gridjax.evaluation.rollout import recalling
from gridjax.evaluation.trained import Trained


def test_training_leaves_a_policy_of_every_checkpoint(trained):
    names = {path.name for path in (trained / "policies").iterdir()}
    updates = [f"update-{update:08d}" for update in range(10, UPDATES + 1, 10)]
    expected = {f"{name}.{kind}" for name in ("best", *updates) for kind in ("json", "npz")}
    assert names == expected


def test_the_best_acts_as_the_best_of_the_checkpoint(trained, tmp_path, capsys):
    assert export.main([str(trained), "--to", str(tmp_path / "folder" / "best")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "folder" / "best.json")
    run = RunDirectory.existing(trained)
    trainer = Trainer.of(run.read_config())
    policies, updates, _ = run.policies(trainer)
    found = Trained.load(tmp_path / "folder" / "best")
    assert found.about["update"] in np.asarray(updates)
    assert found.about["env"] == "VoltageControl-v0"
    assert found.about["options"]["network"] == "case33bw"
    assert (found.about["steps_per_update"], found.about["total_updates"]) == (16, UPDATES)
    env, params = found.make(split="test")
    obs, state = env.reset(jax.random.key(0), params)
    act, memory = recalling(found.act(env, params))
    actions, _ = act(jax.random.key(0), obs, state, params, memory)
    seed = found.about["seed"] - trainer.seeds[0]
    np.testing.assert_allclose(
        actions["inverter"], at_seed(policies, seed)(obs)["inverter"], rtol=1e-6, atol=1e-7
    )


def test_where_the_last_is_evaluated_the_last_is_written(trained, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    settings = (run / "config.yaml").read_text()
    assert "evaluated: best" in settings
    (run / "config.yaml").write_text(settings.replace("evaluated: best", "evaluated: last"))
    assert export.main([str(run), "--to", str(tmp_path / "last")]) == 0
    about = Trained.load(tmp_path / "last").about
    assert (about["update"], about["seed"]) == (UPDATES, RunDirectory.existing(run).read_config().run.seed)
    assert about["validation_reward"] is None


def test_what_is_no_run_is_refused(tmp_path, capsys):
    assert export.main([str(tmp_path)]) == 2
    assert "is no run" in capsys.readouterr().err
