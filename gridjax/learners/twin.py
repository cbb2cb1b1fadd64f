"""The twin of an environment: the same steps, with the same keys, under the policy without exploration.

Weather, demand and prices are the same for both, whatever the agents do. What the twin earns is therefore a
baseline that no action of the explorer moves, and their difference is what exploration did: the advantage
loses the variance of everything that happens anyway (common random numbers; the input-dependent baseline of
Mao et al., arXiv:1807.02264, measured instead of learned). It costs a second power flow per step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from gridjax.learners.train_state import TrainState

if TYPE_CHECKING:
    from gridjax.learners.mappo import MAPPO

PerGroup = dict[str, jax.Array]


class Twin(NamedTuple):
    """What a step of the twins was worth."""

    reward: jax.Array  # [N, A]
    cost: jax.Array  # [N, K - 1]
    value: jax.Array  # [N, A, K], critic output at the state before
    next_value: jax.Array  # [N, A, K], at the state it led to, before any reset
    terminated: jax.Array  # [N]
    truncated: jax.Array  # [N]


def step_both(
    learner: MAPPO,
    state: TrainState,
    keys: jax.Array,
    explorer: tuple[Any, PerGroup],
    twin: tuple[Any, PerGroup, dict[str, Any]],
) -> tuple[Any, tuple[Any, PerGroup, dict[str, Any]], Twin]:
    """One step of all environments and of their twins, leaves `[N, ...]`.

    Takes states and actions of the explorers; states, observations and memory of the twins. Returns what
    `env.step` gave of the explorers, where the twins are then, and what their step was worth.
    """
    env, params = learner.env, learner.env_params
    env_state, observation, memory = twin
    mask = jax.vmap(env.action_mask, (0, None))(env_state, params)
    actions, actor_memory = learner.policy(state).step(observation, memory["actor"], mask=mask)
    global_state = None
    if learner.central_critic:
        global_state = jax.vmap(env.global_state, (0, None))(env_state, params)
    value, critic_memory = learner.evaluate(state, observation, global_state, memory["critic"])

    # One program steps the ones, then the others: it is compiled once, and both at once leave a CPU's caches
    # where a state is large. They are stacked, not joined, so that environments that are divided among
    # devices stay where they are.
    both = jax.tree.map(lambda mine, its: jnp.stack([mine, its]), explorer, (env_state, actions))
    step = jax.vmap(env.step, (0, 0, 0, None))
    stepped = jax.lax.map(lambda each: step(keys, each[0], each[1], params), both)
    mine, its = (jax.tree.map(lambda x, k=k: x[k], stepped) for k in range(2))

    observation, env_state, reward, terminated, truncated, info = its
    next_value, _ = learner.evaluate(
        state, info["final_observation"], info["final_global_state"], critic_memory
    )
    cost = learner.bounded(info["cost"], terminated.shape)
    worth = Twin(learner.layout.join(reward), cost, value, next_value, terminated, truncated)
    # where an episode ends the twin meets the explorer, whose memory begins anew
    return mine, (env_state, observation, {"actor": actor_memory, "critic": critic_memory}), worth


def meet(done: jax.Array, explorer: Any, twin: Any) -> Any:
    """The twin, where an episode of either ended (`[N]`) again where the explorer is."""
    return jax.tree.map(
        lambda mine, its: jnp.where(done.reshape(-1, *(1,) * (mine.ndim - 1)), mine, its), explorer, twin
    )
