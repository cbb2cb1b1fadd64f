"""The logging wrapper counts what the task inside does, and changes nothing of it."""

import copy
import pickle

import jax
import numpy as np
import pytest

import gridjax
from gridjax.envs import ActionRepeat, LogWrapper
from gridjax.testing import check_env

from .counter import Counter, Limits, run


def test_return_and_length_of_finished_episodes():
    out, _ = run(LogWrapper(Counter()), Limits(length=3), 8)
    episode = out[5]["episode"]
    # the three agents are paid t, 2 t, 2 t: 5/3 (1 + 2 + 3) = 10
    np.testing.assert_allclose(episode["return"], [0, 0, 10, 10, 10, 10, 10, 10], rtol=1e-6)
    assert episode["length"].tolist() == [0, 0, 3, 3, 3, 3, 3, 3]
    assert episode["ended"].tolist() == [False, False, True, False, False, True, False, False]
    np.testing.assert_allclose(out[1].running_return, 5 / 3 * np.array([1, 3, 0, 1, 3, 0, 1, 3]), rtol=1e-6)
    assert out[1].running_length.tolist() == [1, 2, 0, 1, 2, 0, 1, 2]


def test_failures_end_an_episode_too():
    out, _ = run(LogWrapper(Counter()), Limits(length=9, fails_at=2), 4)
    assert out[5]["episode"]["length"].tolist() == [0, 2, 2, 2]


def test_the_task_inside_is_unchanged():
    wrapped, _ = run(LogWrapper(Counter()), Limits(), 9)
    plain, _ = run(Counter(), Limits(), 9)
    info = {name: value for name, value in wrapped[5].items() if name != "episode"}
    jax.tree.map(
        np.testing.assert_array_equal,
        (wrapped[0], wrapped[1].inner, *wrapped[2:5], info),
        (*plain[:5], plain[5]),
    )


def test_it_keeps_the_contract():
    check_env(LogWrapper(Counter()), Limits(), steps=12)


def test_it_is_hashable_and_lets_the_task_through():
    env, params = gridjax.make("VoltageControl-v0")
    wrapped = LogWrapper(env)
    assert hash(wrapped) == hash(LogWrapper(env))
    assert wrapped == pickle.loads(pickle.dumps(copy.deepcopy(wrapped)))
    assert (wrapped.name, wrapped.groups) == (env.name, env.groups)
    assert int(wrapped.on_case(params, 3).days[0]) == 3
    assert wrapped.steps_per_day == 480
    assert wrapped.observation_labels(params) == env.observation_labels(params)
    assert wrapped.action_labels(params) == env.action_labels(params)
    assert wrapped.metric_labels(params) == env.metric_labels(params) != {}
    assert wrapped.cost_labels(params) == env.cost_labels(params) != {}
    with pytest.raises(AttributeError):
        _ = wrapped.nothing


def test_a_repeated_action_earns_what_its_steps_do():
    (_, _, reward, _, truncated, info), _ = run(ActionRepeat(Counter(), 2), Limits(length=4), 4)
    assert reward["a"][:, 0].tolist() == [1.5, 3.5, 1.5, 3.5]
    assert reward["b"].tolist() == [[3, 3], [7, 7], [3, 3], [7, 7]]
    assert info["cost"]["time"].tolist() == [1.5, 3.5, 1.5, 3.5]
    assert truncated.tolist() == [False, True, False, True]


def test_an_action_is_repeated_to_the_end_of_the_episode_at_most():
    (obs, _, reward, terminated, truncated, info), _ = run(
        ActionRepeat(Counter(), 3), Limits(length=9, fails_at=4), 4
    )
    np.testing.assert_allclose(reward["a"][:, 0], np.array([1 + 2 + 3, 4, 1 + 2 + 3, 4]) / 3)
    assert terminated.tolist() == [False, True, False, True]
    assert not truncated.any()
    assert info["final_observation"]["a"][:, 0, 0].tolist() == [3, 4, 3, 4]
    assert obs["a"][:, 0, 0].tolist() == [3, 0, 3, 0]
    # of one step alone: its own
    assert (info["metrics"]["draw"] > 0.0).all()
    assert (info["metrics"]["draw"] < 1.0).all()


def test_a_repeated_action_keeps_the_contract():
    check_env(ActionRepeat(Counter(), 2), Limits(), steps=12)


@pytest.mark.parametrize("repeats", [0, 1.5, True])
def test_refuses_what_is_no_number_of_repeats(repeats):
    with pytest.raises(ValueError, match=r"repeats is .*, expected a whole number of at least 1"):
        ActionRepeat(Counter(), repeats)
