"""Seeds in one program are runs of their own; what a run keeps, and which policies did best in validation."""

from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from tiny_run import UPDATES, start, write_config

from experiments import training
from experiments.run_directory import RunDirectory, read_metrics
from experiments.training import Trainer
from gridjax.evaluation.rollout import Scores
from gridjax.learners import Checkpoints


@pytest.fixture(scope="module")
def run(trained: Path) -> RunDirectory:
    return RunDirectory.existing(trained)


@pytest.fixture(scope="module")
def trainer(run):
    return Trainer.of(run.read_config())


@pytest.fixture(scope="module")
def progress(run, trainer):
    with Checkpoints(run.checkpoints) as checkpoints:
        return checkpoints.restore(None, like=trainer.shape())


def at(tree, k):
    return [np.asarray(leaf)[k] for leaf in jax.tree.leaves(tree)]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b))


def test_the_newest_checkpoints_stay(run):
    with Checkpoints(run.checkpoints) as checkpoints:
        assert checkpoints.steps() == [UPDATES - 20, UPDATES - 10, UPDATES]


def test_the_best_policies_are_those_of_the_best_validation(run, trainer, progress):
    validated = [x for x in read_metrics(run.metrics) if "validation/reward" in x]
    rewards = np.array([record["validation/reward"] for record in validated])
    updates = np.array([record["update"] for record in validated])[rewards.argmax(axis=0)]
    best, taken, done = run.policies(trainer, "best")
    np.testing.assert_array_equal(taken, updates)
    np.testing.assert_allclose(progress.best_reward, rewards.max(axis=0), rtol=1e-6)
    last, newest, _ = run.policies(trainer, "last")
    assert done == UPDATES
    np.testing.assert_array_equal(newest, [UPDATES] * 2)
    for k in range(2):
        assert same(at(best, k), at(last, k)) == (updates[k] == UPDATES)


def test_a_seed_keeps_its_best_until_it_does_better(trainer, progress, monkeypatch):
    before = np.asarray(progress.best_reward)
    # the first seed does better than ever, the second worse
    rewards = iter([before[0] + 1.0, before[1] - 1.0])
    monkeypatch.setattr(
        training, "score_days", lambda *_: Scores(np.array([next(rewards)]), {}, {}, np.zeros(1))
    )
    after, found = trainer.validate(progress, UPDATES + 5)
    np.testing.assert_allclose(found["reward"], before + np.array([1.0, -1.0]), rtol=1e-6)
    np.testing.assert_allclose(after.best_reward, before + np.array([1.0, 0.0]), rtol=1e-6)
    np.testing.assert_array_equal(after.best_update, [UPDATES + 5, progress.best_update[1]])
    assert same(at(after.best, 0), at(trainer.policies(progress), 0))
    assert same(at(after.best, 1), at(progress.best, 1))


def test_who_keeps_costs_under_their_bounds_is_better(trainer, progress, monkeypatch):
    learner = replace(trainer.learner, cost_bounds={"voltage": 0.5}, cost_margin=0.2)
    bounded = replace(trainer, learner=learner)
    now = replace(progress, best_reward=np.full(2, -np.inf), best_excess=np.full(2, np.inf))
    # reward and cost of both seeds, and whether each is the best so far
    rounds = [
        [(1.0, 1.2, True), (1.0, 0.8, True)],
        [(2.0, 1.3, False), (0.5, 0.6, True)],  # more over the bound, less over it
        [(0.1, 0.41, True), (-1.0, 0.4, True)],  # within the bound, but for what is kept free of it; at that
        [(0.3, 0.3, True), (-0.5, 0.1, True)],
        [(0.2, 0.0, False), (9.0, 0.45, False)],
    ]
    for update, round_ in enumerate(rounds):
        scores = iter(
            Scores(np.array([r]), {}, {"voltage": np.array([c])}, np.zeros(1)) for r, c, _ in round_
        )
        monkeypatch.setattr(training, "score_days", lambda *_, scores=scores: next(scores))
        before = now
        now, found = bounded.validate(now, update)
        np.testing.assert_allclose(found["cost/voltage"], [c for _, c, _ in round_], rtol=1e-6)
        over = [max(c - 0.4, 0.0) / 0.4 for _, c, _ in round_]
        np.testing.assert_allclose(found["excess"], over, rtol=1e-5, atol=1e-7)
        for k, (reward, _, better) in enumerate(round_):
            assert now.best_update[k] == (update if better else before.best_update[k])
            assert now.best_reward[k] == (np.float32(reward) if better else before.best_reward[k])


def test_five_seeds_in_one_program_are_five_runs(run):
    config = run.read_config()
    five = Trainer.of(replace(config, run=replace(config.run, num_seeds=5)))
    together = five.advance(five.start(), 3)[0].state.params
    for k in range(5):
        one = Trainer.of(replace(config, run=replace(config.run, num_seeds=1, seed=k)))
        alone = one.advance(one.start(), 3)[0].state.params
        for mine, of_five in zip(jax.tree.leaves(alone), jax.tree.leaves(together), strict=True):
            np.testing.assert_allclose(mine[0], of_five[k], rtol=2e-5, atol=2e-6)


def test_seeds_on_devices_of_their_own_are_compiled_once(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("JAX_LOG_COMPILES", "1")
    config = write_config(tmp_path, cpu_devices="2", total_steps="240", validation_every="240")
    with start(cache, "--config", str(config), "--run-dir", str(tmp_path / "run")) as process:
        out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert "on 2 of 2 x cpu" in out
    assert [record["update"] for record in read_metrics(tmp_path / "run" / "metrics.jsonl")] == [0, 5, 10, 15]
    assert err.count("Finished XLA compilation of jit(_advance)") == 1
