"""One tiny run of Resilience-v0, from training to figures; compiled programs are shared by all tests here."""

import json

import numpy as np
import pytest

from experiments import campus_foresight, compare, evaluate, families, mappo
from experiments.run_directory import read_metrics
from gridjax.controllers.campus import default_rule

RULE = [float(value) for value in vars(default_rule()).values()]
CONFIG = f"""
task: {{env: Resilience-v0, episode_length: 48}}
learner: {{num_envs: 4, num_steps: 4, hidden: [8], num_epochs: 1, num_minibatches: 1, gamma: 0.98,
  steers: tuned_rule, rule_constants: {RULE}, twin: true, twin_critic: false, prior_coefficient: [0.01],
  gae_lambda: [0.9, 0.8, 1.0, 0.7], advantage_clip: [4, 4, 100, 4], stagger: false, action_repeat: 2}}
run: {{num_seeds: 2, total_steps: 64, updates_per_chunk: 2, checkpoint_every: 64, validation_every: 64,
  validation_days: 2, cpu_devices: 1, evaluate: false}}
"""
NAMES = ["do_nothing", "droop_alone", "tuned_rule", "mappo", "mappo_stochastic", "optimum"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run evaluated on two outages and on two spells without one."""
    folder = tmp_path_factory.mktemp("campus")
    (folder / "tiny.yaml").write_text(CONFIG)
    run = folder / "run"
    with pytest.MonkeyPatch.context() as patch:
        for name, small in (("_ROUNDS", 1), ("_CANDIDATES", 2), ("_REFINEMENTS", 1)):
            patch.setattr(campus_foresight, name, small)
        assert mappo.main(["--config", str(folder / "tiny.yaml"), "--run-dir", str(run)]) == 0
        assert evaluate.main([str(run), "--days", "2"]) == 0
        assert families.main([str(run), "--days", "2", "--families", "calm"]) == 0
    return run


@pytest.fixture(scope="module")
def found(run):
    return json.loads((run / "evaluation.json").read_text())


def test_it_learns_beside_the_rule(run):
    (record,) = [r for r in read_metrics(run / "metrics.jsonl") if "policy_loss" in r]
    for name in ("policy_loss", "prior_divergence", "metrics/unserved_cost"):
        assert np.isfinite(record[name]).all()


def test_every_controller_is_scored(found):
    assert list(found["controllers"]) == NAMES
    for name, measures in found["per_day"].items():
        for scores in measures.values():
            assert np.shape(scores) == ((2, 2) if name.startswith("mappo") else (1, 2))
            assert np.isfinite(scores).all()
    reward = {name: np.array(measures["reward"]) for name, measures in found["per_day"].items()}
    # where its search begins
    assert (reward["optimum"] >= reward["tuned_rule"] - 1e-5).all()
    assert reward["do_nothing"].mean() < reward["tuned_rule"].mean()
    assert (np.array(found["per_day"]["mappo"]["critical_served"]) <= 1.0).all()


def test_spells_without_outage_have_no_unserved_energy(run):
    calm = json.loads((run / "families.json").read_text())["families"]["calm"]
    assert calm["controllers"]["tuned_rule"]["unserved_cost"]["mean"] == pytest.approx(0.0, abs=1e-3)
    assert np.isfinite([calm["cost_over_optimum"]["value"], *calm["cost_over_optimum"]["over_days"]]).all()


def test_runs_are_set_side_by_side(run, tmp_path, capsys):
    assert compare.main([f"one={run}", f"two={run}", "--out", str(tmp_path / "runs.json")]) == 0
    heading = capsys.readouterr().out.splitlines()[0]
    assert all(title in heading for title in ("reward", "not served (EUR)", "energy cost (EUR)"))
    (task,) = json.loads((tmp_path / "runs.json").read_text())["tasks"].values()
    difference = task["runs"]["two"]["difference"]
    assert {difference[name]["value"] for name in ("reward", "unserved_cost", "energy_cost")} == {0.0}


def test_figures_are_written(run):
    names = {path.name for path in (run / "figures").iterdir()}
    assert names == {"training.png", "outage.png", "survival.png", "trapezoid.png"}
