"""RLlib's wrapper of PettingZoo drives the adapter."""

import numpy as np
import pytest

pytest.importorskip("ray", reason="needs the extra `consumers`")

from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv

from gridjax.interop.pettingzoo import ParallelGrid
from tests.interop.choices import Choices, Limits
from tests.interop.tasks import STEPS, build


def test_rllib_runs_the_episodes_of_the_adapter():
    task = build("VoltageControl-v0", {"network": "case33bw"})
    env, reference = ParallelPettingZooEnv(ParallelGrid(*task)), ParallelGrid(*task)
    assert set(env.possible_agents) == set(reference.possible_agents)
    assert env.get_action_space("inverter_0") == reference.action_space("inverter_0")
    observations, _ = env.reset(seed=1)
    expected, _ = reference.reset(seed=1)
    for step in range(STEPS):
        assert env.observation_space.contains(observations)
        actions = env.action_space.sample()
        observations, rewards, terminated, truncated, _ = env.step(actions)
        expected, pay, *_ = reference.step(actions)
        for name in reference.possible_agents:
            np.testing.assert_array_equal(observations[name], expected[name])
        assert rewards == pay
        assert not terminated["__all__"]
        assert truncated["__all__"] == (step == STEPS - 1)
    env.close()


def test_rllib_sees_a_failure_and_agents_of_every_kind():
    env = ParallelPettingZooEnv(ParallelGrid(Choices(), Limits(fails_at=1)))
    env.reset(seed=0)
    *_, terminated, truncated, _ = env.step(env.action_space.sample())
    assert terminated["__all__"]
    assert not truncated["__all__"]
