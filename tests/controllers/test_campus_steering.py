"""A campus whose agents set the constants of the rule."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gridjax
from gridjax.controllers import SteeredCampus, campus_rule
from gridjax.controllers.campus import default_rule

RULE = tuple(float(value) for value in vars(default_rule()).values())


@pytest.fixture(scope="module")
def task():
    env, params = gridjax.make("Resilience-v0", episode_length=24)
    return SteeredCampus(env, RULE), params, jax.jit(env.initial)(jax.random.key(0), params)


def actions(env, params, value):
    space = env.action_space(params)
    return {group: jnp.full((n, *space[group].shape), value) for group, n in env.groups.items()}


def test_zero_actions_are_the_rule(task):
    env, params, state = task
    usual = campus_rule(default_rule(), env.env, state, params)
    found = env.follow(state, actions(env, params, 0.0), params)
    for group in ("generator", "battery", "load"):
        np.testing.assert_allclose(found[group], usual[group], atol=1e-6)
    # a switch goes by the sign of its action
    np.testing.assert_array_equal(found["connection"] < 0.0, usual["connection"] < 0.0)


def test_each_agent_moves_its_own_constants(task):
    env, params, state = task
    # cheap enough to charge, as the rule has it
    state = replace(state, now=replace(state.now, buy=0.6 * jnp.mean(params.tariff.bands)))
    moved = actions(env, params, 0.0)
    moved["battery"] = moved["battery"].at[0, :2].set(-1.0)  # its reserve and the price it charges at
    usual, found = (env.follow(state, acts, params) for acts in (actions(env, params, 0.0), moved))
    assert found["battery"][0] > usual["battery"][0]
    assert found["battery"][1] == usual["battery"][1]


def test_actions_stay_in_bounds(task):
    env, params, state = task
    for value in (-3.0, 1.0, 3.0):
        found = env.follow(state, actions(env, params, value), params)
        assert all(float(jnp.abs(x).max()) <= 1.0 for x in found.values())
    assert (env.follow(state, actions(env, params, -1.0), params)["connection"] < 0.0).all()


def test_refuses_another_task_or_number_of_constants(task):
    env, _, _ = task
    with pytest.raises(ValueError, match="constants holds 2 numbers, expected 12: reserve"):
        SteeredCampus(env.env, (1.0, 2.0))
    with pytest.raises(ValueError, match="expected Resilience-v0"):
        SteeredCampus(gridjax.make("VoltageControl-v0")[0], RULE)


def test_every_entry_of_an_action_says_what_it_moves(task):
    env, params, _ = task
    labels = env.action_labels(params)
    assert {group: len(labels[group]) for group in env.groups} == {
        group: env.action_space(params)[group].shape[0] for group in env.groups
    }
    assert labels["load"][0] == "discretionary_hours of the rule, added [6 h]"
    assert labels["connection"] == ("switch [beyond 0.9 to its normal position, beyond -0.9 to the other]",)
