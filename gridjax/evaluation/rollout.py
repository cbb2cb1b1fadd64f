"""Whole days on fixed scenarios: what a controller does there, and how well."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs import Environment

# (key, observations, state, params) -> actions of one environment
Act = Callable[[jax.Array, Any, Any, Any], dict[str, jax.Array]]


class Scores(NamedTuple):
    """Means over each day."""

    reward: jax.Array  # [n_day], mean reward per step and agent
    metrics: dict[str, jax.Array]  # [n_day] each
    cost: dict[str, jax.Array]  # [n_day] each
    failed: jax.Array  # [n_day], number of terminated steps


class Trajectory(NamedTuple):
    """Every step of one day; leading axis `[n_step]`."""

    state: Any  # as it was when the action was chosen
    actions: dict[str, jax.Array]
    reward: dict[str, jax.Array]
    metrics: dict[str, jax.Array]
    after: Any  # state right after the action, before any reset


def score_days(
    env: Environment, params: Any, act: Act, days: np.ndarray, key: jax.Array, chunk: int = 60
) -> Scores:
    """Run `act` through each whole day of `days` (days of the year) from midnight; compiled, in chunks."""
    days = np.asarray(days)
    keys = jax.random.split(key, days.size)
    run = jax.jit(jax.vmap(partial(_day, env, act), in_axes=(0, 0, None)))
    parts = [run(keys[k : k + chunk], days[k : k + chunk], params) for k in range(0, days.size, chunk)]
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *parts)


def _day(env, act: Act, key, day, params) -> Scores:
    params = env.on_day(params, day)
    key, reset_key = jax.random.split(key)
    obs, state = env.reset(reset_key, params)

    def step(carry, key):
        obs, state = carry
        act_key, step_key = jax.random.split(key)
        actions = act(act_key, obs, state, params)
        obs, state, reward, terminated, _, info = env.step(step_key, state, actions, params)
        mean = jnp.mean(jnp.concatenate([jnp.ravel(value) for value in reward.values()]))
        return (obs, state), Scores(mean, info["metrics"], info["cost"], terminated.astype(jnp.float32))

    _, steps = jax.lax.scan(step, (obs, state), jax.random.split(key, env.steps_per_day))
    return jax.tree.map(jnp.mean, steps)._replace(failed=jnp.sum(steps.failed))


def record_day(env: Environment, params: Any, act: Act, day: int, key: jax.Array) -> Trajectory:
    """Run `act` through one whole day and keep every step, for figures."""

    @jax.jit
    def run(key, params):
        params = env.on_day(params, day)
        key, reset_key = jax.random.split(key)
        _, state = env.reset(reset_key, params)

        def step(state, key):
            act_key, step_key = jax.random.split(key)
            actions = act(act_key, env.observe(state, params), state, params)
            out = env.transition(step_key, state, actions, params)
            return out.state, Trajectory(state, actions, out.reward, out.metrics, out.state)

        return jax.lax.scan(step, state, jax.random.split(key, env.steps_per_day))[1]

    return run(key, params)
