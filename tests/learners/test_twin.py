"""What happens whatever the agents do is no part of what their exploration is worth."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners import MAPPO
from gridjax.learners.batch import prepare, whiten
from gridjax.learners.rollout import collect

from .probes import NoParams, Probe

SETTINGS = {"num_envs": 16, "num_steps": 8, "num_minibatches": 2, "hidden": (16,), "learning_rate": 5e-3}
WEATHER = 100.0


@dataclass(frozen=True)
class Weather(Probe):
    """The agent moves by twice its action and is paid by how near zero it is, and by weather."""

    signals: bool = True
    length: int = 3

    def transition(self, key, state, actions, params):
        out = super().transition(key, state, actions, params)
        place = state.signal + 2.0 * actions["agent"][0, 0]
        reward = WEATHER * jax.random.normal(key) - jnp.square(place)
        return out._replace(state=out.state._replace(signal=place), reward={"agent": reward[None]})


@pytest.fixture(scope="module")
def gathered():
    learner = MAPPO.create(Weather(), NoParams(), twin=True, **SETTINGS)
    state = learner.init(jax.random.key(0))
    _, rollout, _ = jax.jit(collect)(learner, state, jax.random.key(1))
    return learner, state, rollout


def test_weather_cancels(gathered):
    _, _, rollout = gathered
    assert np.std(rollout.reward) > 0.5 * WEATHER
    assert np.abs(rollout.reward - rollout.twin.reward).max() < 0.1 * WEATHER


def test_a_twin_does_what_the_policy_would_without_exploring(gathered):
    learner, state, rollout = gathered
    first = rollout.observation["agent"][0]
    mean = learner.policy(state)({"agent": first})["agent"][..., 0]
    chosen = jnp.tanh(rollout.drawn["agent"].continuous[0])[..., 0]
    apart = jnp.square(first[..., 0] + 2.0 * mean) - jnp.square(first[..., 0] + 2.0 * chosen)
    np.testing.assert_allclose(rollout.reward[0] - rollout.twin.reward[0], apart, atol=1e-4)


def test_a_twin_sets_out_from_the_explorer_and_from_every_reset(gathered):
    learner, state, rollout = gathered
    mine = np.asarray(learner.evaluate(state, rollout.observation, rollout.global_state, {})[0])
    begins = np.arange(SETTINGS["num_steps"]) % 3 == 0
    np.testing.assert_allclose(rollout.twin.value[begins], mine[begins], atol=1e-5)
    assert np.abs(rollout.twin.value[~begins] - mine[~begins]).max() > 1e-3


def test_it_learns_what_weather_hides():
    """Where it stands: the action that takes it to zero."""
    missed = {}
    for twin in (False, True):
        learner = MAPPO.create(Weather(length=1), NoParams(), twin=twin, **SETTINGS)
        state = learner.init(jax.random.key(0))
        for _ in range(30):
            state, _ = learner.update(state)
        start = jnp.array([-1.0, 1.0])[:, None, None]
        action = learner.policy(state)({"agent": start})["agent"]
        missed[twin] = float(jnp.max(jnp.abs(2.0 * action + start)))
    assert missed[True] < 0.1
    assert missed[False] > 0.3


def test_advantages_may_be_of_rewards_alone(gathered):
    learner, state, rollout = gathered
    alone = replace(learner, twin_critic=False, gae_lambda=1.0, gamma=1.0)
    found = prepare(alone, state, rollout)[0].advantage.reshape(8, 16)
    gained = np.asarray(rollout.reward - rollout.twin.reward)[..., 0]
    # what is gained until the episode ends, every third step, or the rollout does
    expected = np.stack([gained[t : t - t % 3 + 3].sum(axis=0) for t in range(8)])
    np.testing.assert_allclose(found, whiten(jnp.asarray(expected)), rtol=1e-4, atol=1e-4)


@dataclass(frozen=True)
class Edge(Probe):
    """A step is worth 1; an action above the edge ends the episode. Zero, where policies begin, is above."""

    length: int = 8
    ends: str = "truncated"

    def transition(self, key, state, actions, params):
        out = super().transition(key, state, actions, params)
        return out._replace(terminated=actions["agent"][0, 0] > -0.2)


@pytest.mark.parametrize("twin_critic", [True, False])
def test_who_fails_alone_loses_what_the_other_has_before_it(twin_critic):
    settings = SETTINGS | {"num_envs": 32, "gamma": 0.9}
    learner = MAPPO.create(Edge(), NoParams(), twin=True, twin_critic=twin_critic, **settings)
    state = learner.init(jax.random.key(0))
    for _ in range(40):
        state, _ = learner.update(state)
    assert learner.policy(state)({"agent": jnp.ones((1, 1))})["agent"][0, 0] < -0.3
