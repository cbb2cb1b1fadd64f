"""Everything that changes in training: saved whole, it makes a resumed run equal an uninterrupted one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from gridjax.learners.normalise import RunningStats


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Episodes:
    """Returns and lengths: of the episodes under way `[num_envs]`, and the means over those that ended last.

    A return is the sum over an episode of the reward averaged over all agents.
    """

    running_return: jax.Array
    running_length: jax.Array
    last_return: jax.Array
    last_length: jax.Array
    finished: jax.Array  # [], int32, in all


def no_episodes(num_envs: int) -> Episodes:
    """At the start of training."""
    zero = jnp.zeros(())
    return Episodes(jnp.zeros(num_envs), jnp.zeros(num_envs, jnp.int32), zero, zero, jnp.zeros((), jnp.int32))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TrainState:
    """Parameters, optimiser, normalisers, environments, key and counters, one pytree."""

    params: dict[str, Any]  # "actor" and "critic"
    optimiser: Any
    observation_stats: dict[str, RunningStats]  # [n] per group
    global_stats: RunningStats  # [n_state]
    value_stats: dict[str, RunningStats]  # [K] per group, of returns
    multipliers: jax.Array  # [K - 1], of bounded costs, at least 0
    env_state: Any  # [num_envs, ...]
    observation: dict[str, jax.Array]  # [num_envs, n_agents, n] per group
    memory: dict[str, Any]  # of "actor" and "critic", [num_envs, ...]; empty where they have none
    episodes: Episodes
    key: jax.Array  # [], of what is random from now on
    updates: jax.Array  # [], int32: updates done; times num_envs * num_steps, the steps trained on
