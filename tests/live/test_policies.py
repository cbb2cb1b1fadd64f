"""Who may run a grid, and what a run directory shows."""

import jax
import jax.numpy as jnp
import pytest

import gridjax
from gridjax.evaluation.rollout import recalling
from gridjax.evaluation.trained import Trained
from gridjax.learners import MAPPO
from gridjax.learners.portable import save_policy
from gridjax.live.policies import SHIPPED, Catalogue, policy_files
from gridjax.live.run import engine_of
from gridjax.live.schema import Training
from gridjax.live.settings import Settings
from gridjax.live.training import curves, training


@pytest.fixture(scope="module")
def run(task, tmp_path_factory):
    """A run that has got as far as two checkpoints."""
    env, params = task
    folder = tmp_path_factory.mktemp("runs") / "young"
    learner = MAPPO.create(env, params, num_envs=2, num_steps=4, num_minibatches=1, hidden=(8,))
    policy = learner.policy(learner.init(jax.random.key(0)))
    about = {"env": env.name, "options": {}, "steps_per_update": 8, "total_updates": 20, "run": "young"}
    for name, update in (("update-00000005", 5), ("update-00000010", 10), ("best", 5)):
        save_policy(policy, folder / "policies" / name, about | {"update": update})
    lines = [
        '{"update": 5, "step": 40, "reward": [-0.5, -0.7], "note": "x"}',
        '{"update": 10, "step": 80, "rew',
    ]
    (folder / "metrics.jsonl").write_text("\n".join(lines))
    return folder


@pytest.mark.parametrize("name", ["VoltageControl-v0", "SmartGrid-v0", "Resilience-v0"])
def test_policies_that_ship_are_small_and_fit_their_tasks(name):
    files = [SHIPPED / f"{name}{end}" for end in (".json", ".npz")]
    assert sum(path.stat().st_size for path in files) < 1 << 18
    trained = Trained.load(files[0])
    assert trained.about["run"]
    assert trained.about["update"] > 0
    env, params = trained.make(split="test")
    assert Catalogue(env, params).first == "trained"
    act, memory = recalling(trained.act(env, params))
    obs, state = jax.eval_shape(env.reset, jax.random.key(0), params)
    actions, _ = jax.eval_shape(act, jax.random.key(0), obs, state, params, memory)
    space = env.action_space(params)
    assert {g: a.shape for g, a in actions.items()} == {
        g: (n, *space[g].shape) for g, n in env.groups.items()
    }


@pytest.mark.parametrize("options", [{"agents": 15}, {"network": "case141"}])
def test_no_policy_is_offered_for_another_grid_than_its_own(options):
    env, params = gridjax.make("SmartGrid-v0" if "agents" in options else "VoltageControl-v0", **options)
    catalogue = Catalogue(env, params)
    assert "trained" not in catalogue.names()
    assert catalogue.get(catalogue.first).kind == "rule"


@pytest.mark.parametrize("name", ["VoltageControl-v0", "SmartGrid-v0", "Resilience-v0"])
def test_every_rule_acts(name):
    env, params = gridjax.make(name, split="test")
    catalogue = Catalogue(env, params)
    assert catalogue.fallback in catalogue.names()
    assert catalogue.first in catalogue.names()
    obs, state = jax.eval_shape(env.reset, jax.random.key(0), params)
    space = env.action_space(params)
    for entry in catalogue.entries():
        act, memory = recalling(entry.load())
        actions, _ = jax.eval_shape(act, jax.random.key(0), obs, state, params, memory)
        assert {g: a.shape for g, a in actions.items()} == {
            g: (n, *space[g].shape) for g, n in env.groups.items()
        }
        assert entry.kind != "rule" or entry.load() is entry.load()  # compiled once
    with pytest.raises(ValueError, match="expected one of"):
        catalogue.get("nobody")


def test_the_checkpoints_of_a_run_come_first_and_new_ones_are_seen(task, run):
    env, params = task
    catalogue = Catalogue(env, params, run)
    assert catalogue.names()[:3] == ["run, best", "checkpoint 10", "checkpoint 5"]
    assert catalogue.first == "run, best"
    act, memory = recalling(catalogue.get("checkpoint 10").load())
    obs, state = env.reset(jax.random.key(0), params)
    actions, _ = act(jax.random.key(0), obs, state, params, memory)
    assert jnp.isfinite(actions["inverter"]).all()
    policy = Trained.load(policy_files(run)[0])
    later = save_policy(policy.policy, run / "policies" / "update-00000015", policy.about | {"update": 15})
    assert "checkpoint 15" in catalogue.names()
    for path in (later, later.with_suffix(".npz")):
        path.unlink()


def test_what_the_page_shows_of_a_run(run):
    found = Training.model_validate(training(run))
    assert (found.run, found.finished) == ("young", False)
    assert [(c.policy, c.update, c.steps, c.best) for c in found.checkpoints] == [
        ("run, best", 5, 40, True),
        ("checkpoint 10", 10, 80, False),
        ("checkpoint 5", 5, 40, False),
    ]
    assert found.curves == {"reward": [[40.0, pytest.approx(-0.6)]]}
    assert training(None)["run"] is None


def test_long_curves_are_thinned_out(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(f'{{"step": {k}, "reward": {k / 7}, "bad": null}}\n' for k in range(1777)))
    found = curves(path)
    assert set(found) == {"reward"}
    assert 400 <= len(found["reward"]) <= 500
    assert found["reward"][0] == [0.0, 0.0]
    assert curves(tmp_path / "none") == {}


def test_an_engine_for_a_run_is_of_its_task(run, tmp_path):
    engine = engine_of(Settings(), run=run)
    assert engine.world.env.name == "VoltageControl-v0"
    assert engine.status["policy"] == "run, best"
    with pytest.raises(ValueError, match="the run 'young' is of VoltageControl-v0"):
        engine_of(Settings(), "SmartGrid-v0", run)
    with pytest.raises(ValueError, match="expected one of"):
        engine_of(Settings(), run=run, policy="nobody")
    with pytest.raises(FileNotFoundError, match=r"has no policies/\*\.json"):
        engine_of(Settings(), run=tmp_path)
    with pytest.raises(FileNotFoundError, match="is no folder"):
        engine_of(Settings(), run=tmp_path / "none")
