"""A few instants of the shipped feeder, shared by the tests of all controllers."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import pytest

import gridjax


@pytest.fixture(scope="session")
def feeder():
    """Environment, params, and 32 instants `[32]` with set-points of a random last action."""
    env, params = gridjax.make("VoltageControl-v0")
    key, action_key = jax.random.split(jax.random.key(11))
    states = jax.vmap(env.initial, (0, None))(jax.random.split(key, 32), params)
    last = params.apparent * jax.random.uniform(action_key, (32, env.n_agent), minval=-0.5, maxval=0.5)
    return env, params, replace(states, reactive=last)


@pytest.fixture(scope="session")
def penalty(feeder):
    """`penalty(actions, params)` of the instants: minus the reward, `[32]`, MW and p.u. as in the task."""
    env, _, states = feeder

    @jax.jit
    def of(actions, params):
        one = jax.vmap(env.transition, (None, 0, 0, None))(jax.random.key(0), states, actions, params)
        return -jnp.mean(one.reward["inverter"], axis=-1)

    return of


@pytest.fixture(scope="session")
def community():
    """SmartGrid-v0 as it comes: environment and params."""
    return gridjax.make("SmartGrid-v0")


@pytest.fixture(scope="session")
def day(community):
    """State at midnight of a workday in April, and the keys of its 96 transitions."""
    env, params = community
    state = env.initial(jax.random.key(5), env.on_case(params, 109))
    return state, jax.random.split(jax.random.key(6), env.steps_per_day)
