from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

import gridjax
from gridjax.evaluation import replay
from gridjax.evaluation.recording import record_cases
from gridjax.evaluation.rollout import (
    Recalling,
    _score,
    act_with,
    as_pytree,
    case_keys,
    record_day,
    record_days,
    score_days,
)
from gridjax.learners import MAPPO
from tests.learners.probes import NoParams, Probe

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


@pytest.fixture(scope="module")
def policy_of(task):
    """Policies that do something, by architecture."""

    def of(architecture):
        env, params = task
        small = {"hidden": (8,), "num_envs": 2, "num_steps": 2, "num_minibatches": 1}
        learner = MAPPO.create(env, params, architecture=architecture, **small)
        policy = learner.policy(learner.init(jax.random.key(0)))
        # as initialised it does next to nothing
        return replace(policy, params=jax.tree.map(lambda x: 5.0 * x, policy.params))

    return of


def replayed(task, policy, track, seed, every, steps):
    """Actions of a sampled policy, step by step, from the keys of the day."""
    env, params = task
    key, _ = jax.random.split(jax.random.key(0))
    keys = jax.random.split(key, env.case_steps)
    memory, actions, found = policy.memory(), None, []
    for step in range(steps):
        state = jax.tree.map(lambda x, k=step: x[k], track.state)
        if step % every == 0:
            draw = jax.random.fold_in(jax.random.split(keys[step])[0], seed)
            seen = env.observe(state, env.on_case(params, 100))
            actions, memory = policy.step(seen, memory, draw)
        found.append(actions["inverter"])
    return jnp.stack(found)


@pytest.mark.parametrize(("architecture", "every"), [("feedforward", 1), ("gru", 2)])
def test_sampled_actions_follow_from_the_keys_of_the_day(task, policy_of, architecture, every):
    env, params = task
    policy = policy_of(architecture)
    track = record_day(env, params, act_with(policy, env, every, seed=7), 100, jax.random.key(0))
    expected = replayed(task, policy, track, 7, every, 6)
    np.testing.assert_allclose(track.actions["inverter"][:6], expected, atol=1e-5)


def test_sampled_scores_do_not_depend_on_chunks_and_differ_by_seed(task, policy_of):
    env, params = task
    policy = policy_of("feedforward")

    def score(seed, chunk=60):
        return score_days(env, params, act_with(policy, env, seed=seed), DAYS, jax.random.key(0), chunk)

    whole = score(1)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(score(1, chunk=2))):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    before = _score._cache_size()
    assert np.all(score(2).reward != whole.reward)
    assert _score._cache_size() == before


def test_a_policy_with_a_memory_keeps_to_the_pace_of_its_training(task, policy_of):
    """Every second step it sees, remembers and chooses; in between it keeps what it chose."""
    env, params = task
    policy = policy_of("gru")
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


class Repeating(Probe):
    """Three episodes a case; what is measured is drawn."""

    def on_case(self, params, case):
        return params

    @property
    def case_steps(self):
        return 12


@pytest.mark.parametrize("ends", ["terminated", "truncated"])
def test_every_way_to_play_a_case_is_the_same_and_forgets_where_an_episode_ends(ends):
    env, params, key = Repeating(length=4, ends=ends), NoParams(), jax.random.key(3)

    def count(key, obs, state, params, memory):
        return {"agent": jnp.full((1, 1), memory)}, memory + 0.1

    act = Recalling(Partial(count), jnp.float32(0.0))
    scored = record_days(env, params, act, DAYS, key)
    kept = record_cases(env, params, act, DAYS, key)
    np.testing.assert_allclose(kept.action["agent"][1, :, 0, 0], np.arange(12) % 4 / 10, atol=1e-6)
    np.testing.assert_array_equal(scored.metrics["draw"], kept.metrics["draw"])
    assert len(np.unique(scored.metrics["draw"])) == 36
    one = case_keys(key, DAYS)[1]
    track = record_day(env, params, act, 100, one)
    np.testing.assert_array_equal(track.metrics["draw"], scored.metrics["draw"][1])
    np.testing.assert_array_equal(track.after.time, np.arange(12) % 4 + 1)

    def look(state, actions, out, params):
        return actions["agent"], out.metrics["draw"]

    (actions, drawn), ended = replay._record(env, look, as_pytree(act), one, jnp.int32(100), params)
    np.testing.assert_array_equal(drawn, scored.metrics["draw"][1])
    np.testing.assert_array_equal(actions, track.actions["agent"])
    np.testing.assert_array_equal(ended, (np.arange(12) % 4 == 3) & (ends == "terminated"))


def test_no_cases_are_refused(task):
    with pytest.raises(ValueError, match="there are no cases to play"):
        score_days(*task, Partial(constant, jnp.float32(0.1)), np.array([], int), jax.random.key(0))
