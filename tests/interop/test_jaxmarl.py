"""`MultiAgentEnv`: JaxMARL's own wrappers, and native steps with the same keys as reference."""

from functools import partial
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gridjax

pytest.importorskip("jaxmarl", reason="jaxmarl, by way of gymnax, excludes the newest JAX")

from jaxmarl.environments import spaces
from jaxmarl.environments.multi_agent_env import MultiAgentEnv
from jaxmarl.wrappers.baselines import CTRolloutManager, LogWrapper

from gridjax.envs import Discrete
from gridjax.interop.jaxmarl import GridMARL
from tests.envs.counter import Counter
from tests.envs.counter import Limits as Times
from tests.interop.choices import Choices, Limits
from tests.interop.tasks import STEPS, build, every_task, quick


def roll(wrapped, env, key, copies, steps):
    """Steps with random actions of `copies` under `vmap` in one `scan`: what each returns."""

    def sample(key):
        keys = jax.random.split(key, env.num_agents)
        return {name: env.action_space(name).sample(k) for name, k in zip(env.agents, keys)}

    @partial(jax.jit, compiler_options=quick())
    def run(key):
        first, key = jax.random.split(key)
        observations, state = jax.vmap(wrapped.reset)(jax.random.split(first, copies))

        def step(state, key):
            keys = jax.random.split(key, (2, copies))
            out = jax.vmap(wrapped.step)(keys[0], state, jax.vmap(sample)(keys[1]))
            return out[1], (out[0], *out[2:])

        return observations, jax.lax.scan(step, state, jax.random.split(key, steps))[1]

    return jax.device_get(run(key))


@every_task
def test_jaxmarls_wrapper_logs_every_task(name, options):
    env = GridMARL(*build(name, options))
    assert isinstance(env, MultiAgentEnv)
    copies, steps = 2, STEPS + 1
    first, (observations, rewards, dones, infos) = roll(
        LogWrapper(env), env, jax.random.key(0), copies, steps
    )
    assert list(env.observation_spaces) == env.agents
    assert sorted(observations) == sorted(env.agents)
    assert sorted(dones) == sorted([*env.agents, "__all__"])
    for agent in env.agents:
        assert first[agent].shape == (copies, *env.observation_space(agent).shape)
        assert np.isfinite(observations[agent]).all()
        assert rewards[agent].shape == (steps, copies)
    assert dones["__all__"].tolist() == [[k == STEPS - 1] * copies for k in range(steps)]
    # as JaxMARL's learners reshape them
    assert all(value.shape == (steps, copies, env.num_agents) for value in infos.values())
    returns = np.stack([rewards[agent][:STEPS].sum(0) for agent in env.agents], axis=-1)
    np.testing.assert_allclose(infos["returned_episode_returns"][STEPS - 1], returns, rtol=1e-5, atol=1e-6)
    assert (infos["returned_episode_lengths"][-1] == STEPS).all()
    assert infos["truncated"][STEPS - 1].all()
    assert not infos["terminated"].any()


def test_steps_are_those_of_the_native_environment():
    env, native, params = GridMARL(Choices(), Limits()), Choices(), Limits()
    observations, state = env.reset(jax.random.key(1))
    expected, native_state = native.reset(jax.random.key(1), params)
    for key in jax.random.split(jax.random.key(2), 6):
        for group, n in native.groups.items():
            for k in range(n):
                np.testing.assert_array_equal(observations[f"{group}_{k}"], expected[group][k])
        masks = native.action_mask(native_state, params)
        open_now = env.get_avail_actions(state)
        np.testing.assert_array_equal(open_now["unit_1"], masks["unit"][1])
        assert open_now["switch_0"].tolist() == [True, True]
        np.testing.assert_array_equal(env.get_world_state(state), native.global_state(native_state, params))
        actions = {name: env.action_space(name).sample(key) for name in env.agents}
        stacked = {
            group: jax.tree.map(lambda *x: jnp.stack(x), *(dict_of(actions[name]) for name in members))
            for group, members in env.agent_classes.items()
        }
        observations, state, rewards, dones, infos = env.step(key, state, actions)
        expected, native_state, pay, terminated, truncated, info = native.step(
            key, native_state, stacked, params
        )
        assert {name: float(value) for name, value in rewards.items()} == {
            f"{group}_{k}": float(pay[group][k]) for group, n in native.groups.items() for k in range(n)
        }
        assert bool(dones["__all__"]) == bool(terminated | truncated)
        assert infos["draw"].tolist() == [info["metrics"]["draw"]] * 6
        assert "pairs" not in infos


def dict_of(action):
    return dict(action) if hasattr(action, "keys") else action


def test_failure_is_not_the_end_of_time():
    env = GridMARL(Counter(), Times(fails_at=2))
    _, (_, _, dones, infos) = roll(env, env, jax.random.key(0), 1, 2)
    assert dones["__all__"][:, 0].tolist() == [False, True]
    assert infos["terminated"][-1].all()
    assert not infos["truncated"].any()


def test_jaxmarls_rollout_manager_pads_groups_of_choices():
    class Switches(Choices):
        groups = MappingProxyType({"unit": 2, "switch": 1})

        def initial(self, key, params):
            return (
                super()
                .initial(key, params)
                ._replace(last={"unit": jnp.zeros((2, 3)), "switch": jnp.zeros((1, 1))})
            )

        def transition(self, key, state, actions, params):
            full = {
                "unit": {"continuous": jnp.zeros((2, 2)), "discrete": actions["unit"]},
                "switch": actions["switch"],
                "tap": jnp.zeros((1, 2)),
            }
            out = super().transition(key, state, full, params)
            last = {group: out.state.last[group] for group in self.groups}
            reward = {group: out.reward[group] for group in self.groups}
            return out._replace(state=out.state._replace(last=last), reward=reward)

        def action_space(self, params):
            return {"unit": Discrete(3), "switch": Discrete(2)}

        def action_mask(self, state, params):
            return {"unit": super().action_mask(state, params)["unit"]}

    env = GridMARL(Switches(), Limits())
    manager = CTRolloutManager(env, batch_size=4)
    observations, states = manager.batch_reset(jax.random.key(0))
    assert observations["switch_0"].shape == observations["unit_1"].shape == (4, 5 + 3)
    assert observations["__all__"].shape == (4, 2 * 5 + 3)
    actions = {name: manager.batch_sample(jax.random.key(1), name) for name in env.agents}
    _, _, rewards, dones, _ = manager.batch_step(jax.random.key(2), states, actions)
    assert rewards["__all__"].tolist() == [1.0 + 2.0 + 1.0] * 4
    assert not dones["__all__"].any()


def test_spaces_of_choices():
    env = GridMARL(Choices(), Limits())
    assert isinstance(env.action_space("switch_0"), spaces.Discrete)
    assert isinstance(env.action_space("tap_0"), spaces.MultiDiscrete)
    assert set(env.action_space("unit_0").spaces) == {"continuous", "discrete"}
    assert env.name == "Choices-v0"


def test_actions_that_do_not_fit():
    env = gridjax.interop.jaxmarl.make("VoltageControl-v0", network="case33bw", pv_buses=[5, 9])
    assert env.agents == ["inverter_0", "inverter_1"]
    _, state = jax.eval_shape(env.reset, jax.random.key(0))
    step = lambda actions: jax.eval_shape(env.step, jax.random.key(0), state, actions)  # noqa: E731
    with pytest.raises(ValueError, match="no action for inverter_1"):
        step({"inverter_0": jnp.zeros(1)})
    with pytest.raises(ValueError, match=r"action of inverter_0 has shape \(\), expected \(1,\)"):
        step({"inverter_0": jnp.zeros(()), "inverter_1": jnp.zeros(1)})
