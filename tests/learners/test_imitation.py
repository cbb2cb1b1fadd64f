from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners import MAPPO

from .probes import NoParams, Probe, Target

SETTINGS = {"num_envs": 16, "num_steps": 8, "num_minibatches": 2, "hidden": (16,), "learning_rate": 5e-3}


@dataclass(frozen=True)
class Follow:
    """Half the signal, whatever is best."""

    def __call__(self, env: Probe, state, params) -> dict[str, jax.Array]:
        return {name: jnp.full((n, 1), 0.5) * state.signal for name, n in env.groups.items()}


def train(updates, **settings):
    learner = MAPPO.create(Target(), NoParams(), teacher=Follow(), **(SETTINGS | settings))
    state = learner.init(jax.random.key(0))
    metrics = {}
    for _ in range(updates):
        state, metrics = learner.update(state)
    return learner, state, metrics


def test_a_teacher_is_followed_at_first():
    learner, state, metrics = train(60, imitation_updates=1e6)
    assert metrics["imitation_loss"] < 1e-2
    action = learner.policy(state)(state.observation)
    for name, taught in jax.vmap(lambda s: Follow()(Target(), s, None))(state.env_state).items():
        np.testing.assert_allclose(action[name], taught, atol=0.15)


def test_imitation_fades_and_then_changes_nothing():
    learner, _, _ = train(0, imitation_updates=4.0)
    np.testing.assert_allclose([learner.imitation(jnp.int32(k)) for k in range(6)], [1, 1, 1, 0.5, 0, 0])
    _, with_teacher, metrics = train(3, imitation_updates=0.0)
    plain = MAPPO.create(Target(), NoParams(), **SETTINGS)
    state = plain.init(jax.random.key(0))
    for _ in range(3):
        state, _ = plain.update(state)
    assert metrics["first_ratio_deviation"] <= 1e-5
    for a, b in zip(jax.tree.leaves(with_teacher.params), jax.tree.leaves(state.params), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="imitation_updates: got -1"):
        MAPPO.create(Target(), NoParams(), imitation_updates=-1)
    with pytest.raises(ValueError, match=r"initial_log_std: got 3 numbers, expected 1"):
        MAPPO.create(Target(), NoParams(), initial_log_std=(0.0, 1.0, 2.0))
