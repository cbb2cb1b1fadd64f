"""`ParallelEnv`: PettingZoo's own tests on every task, and the native steps as reference."""

import pickle
import re

import jax
import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test
from pettingzoo.utils.conversions import parallel_to_aec

import gridjax
from gridjax.interop.pettingzoo import ParallelGrid
from tests.interop.choices import Choices, Limits
from tests.interop.tasks import STEPS, build, every_task


def choices(**limits):
    return ParallelGrid(Choices(), Limits(**limits))


@every_task
def test_pettingzoo_accepts_every_task(name, options):
    task = build(name, options)
    parallel_api_test(ParallelGrid(*task), num_cycles=2 * STEPS)
    parallel_seed_test(lambda: ParallelGrid(*task), num_cycles=1)


def test_pettingzoo_accepts_choices():
    parallel_api_test(choices(), num_cycles=10)
    parallel_api_test(choices(fails_at=2), num_cycles=10)
    parallel_seed_test(choices, num_cycles=2)


def test_episodes_are_those_of_the_native_environment():
    env, native, params = choices(), Choices(), Limits()
    key, first = jax.random.split(jax.random.PRNGKey(7))
    observations, infos = env.reset(seed=7)
    expected, state = native.reset(first, params)
    for step in range(4):
        assert list(observations) == env.possible_agents
        for group, n in native.groups.items():
            for k in range(n):
                row = observations[f"{group}_{k}"]
                assert row.dtype == np.float32
                np.testing.assert_array_equal(row, expected[group][k])
        masks = native.action_mask(state, params)
        np.testing.assert_array_equal(infos["unit_1"]["action_mask"]["discrete"], masks["unit"][1])
        np.testing.assert_array_equal(infos["tap_0"]["action_mask"][1], masks["tap"][0, 1])
        assert "action_mask" not in infos["switch_0"]

        actions = {agent: env.action_space(agent).sample() for agent in env.agents}
        observations, rewards, terminations, truncations, infos = env.step(actions)
        units = [actions["unit_0"], actions["unit_1"]]
        stacked = {
            "unit": jax.tree.map(lambda *x: np.stack(x), *units),
            "switch": np.stack([actions[f"switch_{k}"] for k in range(3)]),
            "tap": actions["tap_0"][None],
        }
        key, step_key = jax.random.split(key)
        out = native.transition(step_key, state, stacked, params)
        state, expected = out.state, native.observe(out.state, params)
        assert rewards == {
            f"{group}_{k}": step + 1.0 + k for group, n in native.groups.items() for k in range(n)
        }
        assert infos["switch_2"]["metrics"]["draw"] == out.metrics["draw"]
        assert infos["unit_0"]["cost"] == {"time": step + 1.0}
        assert not any(terminations.values())
        assert set(truncations.values()) == {step == 3}
        np.testing.assert_array_equal(env.state(), native.global_state(state, params))
    assert env.agents == []
    assert env.step({}) == ({}, {}, {}, {}, {})


def test_failure_is_not_the_end_of_time():
    env = choices(fails_at=1)
    env.reset(seed=0)
    *_, terminations, truncations, _ = env.step({a: env.action_space(a).sample() for a in env.agents})
    assert all(terminations.values())
    assert not any(truncations.values())


def test_one_seed_determines_all_later_episodes():
    def draws(seed):
        env = choices(length=1)
        seen = [env.reset(seed=seed)[0]["switch_0"][1]]
        return seen + [env.reset()[0]["switch_0"][1] for _ in range(3)]

    assert draws(1) == draws(1)
    assert len(set(draws(1) + draws(2))) == 8
    assert choices().reset()[0]["tap_0"][1] != choices().reset()[0]["tap_0"][1]


def test_agents_take_turns_in_pettingzoos_other_api():
    env = parallel_to_aec(choices())
    env.reset(seed=0)
    for agent in env.agent_iter(max_iter=60):
        _, _, terminated, truncated, _ = env.last()
        env.step(None if terminated or truncated else env.action_space(agent).sample())
    assert env.agents == []


def test_a_copy_of_a_running_episode_goes_on_as_it_does():
    env = choices()
    env.reset(seed=3)
    actions = {agent: env.action_space(agent).sample() for agent in env.agents}
    env.step(actions)
    again = pickle.loads(pickle.dumps(env))
    one, other = (e.step(actions)[0] for e in (env, again))
    for name in env.possible_agents:
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda a: a.pop("tap_0"), ValueError, "no action for tap_0"),
        (lambda a: a.update(tap_1=0), ValueError, "action for tap_1; agents: unit_0"),
        (
            lambda a: a.update(switch_1=2),
            ValueError,
            "action of switch_1 is 2, expected integers from 0 to 1",
        ),
        (lambda a: a.update(tap_0=[0.5, 0.5]), TypeError, "action of tap_0 is float64, expected integers"),
    ],
)
def test_actions_that_do_not_fit(change, error, message):
    env = choices()
    env.reset(seed=0)
    actions = {agent: env.action_space(agent).sample() for agent in env.agents}
    change(actions)
    with pytest.raises(error, match=re.escape(message)):
        env.step(actions)


def test_what_cannot_be_asked():
    env = choices()
    with pytest.raises(RuntimeError, match="call reset before step"):
        env.step({})
    with pytest.raises(RuntimeError, match="call reset before state"):
        env.state()
    with pytest.raises(ValueError, match="unknown agent 'bus_0'; agents: unit_0"):
        env.action_space("bus_0")
    with pytest.raises(ValueError, match="unknown task 'Voltage'"):
        gridjax.interop.pettingzoo.make("Voltage")


def test_make_passes_options_on():
    env = gridjax.interop.pettingzoo.make("VoltageControl-v0", network="case33bw", pv_buses=[5, 9])
    assert env.possible_agents == ["inverter_0", "inverter_1"]
    assert env.metadata["name"] == "VoltageControl-v0"
    assert env.render() is None
    env.close()
