"""`Env`: Gymnasium's own check on every task, and PettingZoo's agents as reference for the joint one."""

import pickle
import re
from functools import partial

import cloudpickle
import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import gridjax
from gridjax.interop.gymnasium import GridEnv
from gridjax.interop.pettingzoo import ParallelGrid
from tests.interop.choices import Choices, Limits
from tests.interop.tasks import STEPS, build, every_task

# powers and voltages have no bounds
pytestmark = pytest.mark.filterwarnings("ignore:.*A Box observation space m..imum value is:UserWarning")


def choices(**options):
    limits = {name: options.pop(name) for name in ("length", "fails_at") if name in options}
    return GridEnv(Choices(), Limits(**limits), **options)


@pytest.mark.filterwarnings("ignore:.*environment not having a spec:UserWarning")
@every_task
def test_gymnasium_accepts_every_task(name, options):
    check_env(GridEnv(*build(name, options)))


@pytest.mark.filterwarnings("ignore:.*environment not having a spec:UserWarning")
@pytest.mark.parametrize("observation", ["joined", "global"])
def test_gymnasium_accepts_choices(observation):
    check_env(choices(observation=observation))


def test_the_joint_agent_does_what_all_agents_do():
    one, all_of_them = choices(), ParallelGrid(Choices(), Limits())
    observation, info = one.reset(seed=5)
    each, _ = all_of_them.reset(seed=5)
    for _ in range(4):
        np.testing.assert_array_equal(observation, np.concatenate(list(each.values())))
        np.testing.assert_array_equal(one.action_masks()[:3], info["action_mask"]["discrete"][0])
        action = one.action_space.sample(mask=info["action_mask"])
        reals, picks = action["continuous"], action["discrete"]
        actions = {
            "unit_0": {"continuous": reals[:2], "discrete": picks[0]},
            "unit_1": {"continuous": reals[2:], "discrete": picks[1]},
            **{f"switch_{k}": picks[2 + k] for k in range(3)},
            "tap_0": picks[5:],
        }
        observation, reward, terminated, truncated, info = one.step(action)
        each, rewards, _, truncations, infos = all_of_them.step(actions)
        assert reward == pytest.approx(np.mean(list(rewards.values())))
        assert info["cost"] == infos["unit_0"]["cost"]
        assert not terminated
        assert truncated == all(truncations.values())
    assert truncated


def test_the_global_state_and_the_sum_of_rewards():
    env = choices(observation="global", reward="sum", fails_at=1)
    assert env.observation_space.shape == (2,)
    env.reset(seed=0)
    observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
    assert observation[0] == 1.0
    assert reward == 6 * 1.0 + (0 + 1) + (0 + 1 + 2)
    assert (terminated, truncated) == (True, False)


def test_a_task_without_masks_has_no_action_masks():
    env = GridEnv(*build("VoltageControl-v0", {"network": "case33bw"}))
    _, info = env.reset(seed=0)
    assert "action_mask" not in info
    with pytest.raises(AttributeError, match="choose nothing"):
        env.action_masks()


def test_gymnasium_makes_registered_tasks():
    name = "gridjax.interop.gymnasium:gridjax/VoltageControl-v0"
    env = gymnasium.make(name, network="case33bw", episode_length=STEPS, reward="sum")
    env.reset(seed=1)
    ends = [env.step(env.action_space.sample())[3] for _ in range(STEPS)]
    assert ends == [False, False, True]
    assert env.unwrapped.spec.kwargs["network"] == "case33bw"
    ours = gridjax.interop.gymnasium.make("VoltageControl-v0", network="case33bw", pv_buses=[5])
    assert ours.spec.make().action_space.shape == (1,)


def test_wrappers_of_gymnasium_go_around_it():
    env = GridEnv(*build("VoltageControl-v0", {"network": "case33bw"}))
    env = gymnasium.wrappers.RecordEpisodeStatistics(gymnasium.wrappers.NormalizeObservation(env))
    env.reset(seed=0)
    rewards = []
    for _ in range(STEPS):
        _, reward, _, _, info = env.step(np.zeros(6, np.float32))
        rewards.append(reward)
    assert info["episode"]["r"] == pytest.approx(sum(rewards))
    assert info["episode"]["l"] == STEPS


def test_constructors_and_running_episodes_can_be_pickled():
    build_it = cloudpickle.loads(cloudpickle.dumps(partial(GridEnv, Choices(), Limits())))
    env = build_it()
    env.reset(seed=2)
    action = env.action_space.sample()
    env.step(action)
    again = pickle.loads(pickle.dumps(env))
    np.testing.assert_array_equal(env.step(action)[0], again.step(action)[0])


def test_processes_of_gymnasium_run_it():
    fn = partial(GridEnv, Choices(), Limits())
    alone = fn()
    first, _ = alone.reset(seed=4)
    envs = gymnasium.vector.AsyncVectorEnv([fn], context="spawn")
    try:
        observation, _ = envs.reset(seed=4)
        np.testing.assert_array_equal(observation[0], first)
        action = envs.action_space.sample()
        observation, reward, *_ = envs.step(action)
        joint = {kind: value[0] for kind, value in action.items()}
        expected, pay, *_ = alone.step(joint)
        np.testing.assert_array_equal(observation[0], expected)
        assert reward[0] == pay
    finally:
        envs.close()


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (np.zeros(5), ValueError, "action has shape (5,), expected (6,)"),
        (np.full(6, np.inf), ValueError, "action is not finite"),
        ("up", TypeError, "action is <U2, expected reals"),
    ],
)
def test_actions_that_do_not_fit(action, error, message):
    env = GridEnv(*build("VoltageControl-v0", {"network": "case33bw"}))
    with pytest.raises(RuntimeError, match="call reset before step"):
        env.step(env.action_space.sample())
    env.reset(seed=0)
    with pytest.raises(error, match=re.escape(message)):
        env.step(action)


def test_steps_after_the_end_are_refused():
    env = choices(length=1)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    with pytest.raises(RuntimeError, match="call reset before step"):
        env.step(env.action_space.sample())


def test_options_that_there_are_not():
    with pytest.raises(ValueError, match="observation is 'all', expected one of joined, global"):
        gridjax.interop.gymnasium.make("VoltageControl-v0", observation="all")
    with pytest.raises(TypeError, match="bus"):
        gridjax.interop.gymnasium.make("VoltageControl-v0", bus=3)
