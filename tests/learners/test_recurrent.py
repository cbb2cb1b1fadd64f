"""Memory in training: what a plain program says of values, returns and resets, step by step."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners import MAPPO
from gridjax.learners.batch import prepare
from gridjax.learners.normalise import EPSILON
from gridjax.learners.rollout import collect
from gridjax.learners.unroll import forget, unroll

from .probes import NoParams, Recall

GAMMA, LAMBDA, STEPS, ENVS = 0.9, 0.8, 8, 4
SETTINGS = {
    "architecture": "gru",
    "hidden": (6,),
    "num_envs": ENVS,
    "num_steps": STEPS,
    "num_minibatches": 2,
    "gamma": GAMMA,
    "gae_lambda": LAMBDA,
    "normalise_observations": False,
    "normalise_values": False,
}


def gated(given, memory, x):
    """Values of the central critic and its memory after: the formulas of the network in NumPy."""
    first, cell, last = given["Layer_0"], given["memory"], given["Layer_1"]
    x = np.tanh(x @ first["kernel"] + first["bias"])
    inside = {name: x @ cell["i" + name]["kernel"] + cell["i" + name]["bias"] for name in "rzn"}
    kept = {name: memory @ cell["h" + name]["kernel"] for name in "rzn"}
    reset, update = (1.0 / (1.0 + np.exp(-inside[name] - kept[name])) for name in "rz")
    new = np.tanh(inside["n"] + reset * (kept["n"] + cell["hn"]["bias"]))
    memory = (1.0 - update) * new + update * memory
    return memory @ last["kernel"] + last["bias"], memory


def wide(tree):
    """In float64."""
    return jax.tree.map(lambda x: x.astype(jnp.float64) if x.dtype == jnp.float32 else x, tree)


@pytest.mark.parametrize("ends", ["truncated", "terminated"])
def test_returns_agree_with_a_plain_program(ends):
    """Episodes of three steps in rollouts of eight: the second rollout begins within an episode."""
    with jax.enable_x64(True):
        learner = MAPPO.create(Recall(sizes=(("agent", 2),), ends=ends), NoParams(), **SETTINGS)
        state = learner.init(jax.random.key(0))
        # outputs that are not all nearly zero
        params = jax.tree.map(lambda x: x + 0.3 * jnp.sin(jnp.arange(x.size)).reshape(x.shape), state.params)
        state = replace(state, params=wide(params), memory=wide(state.memory), episodes=wide(state.episodes))
        gather = jax.jit(collect)
        state, first, _ = gather(learner, state, jax.random.key(1))
        _, second, _ = gather(learner, state, jax.random.key(2))
        returns = [np.asarray(prepare(learner, state, rollout)[1])[..., 0] for rollout in (first, second)]
        critic = jax.tree.map(np.asarray, state.params["critic"]["Recurrent_0"])
        rollouts = [jax.tree.map(np.asarray, rollout) for rollout in (first, second)]

    memory, time = np.zeros((ENVS, 6)), 0
    unit = np.sqrt(1.0 + EPSILON)  # of values, without their normalisation
    for rollout, found in zip(rollouts, returns):
        values, following, over = [], [], []
        for step in range(STEPS):
            value, memory = gated(critic, memory, rollout.global_state[step])
            time += 1
            # what is seen after the last step is 0, as it is after all but a reset
            next_value, _ = gated(critic, memory, np.zeros((ENVS, 1)))
            done = time % 3 == 0
            values.append(unit * value)
            following.append(unit * next_value)
            over.append(done)
            memory = np.zeros_like(memory) if done else memory
        advantage, expected = 0.0, np.zeros((STEPS, ENVS, 2))
        for step in reversed(range(STEPS)):
            goes_on = 0.0 if over[step] and ends == "terminated" else 1.0
            delta = rollout.reward[step] + GAMMA * goes_on * following[step] - values[step]
            advantage = delta + GAMMA * LAMBDA * (1.0 - over[step]) * advantage
            expected[step] = advantage + values[step]
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_a_rollout_goes_on_from_the_memory_of_the_last_one():
    learner = MAPPO.create(Recall(length=100), NoParams(), **SETTINGS)
    state = learner.init(jax.random.key(0))
    after, first, _ = jax.jit(collect)(learner, state, jax.random.key(1))
    _, second, _ = jax.jit(collect)(learner, after, jax.random.key(2))
    assert not np.any(first.memory["actor"]["agent"])
    np.testing.assert_array_equal(second.memory["actor"]["agent"], after.memory["actor"]["agent"])
    assert np.all(np.any(np.asarray(second.memory["critic"]["state"]) != 0.0, axis=-1))


def test_unrolled_is_step_by_step_with_resets_on_the_boundary_itself():
    def count(seen, memory):
        return memory + seen, memory + seen

    seen = jnp.ones((5, 2))
    done = jnp.zeros((5, 2), bool).at[1, 0].set(True)
    found = unroll(count, seen, jnp.asarray([3.0, 3.0]), done)
    np.testing.assert_array_equal(found, [[4, 4], [5, 5], [1, 6], [2, 7], [3, 8]])
    np.testing.assert_array_equal(forget({"a": jnp.ones((2, 3))}, done[1])["a"], [[0] * 3, [1] * 3])
    # without a memory all at once
    np.testing.assert_array_equal(unroll(lambda x, m: (2 * x, m), seen, {}, done), 2 * seen)
