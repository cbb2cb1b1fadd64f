"""gymnax's `Environment`: gymnax's own wrappers, and native steps with the same keys as reference."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gridjax

pytest.importorskip("gymnax", reason="gymnax excludes the newest JAX")

from gymnax import wrappers
from gymnax.environments import environment, spaces

from gridjax.interop.gymnax import GridGymnax
from tests.envs.counter import Counter
from tests.envs.counter import Limits as Times
from tests.interop.choices import Choices, Limits
from tests.interop.tasks import STEPS, build, every_task, quick


@every_task
def test_gymnaxs_wrappers_go_around_every_task(name, options):
    native, params = build(name, options)
    env = GridGymnax(native, params)
    assert isinstance(env, environment.Environment)
    wrapped = wrappers.LogWrapper(wrappers.FlattenObservationWrapper(env))

    @partial(jax.jit, compiler_options=quick())
    def run(key, params):
        first, key = jax.random.split(key)
        observation, state = wrapped.reset(first, params)

        def step(state, key):
            act_key, step_key = jax.random.split(key)
            action = env.action_space(params).sample(act_key)
            out = wrapped.step(step_key, state, action, params)
            return out[1], (out[0], *out[2:])

        return observation, jax.lax.scan(step, state, jax.random.split(key, STEPS + 1))[1]

    first, (observation, reward, terminated, truncated, info) = jax.device_get(run(jax.random.key(0), params))
    space = env.observation_space(params)
    assert first.shape == space.shape
    assert observation.shape == (STEPS + 1, *space.shape)
    assert np.isfinite(observation).all()
    assert not terminated.any()
    assert truncated.tolist() == [k == STEPS - 1 for k in range(STEPS + 1)]
    assert info["returned_episode_returns"][-1] == pytest.approx(reward[:STEPS].sum(), rel=1e-5)
    np.testing.assert_array_equal(info["final_observation"][0], observation[0])
    assert (info["final_observation"][STEPS - 1] != observation[STEPS - 1]).any()


def test_steps_are_those_of_the_native_environment():
    env, native, params = GridGymnax(Choices(), Limits()), Choices(), Limits()
    observation, state = env.reset(jax.random.key(1), params)
    expected, native_state = native.reset(jax.random.key(1), params)
    for key in jax.random.split(jax.random.key(2), 6):
        joined = [expected[group].ravel() for group in native.groups]
        np.testing.assert_array_equal(observation, np.concatenate(joined))
        mask = env.action_mask(state, params)
        np.testing.assert_array_equal(mask[:3], native.action_mask(native_state, params)["unit"][0])
        action = env.action_space(params).sample(key)
        reals, picks = action["continuous"], jnp.stack(action["discrete"])
        stacked = {
            "unit": {"continuous": reals.reshape(2, 2), "discrete": picks[:2]},
            "switch": picks[2:5],
            "tap": picks[None, 5:],
        }
        observation, state, reward, terminated, truncated, info = env.step(key, state, action, params)
        expected, native_state, pay, *ends, native_info = native.step(key, native_state, stacked, params)
        assert [bool(terminated), bool(truncated)] == [bool(end) for end in ends]
        assert reward == pytest.approx(np.mean(np.concatenate([pay[group] for group in native.groups])))
        assert info["metrics"]["draw"] == native_info["metrics"]["draw"]


def test_params_are_an_argument():
    env = GridGymnax(Counter(), Times(), observation="global", reward="sum")
    many = Times(length=jnp.array([1, 2]), fails_at=jnp.array([9, 1]))
    keys = jax.random.split(jax.random.key(0))
    observation, states = jax.vmap(env.reset)(keys, many)
    assert observation.shape == (2, 2)
    assert env.observation_space(Times()).shape == (2,)
    out = jax.vmap(env.step)(keys, states, jnp.zeros((2, 7)), many)
    assert out[2].tolist() == [5.0, 5.0]
    assert out[3].tolist() == [False, True]
    assert out[4].tolist() == [True, False]


def test_gymnaxs_wrappers_for_gymnasium_run_it():
    env = GridGymnax(Counter(), Times(length=2))
    one = wrappers.GymnaxToGymWrapper(env)
    one.reset(seed=1)
    ends = [bool(one.step(one.action_space.sample())[3]) for _ in range(4)]
    assert ends == [False, True, False, True]
    many = wrappers.GymnaxToVectorGymWrapper(env, num_envs=3)
    observation, _ = many.reset(seed=1)
    assert observation.shape == (3, 6)
    assert many.step(many.action_space.sample())[1].shape == (3,)


def test_spaces_and_actions_that_do_not_fit():
    env, params = gridjax.interop.gymnax.make("VoltageControl-v0", network="case33bw", pv_buses=[5, 9])
    assert env.name == "VoltageControl-v0"
    assert env.default_params is params
    assert env.num_actions == 2
    assert env.action_space(params).shape == (2,)
    _, state = jax.eval_shape(env.reset, jax.random.key(0), params)
    with pytest.raises(ValueError, match=r"action has shape \(3,\), expected \(2,\)"):
        jax.eval_shape(env.step, jax.random.key(0), state, jnp.zeros(3), params)
    choosing = GridGymnax(Choices(), Limits())
    _, state = jax.eval_shape(choosing.reset, jax.random.key(0), Limits())
    assert isinstance(choosing.action_space(Limits()), spaces.Dict)
    with pytest.raises(ValueError, match="action is no dict of continuous and discrete"):
        jax.eval_shape(choosing.step, jax.random.key(0), state, jnp.zeros(3), Limits())
