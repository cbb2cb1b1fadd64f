"""A community of five with every device and event possible, shared by the tests; compiled once."""

import jax
import jax.numpy as jnp
import pytest

import gridjax


@pytest.fixture(scope="session")
def community():
    """Environment and params of ten-step episodes: five prosumers, without vehicles and heat pumps."""
    return gridjax.make("SmartGrid-v0", episode_length=10)


@pytest.fixture(scope="session")
def transition(community):
    """The compiled transition of `community`."""
    env, _ = community
    return jax.jit(env.transition)


@pytest.fixture(scope="session")
def noon(community):
    """A state at noon of a summer day, batteries half full, and a key."""
    env, params = community
    state = env.initial(jax.random.key(3), env.on_case(params, 170))

    def forward(state, key):
        rest = {"prosumer": jnp.zeros((env.n_agent, env.n_action))}
        return env.transition(key, state, rest, params).state, None

    state, _ = jax.jit(lambda s: jax.lax.scan(forward, s, jax.random.split(jax.random.key(4), 48)))(state)
    return state, jax.random.key(5)
