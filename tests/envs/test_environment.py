"""Step and auto-reset of the contract, on a task that counts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.envs import Environment
from gridjax.testing import check_env

from .counter import ACTIONS, Counter, Limits, run


def test_the_counter_keeps_the_contract():
    check_env(Counter(), Limits(), steps=12)


def test_time_limit_and_auto_reset():
    (obs, state, reward, terminated, truncated, info), _ = run(Counter(), Limits(length=4), 9)
    assert state.time.tolist() == [1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert truncated.tolist() == [False, False, False, True] * 2 + [False]
    assert not terminated.any()
    assert info["final_observation"]["a"][:, 0, 0].tolist() == [1, 2, 3, 4, 1, 2, 3, 4, 1]
    assert info["final_global_state"][:, 0].tolist() == [1, 2, 3, 4, 1, 2, 3, 4, 1]
    assert obs["b"][:, 1, 0].tolist() == [1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert reward["b"][:, 0].tolist() == [2, 4, 6, 8, 2, 4, 6, 8, 2]
    assert info["cost"]["time"].tolist() == [1, 2, 3, 4, 1, 2, 3, 4, 1]


def test_failure_ends_the_episode_and_is_no_time_limit():
    (_, state, _, terminated, truncated, _), _ = run(Counter(), Limits(length=4, fails_at=4), 8)
    assert terminated.tolist() == [False, False, False, True] * 2
    assert not truncated.any()
    assert state.time[3] == 0


def test_every_episode_is_a_new_one():
    (_, state, *_), first = run(Counter(), Limits(length=2), 6)
    seeds = np.concatenate([[first.seed], state.seed])
    assert np.array_equal(seeds[::2], np.unique(seeds)[np.argsort(np.argsort(seeds[::2]))])
    assert len(set(seeds.tolist())) == 4


def test_noise_of_a_step_and_the_next_episode_come_from_different_keys():
    env, params, key = Counter(), Limits(length=1), jax.random.key(5)
    _, state = env.reset(key, params)
    _, after, *_, info = env.step(key, state, ACTIONS, params)
    assert float(after.seed) != float(info["metrics"]["draw"])
    step_key, reset_key = jax.random.split(key)
    assert float(info["metrics"]["draw"]) == float(jax.random.uniform(step_key))
    assert float(after.seed) == float(jax.random.uniform(reset_key))


def test_the_global_state_is_what_all_observe_unless_a_task_says_more():
    env, params = Counter(), Limits()
    state = env.initial(jax.random.key(0), params)
    seen = env.observe(state, params)
    expected = np.concatenate([np.ravel(seen["a"]), np.ravel(seen["b"])])
    np.testing.assert_array_equal(Environment.global_state(env, state, params), expected)


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ({"a": ACTIONS["a"]}, r"actions are \['a'\], expected a dict with 'a', 'b'"),
        (ACTIONS["a"], "actions are of type ArrayImpl, expected a dict with 'a', 'b'"),
        (ACTIONS | {"b": ACTIONS["b"][1:]}, r"actions\['b'\] has shape \(.*\), expected \("),
        (jax.tree.map(lambda x: jnp.stack([x, x]), ACTIONS), r"actions\['a'\] has shape \(2, .*jax\.vmap"),
    ],
)
def test_actions_of_other_groups_or_shapes_are_refused(actions, expected):
    env, params = Counter(), Limits()
    _, state = env.reset(jax.random.key(0), params)
    with pytest.raises(ValueError, match=expected):
        env.step(jax.random.key(1), state, actions, params)
