"""Analytic answers, learned within seconds, for MAPPO and independent PPO and for either sharing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners import MAPPO
from gridjax.learners.batch import return_scale

from .probes import (
    SETTINGS,
    TARGETS,
    Constant,
    Coordination,
    Delayed,
    Groups,
    NoParams,
    Seen,
    Target,
    TimeLimit,
)

VARIANTS = [("group", True), ("agent", False)]


def train(env, sharing, central, updates, learning_rate):
    learner = MAPPO.create(
        env, NoParams(), sharing=sharing, central_critic=central, learning_rate=learning_rate, **SETTINGS
    )
    state = learner.init(jax.random.key(0))
    metrics = {}
    for _ in range(updates):
        state, metrics = learner.update(state)
    return learner, state, metrics


def value(learner, state, seen):
    """Value of one agent that sees `seen`, which is the global state too."""
    x = jnp.asarray([seen])
    mean, std = return_scale(learner, state)
    return learner.evaluate(state, {"agent": x[None]}, x, {})[0] * std + mean


def test_value_of_a_constant_reward():
    learner, state, _ = train(Constant(), "group", True, 60, 5e-3)
    np.testing.assert_allclose(value(learner, state, 1.0), 1.0, atol=0.02)


@pytest.mark.parametrize(("sharing", "central"), VARIANTS)
def test_value_depends_on_what_is_seen(sharing, central):
    learner, state, _ = train(Seen(), sharing, central, 60, 5e-3)
    np.testing.assert_allclose(value(learner, state, 1.0), 1.0, atol=0.05)
    np.testing.assert_allclose(value(learner, state, -1.0), -1.0, atol=0.05)


@pytest.mark.parametrize(("sharing", "central"), VARIANTS)
def test_a_delayed_reward_is_discounted_once(sharing, central):
    learner, state, _ = train(Delayed(), sharing, central, 100, 5e-3)
    np.testing.assert_allclose(value(learner, state, 0.0), 0.9, atol=0.03)
    np.testing.assert_allclose(value(learner, state, 1.0), 1.0, atol=0.03)


@pytest.mark.parametrize(("sharing", "central"), VARIANTS)
def test_a_time_limit_is_not_an_end(sharing, central):
    """As termination the value would be at most 1 + 0.9 + 0.81 + 0.729 = 3.44."""
    learner, state, metrics = train(TimeLimit(), sharing, central, 200, 5e-3)
    np.testing.assert_allclose(value(learner, state, 1.0), 10.0, rtol=0.02)
    assert metrics["episode_return"] == 4.0
    assert metrics["episode_length"] == 4.0


@pytest.mark.parametrize(("sharing", "central"), VARIANTS)
def test_action_follows_what_is_seen(sharing, central):
    learner, state, _ = train(Target(), sharing, central, 100, 5e-3)
    policy = learner.policy(state)
    for signal in (-1.0, 1.0):
        found = policy({"agent": jnp.full((1, 1), signal)})["agent"]
        np.testing.assert_allclose(found, 0.5 * signal, atol=0.05)


@pytest.mark.parametrize(
    ("sharing", "central", "shared"),
    [("all", True, True), ("group", False, False), ("agent", True, True)],
)
def test_two_agents_that_see_the_same_find_targets_of_their_own(sharing, central, shared):
    learner, state, _ = train(Coordination(shared=shared), sharing, central, 120, 5e-3)
    found = learner.policy(state)({"agent": jnp.ones((2, 1))})["agent"][:, 0]
    np.testing.assert_allclose(found, TARGETS["agent"], atol=0.06)


@pytest.mark.parametrize(("sharing", "central"), VARIANTS)
def test_two_groups_of_different_sizes(sharing, central):
    learner, state, metrics = train(Groups(), sharing, central, 120, 5e-3)
    found = learner.policy(state)({"left": jnp.ones((1, 3)), "right": jnp.ones((3, 1))})
    for name, target in TARGETS.items():
        if name in found:
            np.testing.assert_allclose(found[name][:, 0], target, atol=0.06)
    assert {"reward/left", "reward/right"} <= set(metrics)
