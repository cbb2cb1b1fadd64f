from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners import act

from .test_mappo import gather, make, outputs_of


@pytest.fixture(scope="module")
def learner():
    return make(learning_rate=1e-2)


@pytest.fixture(scope="module")
def state(learner):
    state = learner.init(jax.random.key(0))
    for _ in range(3):
        state, _ = learner.update(state)
    return state


def test_acts_as_in_training(learner, state):
    """Same observations, same normalisation: the mean action is the one training samples around."""
    _, rollout, _ = gather(learner, state, jax.random.key(1))
    actions = learner.policy(state)(rollout.observation)
    for name, (mean, _) in outputs_of(learner, state, rollout.observation).items():
        np.testing.assert_allclose(actions[name], jnp.tanh(mean), atol=1e-6)


def test_evaluation_uses_the_saved_statistics(learner, state):
    policy = learner.policy(state)
    observation = {"left": 3.0 * jnp.ones((1, 3)), "right": 3.0 * jnp.ones((3, 1))}
    unscaled = replace(policy, statistics=learner.init(jax.random.key(0)).observation_stats)
    assert np.any(np.abs(policy(observation)["right"] - unscaled(observation)["right"]) > 1e-3)


def test_deterministic_without_a_key_and_sampled_with_one(learner, state):
    policy = jax.jit(learner.policy)(state)
    observation = {"left": jnp.ones((5, 1, 3)), "right": jnp.ones((5, 3, 1))}
    first, again = policy(observation), act(policy, observation)
    sampled, other = (policy(observation, jax.random.key(i)) for i in range(2))
    for name in ("left", "right"):
        assert first[name].shape == sampled[name].shape
        np.testing.assert_array_equal(first[name], again[name])
        assert np.all(sampled[name] != other[name])
        assert np.abs(sampled[name]).max() <= 1.0
        assert len(np.unique(sampled[name])) == sampled[name].size


def test_vmaps_over_seeds(learner, state):
    states = jax.tree.map(lambda *x: jnp.stack(x), state, learner.init(jax.random.key(9)))
    observation = {"left": jnp.ones((1, 3)), "right": jnp.ones((3, 1))}
    both = jax.vmap(lambda policy: policy(observation))(jax.vmap(learner.policy)(states))
    np.testing.assert_allclose(both["right"][0], learner.policy(state)(observation)["right"], atol=1e-6)
    assert both["left"].shape == (2, 1, 2)
