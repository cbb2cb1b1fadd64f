"""The logging wrapper counts what the task inside does, and changes nothing of it."""

import copy
import pickle

import jax
import numpy as np
import pytest

import gridjax
from gridjax.envs import LogWrapper
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
    with pytest.raises(AttributeError):
        _ = wrapped.nothing
