"""Acting in all environments for the steps of one update."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from gridjax.learners.head import Drawn, actions_of, draw
from gridjax.learners.train_state import Episodes, TrainState
from gridjax.learners.twin import Twin, meet, step_both
from gridjax.learners.unroll import forget

if TYPE_CHECKING:
    from gridjax.learners.mappo import MAPPO

PerGroup = dict[str, jax.Array]


class Rollout(NamedTuple):
    """T steps of N environments; A counts the agents of all groups. Observations are the task's own."""

    observation: PerGroup  # [T, N, n_agents, n]
    global_state: jax.Array | None  # [T, N, n_state]; None with a local critic
    drawn: dict[str, Drawn]  # [T, N, n_agents, n]
    mask: PerGroup  # bool [T, N, n_agents, ...]; of groups with choices that the task masks
    log_prob: jax.Array  # [T, N, A]
    reward: jax.Array  # [T, N, A]
    cost: jax.Array  # [T, N, K - 1], those that are bounded
    next_value: jax.Array  # [T, N, A, K], critic output at the state each step led to, before any reset
    terminated: jax.Array  # [T, N]
    truncated: jax.Array  # [T, N]
    memory: dict[str, Any]  # of actor and critic before the first step, [N, ...]
    twin: Twin | None  # its leaves with leading [T]; None where there are no twins


def collect(
    learner: MAPPO, state: TrainState, key: jax.Array
) -> tuple[TrainState, Rollout, dict[str, jax.Array]]:
    """`num_steps` steps, with parameters and statistics as they are; also the means of what was logged."""
    env, params, layout, heads = learner.env, learner.env_params, learner.layout, learner.actor.heads

    def step(carry: Any, key: jax.Array) -> Any:
        env_state, observation, memory, episodes, other = carry
        action_key, env_key = jax.random.split(key)
        seen = learner.scale_observation(state, observation)
        outputs, actor_memory = learner.actor_output(state.params, seen, memory["actor"])
        mask = jax.vmap(env.action_mask, (0, None))(env_state, params)
        drawn = draw(heads, action_key, outputs, mask)
        log_prob = layout.join(log_probs(learner, drawn, outputs, mask))
        global_state = None
        if learner.central_critic:
            global_state = jax.vmap(env.global_state, (0, None))(env_state, params)
        # what a critic without a memory makes of it is not needed before learning
        _, critic_memory = learner.evaluate(state, observation, global_state, memory["critic"])
        keys = jax.random.split(env_key, learner.num_envs)
        explorer, twin = (env_state, actions_of(heads, drawn)), None
        if learner.twin:
            stepped, other, twin = step_both(learner, state, keys, explorer, other)
        else:
            stepped = jax.vmap(env.step, (0, 0, 0, None))(keys, *explorer, params)
        after, env_state, reward, terminated, truncated, info = stepped
        # The auto-reset hides the state a step led to from the next one: its value is taken here, with what
        # is remembered of its own episode.
        next_value, _ = learner.evaluate(
            state, info["final_observation"], info["final_global_state"], critic_memory
        )
        reward = layout.join(reward)
        done = terminated | truncated
        memory = forget({"actor": actor_memory, "critic": critic_memory}, done)
        if twin is not None:
            ended = done | twin.terminated | twin.truncated
            other = meet(ended, (env_state, after, memory), other)
        record = Rollout(
            observation,
            global_state,
            drawn,
            mask,
            log_prob,
            reward,
            learner.bounded(info["cost"], done.shape),
            next_value,
            terminated,
            truncated,
            {},
            twin,
        )
        episodes, ended = _count(episodes, reward, done)
        return (env_state, after, memory, episodes, other), (record, _logged(info), ended)

    # twins set out from where the explorers are
    here = (state.env_state, state.observation, state.memory)
    carry = (*here, state.episodes, here if learner.twin else None)
    carry, (rollout, logged, ended) = jax.lax.scan(step, carry, jax.random.split(key, learner.num_steps))
    env_state, observation, memory, episodes, _ = carry
    rollout = rollout._replace(memory=state.memory)
    state = replace(
        state,
        env_state=env_state,
        observation=observation,
        memory=memory,
        episodes=_finish(episodes, ended),
    )
    return state, rollout, jax.tree.map(jnp.mean, logged)


def log_probs(learner: MAPPO, drawn: dict[str, Drawn], outputs: dict[str, Any], mask: PerGroup) -> PerGroup:
    """Log-probabilities of what was drawn, `[..., n_agents]` per group."""
    heads = learner.actor.heads
    return {name: heads[name].log_prob(one, outputs[name], mask.get(name)) for name, one in drawn.items()}


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
