"""Agents that set the constants of a rule: the rule where they say nothing, and another where they do."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gridjax
from gridjax.controllers import Rule, SteeredRule, prosumer_rule
from gridjax.controllers.steering import STEERED
from gridjax.testing import check_env

CONSTANTS = (0.9, 0.7, 0.6, 1.0, 1.4, 1.0, 1.0, 0.5, 1.0)


@pytest.fixture(scope="module")
def steered(community):
    env, params = community
    return SteeredRule(env, CONSTANTS), params


def test_saying_nothing_follows_the_rule(steered, day):
    env, params = steered
    state, _ = day
    rule = Rule(*jnp.float32(CONSTANTS))
    for at_noon in (False, True):
        now = replace(state, energy=0.2 * state.energy) if at_noon else state
        nothing = {"prosumer": jnp.zeros((env.n_agent, env.n_action))}
        found = env.follow(now, nothing, params)["prosumer"]
        np.testing.assert_array_equal(found, prosumer_rule(rule, env.env, now, params)["prosumer"])


@pytest.mark.parametrize("name", STEERED)
def test_an_entry_moves_the_constant_of_its_name_for_its_agent(steered, day, name):
    env, params = steered
    state, _ = day
    # a price between the thresholds, some to spare and some in need, so that every constant matters
    mean = float(jnp.mean(params.tariff.bands))
    now = replace(state.now, buy=jnp.float32(1.1 * mean), sun=state.now.demand * jnp.array([0, 2, 0, 2, 0]))
    state = replace(state, now=now)
    said = (
        jnp.zeros((env.n_agent, env.n_action)).at[:, STEERED.index(name)].set(jnp.array([0, 0, 0.5, -0.5, 0]))
    )
    found = env.follow(state, {"prosumer": said}, params)["prosumer"]
    for agent, change in enumerate((0.0, 0.0, 0.5, -0.5, 0.0)):
        constants = dict(zip(Rule.__dataclass_fields__, CONSTANTS))
        constants[name] += change
        rule = Rule(**{key: jnp.float32(value) for key, value in constants.items()})
        expected = prosumer_rule(rule, env.env, state, params)["prosumer"]
        np.testing.assert_allclose(found[agent], expected[agent], atol=1e-6)


def test_reactive_power_and_devices_are_set_directly(day):
    env, params = gridjax.make("SmartGrid-v0", shares={"vehicle": 0.5, "heat_pump": 0.5})
    steered = SteeredRule(env, CONSTANTS)
    assert steered.n_action == len(STEERED) + 3
    state = env.initial(jax.random.key(0), params)
    said = jnp.zeros((env.n_agent, steered.n_action)).at[:, -3:].set(jnp.array([0.25, -1.0, 1.0]))
    rule = prosumer_rule(Rule(*jnp.float32(CONSTANTS)), env, state, params)["prosumer"]
    found = steered.follow(state, {"prosumer": said}, params)["prosumer"]
    np.testing.assert_allclose(found[:, -2:], jnp.broadcast_to(jnp.array([-1.0, 1.0]), (env.n_agent, 2)))
    np.testing.assert_allclose(found[:, -3], jnp.clip(rule[:, -3] + 0.25, -1.0, 1.0), atol=1e-6)


def test_it_keeps_the_contract(steered):
    env, params = steered
    check_env(env, replace(params, episode_length=jnp.int32(3)), steps=8)
    assert env.action_space(params)["prosumer"].shape == (env.n_action,)
    assert int(env.staggered(params).latest_start) == 95


def test_what_cannot_be_steered(community):
    env, _ = community
    with pytest.raises(ValueError, match="constants holds 2 numbers, expected 9: hold_below"):
        SteeredRule(env, (1.0, 2.0))
    with pytest.raises(ValueError, match="env is VoltageControl-v0, expected SmartGrid-v0"):
        SteeredRule(gridjax.make("VoltageControl-v0")[0], CONSTANTS)
