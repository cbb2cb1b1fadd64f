from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

import gridjax
from gridjax.evaluation.rollout import _score, act_with, record_day, score_days
from gridjax.learners import MAPPO

DAYS = np.array([10, 100, 200])


@pytest.fixture(scope="module")
def task():
    return gridjax.make("VoltageControl-v0", network="case33bw")


def constant(level, key, obs, state, params):
    return {"inverter": jnp.full((6, 1), level)}


def test_scores_are_the_means_of_the_recorded_day(task):
    env, params = task
    act = Partial(constant, jnp.float32(0.1))
    scores = score_days(env, params, act, DAYS, jax.random.key(0))
    track = record_day(env, params, act, 100, jax.random.key(0))
    assert track.reward["inverter"].shape == (480, 6)
    np.testing.assert_array_equal(track.state.step_of_day, np.arange(480))
    np.testing.assert_allclose(scores.reward[1], jnp.mean(track.reward["inverter"]), rtol=1e-5)
    for name, value in track.metrics.items():
        np.testing.assert_allclose(scores.metrics[name][1], jnp.mean(value), rtol=1e-5)
    low, high = track.metrics["voltage_min"], track.metrics["voltage_max"]
    tolerant = np.mean((low >= 0.949) & (high <= 1.051))
    np.testing.assert_allclose(scores.metrics["controllable_tolerant"][1], tolerant, atol=1e-6)
    assert scores.metrics["controllable_tolerant"][1] >= scores.metrics["controllable"][1]


def test_chunks_do_not_matter_and_compile_once(task):
    env, params = task
    seen = []
    act = Partial(constant, jnp.float32(0.1))
    whole = score_days(env, params, act, DAYS, jax.random.key(0))
    parts = score_days(env, params, act, DAYS, jax.random.key(0), chunk=2, done=seen.append)
    assert seen == [2, 1]
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(parts)):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    before = _score._cache_size()
    score_days(env, params, Partial(constant, jnp.float32(0.2)), DAYS, jax.random.key(1), chunk=2)
    assert _score._cache_size() == before


def test_a_policy_with_a_memory_keeps_to_the_pace_of_its_training(task):
    """Every second step it sees, remembers and chooses; in between it keeps what it chose."""
    env, params = task
    learner = MAPPO.create(
        env, params, architecture="gru", hidden=(8,), num_envs=2, num_steps=2, num_minibatches=1
    )
    policy = learner.policy(learner.init(jax.random.key(0)))
    # as initialised it does next to nothing
    policy = replace(policy, params=jax.tree.map(lambda x: 5.0 * x, policy.params))
    track = record_day(env, params, act_with(policy, env, every=2), 100, jax.random.key(0))
    memory, actions = policy.memory(), {}
    for step in range(6):
        state = jax.tree.map(lambda x, k=step: x[k], track.state)
        if step % 2 == 0:
            actions, memory = policy.step(env.observe(state, env.on_case(params, 100)), memory)
        np.testing.assert_allclose(track.actions["inverter"][step], actions["inverter"], atol=1e-5)
    moved = np.abs(np.diff(track.actions["inverter"][:, :, 0], axis=0)).max(axis=1)
    assert np.all(moved[::2] == 0.0)
    assert np.all(moved[1:100:2] > 0.0)
