"""Policies that add to another controller."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.evaluation.rollout import act_with
from gridjax.learners import MAPPO

from .probes import NoParams, Target
from .test_imitation import SETTINGS, Follow


@pytest.fixture(scope="module")
def learner():
    return MAPPO.create(Target(), NoParams(), teacher=Follow(), residual=True, **SETTINGS)


def test_a_policy_that_says_nothing_does_what_its_base_does(learner):
    state = learner.init(jax.random.key(0))
    silent = replace(learner.policy(state), params=jax.tree.map(jnp.zeros_like, state.params["actor"]))
    act = act_with(silent, learner.env, learner.teacher)
    one, seen = jax.tree.map(lambda x: x[0], (state.env_state, state.observation))
    done = act(jax.random.key(1), seen, one, None)
    for name, expected in Follow()(learner.env, one, None).items():
        np.testing.assert_allclose(done[name], expected, atol=2e-3)


def test_the_base_is_part_of_what_is_judged(learner):
    """The ratio of the first minibatch is 1, and nothing is imitated."""
    _, metrics = learner.update(learner.init(jax.random.key(0)))
    assert metrics["first_ratio_deviation"] <= 1e-5
    assert "imitation_loss" not in metrics


def test_it_needs_a_base():
    with pytest.raises(ValueError, match="residual: got True without a teacher"):
        MAPPO.create(Target(), NoParams(), residual=True)
