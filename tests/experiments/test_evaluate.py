import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest

from experiments import compare, config_file, evaluate, tables, voltage_yardsticks
from experiments.config import Config
from experiments.run_directory import read_metrics
from experiments.training import Trainer, at_seed
from gridjax.controllers import tune_droop
from gridjax.evaluation.rollout import recalling

CONFIGS = Path(__file__).parents[2] / "experiments" / "configs"

CONTROLLERS = ["no_control", "category_b", "steep", "tuned_droop", "mappo", "mappo_stochastic", "optimum"]


@pytest.fixture(scope="module")
def evaluated(trained, tmp_path_factory):
    run = tmp_path_factory.mktemp("evaluated") / "run"
    shutil.copytree(trained, run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voltage_yardsticks, "tune_droop", partial(tune_droop, n_state=64))
        assert evaluate.main([str(run), "--days", "2"]) == 0
    return run


@pytest.fixture(scope="module")
def found(evaluated):
    return json.loads((evaluated / "evaluation.json").read_text())


def test_every_controller_on_every_day(found):
    assert list(found["controllers"]) == CONTROLLERS
    assert len(found["days"]) == 2
    for name, measures in found["per_day"].items():
        shape = (2, 2) if name.startswith("mappo") else (1, 2)
        for scores in measures.values():
            assert np.shape(scores) == shape
            assert np.isfinite(scores).all()


def test_baselines_are_in_order(found):
    reward = {name: c["summary"]["reward"]["mean"] for name, c in found["controllers"].items()}
    assert reward["no_control"] < reward["category_b"] < reward["steep"] < reward["tuned_droop"]
    assert reward["tuned_droop"] < reward["optimum"]
    # hardly trained, but it cannot beat the optimum
    assert reward["mappo"] < reward["optimum"]
    holds = [check["holds"] for check in found["order"]]
    assert holds[:3] == [True] * 3


def test_sampled_actions_are_worse_and_claim_nothing(found):
    mean = {name: found["controllers"][name]["summary"]["reward"]["mean"] for name in found["controllers"]}
    assert mean["mappo_stochastic"] < mean["mappo"]
    assert found["controllers"]["mappo_stochastic"]["seeds"] == 2
    assert not any("stochastic" in check["claim"] for check in found["order"])


def test_quantities_agree(found):
    for controller in found["controllers"].values():
        summary = controller["summary"]
        assert summary["energy_loss_mwh"]["mean"] == pytest.approx(24 * summary["losses_mw"]["mean"])
        assert summary["controllable_tolerant"]["mean"] >= summary["controllable"]["mean"]
        assert summary["diverged"]["mean"] == 0
    assert found["controllers"]["no_control"]["share_of_way"]["value"] == 0
    assert found["controllers"]["optimum"]["share_of_way"]["value"] == 1
    assert found["controllers"]["no_control"]["summary"]["reactive_mvar"]["mean"] == 0


def test_what_it_was_made_with(found):
    assert {"method", "versions", "droop", "task", "checkpoint", "learner"} <= found.keys()
    assert len(found["droop"]["tuned_droop"]["points_pu"]) == 4


def test_a_trained_run_is_compared(evaluated, found, tmp_path):
    out = tmp_path / "compared.json"
    assert compare.main([f"one={evaluated}", f"two={evaluated}", "--out", str(out)]) == 0
    runs = json.loads(out.read_text())["tasks"]["VoltageControl-v0, case33bw"]["runs"]
    assert runs["one"]["normalised"]["improvement"]["value"] == pytest.approx(0.5)
    assert runs["one"]["way"]["start"] == found["start"] == "no_control"
    assert (
        runs["one"]["stochastic"]["share_of_way"] == found["controllers"]["mappo_stochastic"]["share_of_way"]
    )
    logged = [
        record["step"]
        for record in read_metrics(evaluated / "metrics.jsonl")
        if "validation/reward" in record
    ]
    assert runs["one"]["curve"]["steps"] == logged
    assert np.shape(runs["one"]["curve"]["rewards"]) == (2, len(logged))
    assert len(list((tmp_path / "compared_figures").iterdir())) == 4


def test_figures_are_written(evaluated):
    names = {path.name for path in (evaluated / "figures").iterdir()}
    assert names == {"training.png", "voltage.png", "reactive_power.png", "feeder.png"}


def test_an_evaluation_is_not_overwritten(evaluated, capsys):
    assert evaluate.main([str(evaluated)]) == 2
    assert "--force replaces it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"), [(["EMPTY"], "is no run"), (["RUN", "--days", "121"], "expected 1 to 120")]
)
def test_bad_input(trained, tmp_path, capsys, arguments, expected):
    arguments = [a.replace("EMPTY", str(tmp_path)).replace("RUN", str(trained)) for a in arguments]
    assert evaluate.main(arguments) == 2
    assert expected in capsys.readouterr().err


def test_tables_follow_their_source(evaluated, tmp_path, capsys):
    shutil.copy(evaluated / "evaluation.json", tmp_path / "case33bw.json")
    document = tmp_path / "README.md"
    document.write_text(
        "before\n<!-- table: evaluation source=case33bw.json -->\nyesterday\n<!-- end -->\nafter\n"
    )
    assert tables.main([str(document), "--check"]) == 1
    assert "stale" in capsys.readouterr().err
    assert tables.main([str(document)]) == 0
    text = document.read_text()
    assert text.startswith("before\n<!-- table: evaluation source=case33bw.json -->\n| controller")
    assert text.endswith("\n<!-- end -->\nafter\n")
    assert "| MAPPO " in text
    assert "| MAPPO, sampled " in text
    assert "yesterday" not in text
    assert tables.main([str(document), "--check"]) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<!-- table: nothing source=a.json -->\n<!-- end -->", "unknown table 'nothing'"),
        ("<!-- table: evaluation source=a.json -->\n<!-- end -->", "does not exist"),
        ("<!-- table: evaluation source=a.json -->\n", "is not of the form"),
    ],
)
def test_bad_regions_are_named(tmp_path, capsys, text, expected):
    document = tmp_path / "README.md"
    document.write_text(text)
    assert tables.main([str(document), "--check"]) == 2
    assert expected in capsys.readouterr().err
    assert document.read_text() == text


def test_policies_that_attend_serve_another_number_of_agents(trained, capsys):
    config = config_file.read(CONFIGS / "smart_grid_attention.yaml", Config)
    # with the constants of any rule, or one would be tuned
    learner = replace(config.learner, rule_constants=(1.0, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0, 0.2, 1.0))
    config = replace(config, learner=learner, run=replace(config.run, num_seeds=2, cpu_devices=1))
    trainer = Trainer.of(config)
    policies = trainer.policies(trainer.start())
    ten = replace(config, task=replace(config.task, agents=10))
    there, same = evaluate.moved(ten, policies)
    env, params = there.task, there.learner.env_params
    act, memory = recalling(there.act(at_seed(same, 1)))
    obs, state = jax.eval_shape(env.reset, jax.random.key(0), params)
    actions, _ = jax.eval_shape(act, jax.random.key(0), obs, state, params, memory)
    assert actions["prosumer"].shape == (10, env.n_action)
    for mine, theirs in zip(jax.tree.leaves(policies.params), jax.tree.leaves(same.params)):
        np.testing.assert_array_equal(mine, theirs)
    # the run in `trained` is of another task, which has no number of agents to choose
    assert evaluate.main([str(trained), "--agents", "10"]) == 2
    assert "agents" in capsys.readouterr().err
