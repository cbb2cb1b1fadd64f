"""Acting in all environments for the steps of one update."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from gridjax.learners import distribution
from gridjax.learners.policy import sample_actions
from gridjax.learners.train_state import Episodes, TrainState
from gridjax.learners.twin import Twin, meet, twin_step

if TYPE_CHECKING:
    from gridjax.learners.mappo import MAPPO

PerGroup = dict[str, jax.Array]


class Rollout(NamedTuple):
    """T steps of N environments; A counts the agents of all groups. Observations are the task's own."""

    observation: PerGroup  # [T, N, n_agents, n]
    global_state: jax.Array | None  # [T, N, n_state]; None with a local critic
    pre_tanh: PerGroup  # [T, N, n_agents, n_action]
    log_prob: jax.Array  # [T, N, A]
    reward: jax.Array  # [T, N, A]
    next_value: jax.Array  # [T, N, A], critic output at the state each step led to, before any reset
    terminated: jax.Array  # [T, N]
    truncated: jax.Array  # [T, N]
    twin: Twin | None  # its leaves [T, N, A]; None where there are no twins


def collect(
    learner: MAPPO, state: TrainState, key: jax.Array
) -> tuple[TrainState, Rollout, dict[str, jax.Array]]:
    """`num_steps` steps, with parameters and statistics as they are; also the means of what was logged."""
    env, params, layout = learner.env, learner.env_params, learner.layout

    def step(carry: Any, key: jax.Array) -> Any:
        env_state, observation, episodes, other = carry
        action_key, env_key = jax.random.split(key)
        heads: Any = learner.actor.apply(
            {"params": state.params["actor"]}, learner.scale_observation(state, observation)
        )
        pre_tanh = sample_actions(action_key, heads)
        log_prob = layout.join({name: distribution.log_prob(u, *heads[name]) for name, u in pre_tanh.items()})
        actions = {name: distribution.squash(u) for name, u in pre_tanh.items()}
        global_state = None
        if learner.central_critic:
            global_state = jax.vmap(env.global_state, (0, None))(env_state, params)
        keys = jax.random.split(env_key, learner.num_envs)
        after, env_state, reward, terminated, truncated, info = jax.vmap(env.step, (0, 0, 0, None))(
            keys, env_state, actions, params
        )
        # The auto-reset hides the state a step led to from the next one: its value is taken here.
        next_value = learner.evaluate(state, info["final_observation"], info["final_global_state"])
        reward = layout.join(reward)
        done, twin = terminated | truncated, None
        if learner.twin:
            *other, twin, other_done = twin_step(learner, state, keys, *other)
            other = meet(done | other_done, (env_state, after), tuple(other))
        record = Rollout(
            observation, global_state, pre_tanh, log_prob, reward, next_value, terminated, truncated, twin
        )
        episodes, ended = _count(episodes, reward, done)
        return (env_state, after, episodes, other), (record, _logged(info), ended)

    # twins set out from where the explorers are
    other = (state.env_state, state.observation) if learner.twin else None
    carry = (state.env_state, state.observation, state.episodes, other)
    carry, (rollout, logged, ended) = jax.lax.scan(step, carry, jax.random.split(key, learner.num_steps))
    env_state, observation, episodes, _ = carry
    state = replace(state, env_state=env_state, observation=observation, episodes=_finish(episodes, ended))
    return state, rollout, jax.tree.map(jnp.mean, logged)


def _logged(info: dict[str, Any]) -> dict[str, jax.Array]:
    """Means over the environments of every named metric and cost."""
    named = {f"{kind}/{name}": x for kind in ("metrics", "cost") for name, x in info[kind].items()}
    return {name: jnp.mean(x, dtype=jnp.float32) for name, x in named.items()}


def _count(episodes: Episodes, reward: jax.Array, done: jax.Array) -> tuple[Episodes, jax.Array]:
    """Running returns a step on; the sums of return, length and number of the episodes that ended `[3]`."""
    total = episodes.running_return + jnp.mean(reward, axis=-1)
    length = episodes.running_length + 1
    ended = jnp.stack([jnp.where(done, x, 0.0).sum() for x in (total, length, jnp.ones_like(total))])
    episodes = replace(
        episodes,
        running_return=jnp.where(done, 0.0, total),
        running_length=jnp.where(done, 0, length),
    )
    return episodes, ended


def _finish(episodes: Episodes, ended: jax.Array) -> Episodes:
    """Refresh the means over the last episodes if any ended in the rollout; `ended` is `[T, 3]`."""
    total, length, number = jnp.sum(ended, axis=0)
    share = 1.0 / jnp.maximum(number, 1.0)
    return replace(
        episodes,
        last_return=jnp.where(number > 0, share * total, episodes.last_return),
        last_length=jnp.where(number > 0, share * length, episodes.last_length),
        finished=episodes.finished + number.astype(jnp.int32),
    )
