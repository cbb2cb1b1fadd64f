"""One tiny run of SmartGrid-v0, from training to tables; compiled programs are shared by all tests here."""

import json
import shutil
from functools import partial

import numpy as np
import pytest
import yaml

from experiments import compare, evaluate, families, mappo, prosumer_yardsticks, tables
from experiments.run_directory import read_metrics
from gridjax.controllers import tune_rule

CONFIG = """
task: {env: SmartGrid-v0, agents: 3, episode_length: 12}
learner: {num_envs: 4, num_steps: 4, hidden: [8], num_epochs: 1, num_minibatches: 1, gamma: 0.98,
  steers: tuned_rule, twin: true}
run: {num_seeds: 2, total_steps: 96, updates_per_chunk: 2, checkpoint_every: 32, validation_every: 64,
  validation_days: 2, cpu_devices: 1, evaluate: false}
"""
NAMES = ["idle_battery", "self_consumption", "time_of_use", "peer_to_peer", "tuned_rule", "mappo"]
NAMES += ["mappo_stochastic", "optimum"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that stopped half-way and went on, evaluated on two days."""
    folder = tmp_path_factory.mktemp("community")
    (folder / "tiny.yaml").write_text(CONFIG)
    run = folder / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prosumer_yardsticks, "tune_rule", partial(tune_rule, n_day=2, generations=1))
        patch.setattr(prosumer_yardsticks, "ITERATIONS", 2)
        half = ["--config", str(folder / "tiny.yaml"), "--run-dir", str(run), "--total-steps", "48"]
        assert mappo.main([*half, "--no-decay-learning-rate"]) == 0
        assert mappo.main(["--resume", str(run), "--total-steps", "96"]) == 0
        assert evaluate.main([str(run), "--days", "2"]) == 0
        assert families.main([str(run), "--days", "2", "--families", "islanded"]) == 0
    return run


@pytest.fixture(scope="module")
def found(run):
    return json.loads((run / "evaluation.json").read_text())


def test_settings_are_complete_and_hold_the_rule(run):
    settings = yaml.safe_load((run / "config.yaml").read_text())
    assert settings["task"]["agents"] == 3
    assert settings["task"]["barrier"] is None
    assert len(settings["learner"]["rule_constants"]) == 9


def test_training_goes_on_where_it_stopped(run):
    start, *records = read_metrics(run / "metrics.jsonl")
    assert start["update"] == 0
    assert [record["update"] for record in records] == [2, 3, 4, 6]
    assert all(np.isfinite(record["policy_loss"]).all() for record in records)


def test_every_controller_is_scored(found):
    assert list(found["controllers"]) == NAMES
    for name, measures in found["per_day"].items():
        for scores in measures.values():
            assert np.shape(scores) == ((2, 2) if name.startswith("mappo") else (1, 2))
            assert np.isfinite(scores).all()
    reward = {name: np.mean(measures["reward"]) for name, measures in found["per_day"].items()}
    assert reward["idle_battery"] < reward["self_consumption"] < reward["peer_to_peer"]
    assert reward["tuned_rule"] <= reward["optimum"] + 1e-6  # where the search begins
    assert [check["claim"] for check in found["also_in_order"]["community_cost"]] == [
        "idle_battery < self_consumption",
        "self_consumption < tuned_rule",
        "tuned_rule < mappo",
        "mappo <= optimum",
    ]


def test_no_plan_passes_the_linear_bound(found):
    bound = np.array(found["bounds"]["community_cost"])
    assert bound.shape == (2,)
    assert np.all(bound < np.array(found["per_day"]["optimum"]["community_cost"]))


def test_what_an_idle_battery_saves_is_nothing(found):
    idle = found["per_day"]["idle_battery"]
    # but for the self-discharge of what is stored
    np.testing.assert_allclose(idle["reward_cost"], 0.0, atol=2e-3)
    assert np.all(np.array(idle["battery_cycles"]) < 1e-3)


def test_figures_are_written(run):
    names = {path.name for path in (run / "figures").iterdir()}
    assert names == {"training.png", "day.png", "supply.png", "feeder.png", "stability.png"}


def test_tables_of_families_and_runs(run, tmp_path):
    assert (
        compare.main([f"one={run}", f"two={run}", "--out", str(tmp_path / "runs.json"), "--no-figures"]) == 0
    )
    report = json.loads((tmp_path / "runs.json").read_text())
    assert list(report["tasks"]) == ["SmartGrid-v0, 3 agents on cigre_lv"]
    runs = report["tasks"]["SmartGrid-v0, 3 agents on cigre_lv"]["runs"]
    assert runs["two"]["difference"]["community_cost"]["value"] == 0
    for name in ("evaluation", "families"):
        shutil.copy(run / f"{name}.json", tmp_path)
    document = tmp_path / "README.md"
    regions = "".join(
        f"<!-- table: {name} source={name}.json -->\n<!-- end -->\n"
        for name in ("evaluation", "families", "runs")
    )
    document.write_text(regions)
    assert tables.main([str(document)]) == 0
    text = document.read_text()
    assert "community cost (EUR/day), lower being better" in text
    assert "| islanded" in text
    assert "a linear programme finds" in text
    assert "| two " in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["RUN", "--families", "flood"], "expected plain, price_shock"),
        (["RUN", "--days", "0"], "expected 1 to 480"),
    ],
)
def test_bad_families(run, capsys, arguments, expected):
    assert families.main([argument.replace("RUN", str(run)) for argument in arguments]) == 2
    assert expected in capsys.readouterr().err


def test_an_optimum_is_taken_over_only_from_the_same_task(run, tmp_path, capsys):
    other = json.loads((run / "evaluation.json").read_text())
    other["days"] = [1, 2]
    (tmp_path / "other.json").write_text(json.dumps(other))
    arguments = [str(run), "--days", "2", "--force", "--reuse", str(tmp_path / "other.json")]
    assert evaluate.main(arguments) == 2
    assert "its days is another" in capsys.readouterr().err
    (tmp_path / "other.json").write_text("[]")
    assert evaluate.main(arguments) == 2
    assert "it is no evaluation.json" in capsys.readouterr().err
