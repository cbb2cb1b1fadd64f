"""Episodes are functions of the key, and one compiled step runs them all."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from gridjax.envs.environment import Environment
from gridjax.testing.compare import bits, differ

_STEPS = 8
_EPISODES = 8


def check_keys(env: Environment, params: Any, keys: jax.Array, actions: Any, batch: Any) -> None:
    """Compare episodes run alone, step by step, with one another and with those of `check_episodes`.

    keys: of the rows of `batch`. actions: `[n_row, n_step, n_agents, ...]` per group. batch: what a reset
    returned, `[n_row, ...]`, and observation and reward of every step, `[n_row, n_step, ...]`.
    """
    traces = []

    def step(*args):
        traces.append(1)
        return env.step(*args)

    reset, step = jax.jit(env.reset), jax.jit(step)

    def alone(key, row):
        reset_key, key = jax.random.split(key)
        first = obs, state = reset(reset_key, params)
        taken = []
        for k, step_key in enumerate(jax.random.split(key, steps)[:_STEPS]):
            action = jax.tree.map(lambda x, k=k: x[row, k], actions)
            obs, state, reward, *_ = step(step_key, state, action, params)
            taken.append((obs, reward))
        taken = jax.tree.map(lambda *leaves: np.stack(leaves), *taken)
        return jax.tree.map(lambda leaf: np.asarray(bits(leaf)), (first, taken))

    steps = jax.tree.leaves(actions)[0].shape[1]
    episodes = [alone(keys[0], 0), alone(keys[1], 1)]
    assert len(traces) == 1, f"step was compiled {len(traces)} times for one sequence of steps"
    again = jax.tree.map(lambda a, b: np.array_equal(a, b, equal_nan=True), episodes[0], alone(keys[0], 0))
    assert all(jax.tree.leaves(again)), "one key gave two episodes: randomness comes from outside the key"

    first, taken = batch
    batch = (first, jax.tree.map(lambda leaf: np.asarray(leaf)[:, :_STEPS], taken))
    batch = jax.tree.map(lambda leaf: np.asarray(bits(leaf)), batch)
    for row, expected in enumerate(episodes):
        for (path, leaf), value in zip(jax.tree_util.tree_leaves_with_path(batch), jax.tree.leaves(expected)):
            where = jax.tree_util.keystr(path)
            assert not differ(leaf[row], value), (
                f"a key gives another episode in a batch than alone (at {where})"
            )

    # the same actions whatever the key: what differs is the task's own doing
    several = [alone(key, 0) for key in jax.random.split(keys[0], _EPISODES)]
    same = jax.tree.map(lambda *leaves: all(np.array_equal(leaf, leaves[0]) for leaf in leaves), *several)
    varied = not all(jax.tree.leaves(same))
    assert varied, f"{_EPISODES} keys gave the same episode: neither reset nor step depends on its key"
