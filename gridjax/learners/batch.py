"""From a rollout to the samples that an update learns from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from gridjax.learners import losses
from gridjax.learners.advantage import generalised_advantage
from gridjax.learners.head import Drawn
from gridjax.learners.rollout import PerGroup, Rollout
from gridjax.learners.train_state import TrainState
from gridjax.learners.unroll import unroll

if TYPE_CHECKING:
    from gridjax.learners.mappo import MAPPO


class Batch(NamedTuple):
    """B samples; inputs and values are normalised.

    Without a memory a sample is one environment step with all its agents, and T is 1. With one it is the T
    steps of an environment, which networks go through in their order.
    """

    observation: PerGroup  # [T, B, n_agents, n]
    global_state: jax.Array | None  # [T, B, n_state]
    drawn: dict[str, Drawn]  # [T, B, n_agents, n]
    mask: PerGroup  # [T, B, n_agents, ...]
    log_prob: jax.Array  # [T, B, A]
    advantage: jax.Array  # [T, B, A]
    value: jax.Array  # [T, B, A, K]
    target: jax.Array  # [T, B, A, K]
    done: jax.Array  # [T, B]
    memory: dict[str, Any]  # [1, B, ...], of actor and critic before the first step


def prepare(
    learner: MAPPO, state: TrainState, rollout: Rollout
) -> tuple[Batch, jax.Array, dict[str, jax.Array]]:
    """The samples to learn from, the returns `[T, N, A, K]`, and metrics of the rollout (scalars).

    `state` holds the parameters and statistics that acted: value and next value share them.
    """
    # Normalised once here and reused in every epoch.
    observation = learner.scale_observation(state, rollout.observation)
    global_state = learner.scale_global(state, rollout.global_state) if learner.central_critic else None
    done = rollout.terminated | rollout.truncated
    output = values_of(learner, state.params, observation, global_state, rollout.memory["critic"], done)
    mean, std = return_scale(learner, state)
    value = output * std + mean
    decay = learner.layout.per_agent(learner.gae_lambda)[:, None]
    # a task whose horizon is its episode owes nothing beyond it
    ended = (done if learner.finite_horizon else rollout.terminated)[..., None, None]
    paid = streams(rollout.reward, rollout.cost, learner.reward_sharing)
    next_value = rollout.next_value * std + mean
    advantage = generalised_advantage(
        paid, value, next_value, ended, rollout.truncated[..., None, None], learner.gamma, decay
    )
    returns = advantage + value
    if rollout.twin is not None:
        twin = rollout.twin
        scale = std if learner.twin_critic else jnp.zeros_like(std)
        twin_done = twin.terminated | twin.truncated
        twin_ended = (twin_done if learner.finite_horizon else twin.terminated)[..., None, None]
        # where one of the two is at its end, what the other still has before it is the difference
        alone = jnp.where(ended, 0.0, next_value) - jnp.where(twin_ended, 0.0, twin.next_value * std + mean)
        advantage = generalised_advantage(
            paid - streams(twin.reward, twin.cost, learner.reward_sharing),
            (output - twin.value) * scale,
            jnp.where(ended | twin_ended, alone, (rollout.next_value - twin.next_value) * scale),
            jnp.zeros_like(ended),
            (done | twin_done)[..., None, None],
            learner.gamma,
            decay,
        )
    layout = learner.layout
    metrics = {
        **_value_metrics(learner, value, returns),
        "value": jnp.mean(value[..., 0]),
        "reward": jnp.mean(rollout.reward),
    }
    if len(layout.groups) > 1:
        metrics |= {f"reward/{name}": jnp.mean(x) for name, x in layout.split(rollout.reward).items()}
    batch = Batch(
        observation=observation,
        global_state=global_state,
        drawn=rollout.drawn,
        mask=rollout.mask,
        log_prob=rollout.log_prob,
        # Groups may be paid on scales of their own: each is whitened by itself.
        advantage=layout.join(
            {
                name: whiten(x, clip)
                for (name, x), clip in zip(
                    layout.split(weighed(advantage, std, state.multipliers)).items(),
                    layout.per_group(learner.advantage_clip),
                )
            }
        ),
        value=output,
        target=(returns - mean) / std,
        done=done,
        memory=jax.tree.map(lambda x: x[None], rollout.memory),
    )
    if not learner.recurrent:
        batch = jax.tree.map(lambda x: x.reshape(1, -1, *x.shape[2:]), batch)
    return batch, returns, metrics


def values_of(
    learner: MAPPO,
    params: dict[str, Any],
    observation: PerGroup,
    global_state: jax.Array | None,
    memory: Any,
    done: jax.Array,
) -> jax.Array:
    """Normalised values `[T, B, A, K]` of steps that follow one another."""

    def apply(seen: Any, memory: Any) -> Any:
        observation, global_state = seen
        return learner.critic_output(params, observation, global_state, memory)

    return unroll(apply, (observation, global_state), memory, done)


def _value_metrics(learner: MAPPO, value: jax.Array, returns: jax.Array) -> dict[str, jax.Array]:
    """Of the reward's values, also by group where there are several; and of every bounded cost's."""
    layout = learner.layout
    metrics = losses.value_diagnostics(value[..., 0], returns[..., 0])
    if len(layout.groups) > 1:
        groups, realised = layout.split(value[..., 0]), layout.split(returns[..., 0])
        for group, x in groups.items():
            found = losses.value_diagnostics(x, realised[group])
            metrics |= {f"{name}/{group}": number for name, number in found.items()}
    for k, cost in enumerate(learner.cost_bounds or (), start=1):
        found = losses.value_diagnostics(value[..., k], returns[..., k])
        metrics |= {f"cost_{name}/{cost}": number for name, number in found.items()}
    return metrics


def streams(reward: jax.Array, cost: jax.Array, sharing: jax.Array | float) -> jax.Array:
    """Reward `[..., A]`, shared, and costs `[..., K - 1]`, which are everybody's: `[..., A, K]`."""
    reward = shared_reward(reward, sharing)
    costs = jnp.broadcast_to(cost[..., None, :], (*reward.shape, cost.shape[-1]))
    return jnp.concatenate([reward[..., None], costs], axis=-1)


def weighed(advantage: jax.Array, std: jax.Array, multipliers: jax.Array) -> jax.Array:
    """Advantages `[..., A, K]` of the reward less those of the costs by their multipliers: `[..., A]`.

    Reward and costs are measured in standard deviations of their returns, `std` `[A, K]`, so that multipliers
    are numbers around one whatever the units; divided by the sum of all weights.
    """
    if not multipliers.shape[0]:
        return advantage[..., 0]
    scaled = advantage / std
    return (scaled[..., 0] - scaled[..., 1:] @ multipliers) / (1.0 + jnp.sum(multipliers))


def shared_reward(reward: jax.Array, sharing: jax.Array | float) -> jax.Array:
    """Rewards `[..., A]` of which the share `sharing` is replaced by the mean over the agents."""
    return reward + sharing * (jnp.mean(reward, axis=-1, keepdims=True) - reward)


def return_scale(learner: MAPPO, state: TrainState) -> tuple[jax.Array, jax.Array]:
    """Mean and standard deviation of the returns of every agent's group, `[A, K]` each."""
    groups, stats = learner.layout.groups, state.value_stats

    def of_agents(name: str) -> jax.Array:
        each = {g.name: getattr(stats[g.name], name) for g in groups}
        return learner.layout.join(
            {g.name: jnp.broadcast_to(each[g.name], (g.agents, each[g.name].size)) for g in groups}, axis=-2
        )

    return of_agents("mean"), of_agents("std")


def whiten(advantage: jax.Array, clip: jax.Array | float | None = None) -> jax.Array:
    """Zero mean and unit deviation over all samples, cut first at `clip` mean absolute deviations."""
    if clip is not None:
        middle = jnp.mean(advantage)
        spread = clip * jnp.mean(jnp.abs(advantage - middle))
        advantage = jnp.clip(advantage, middle - spread, middle + spread)
    return (advantage - jnp.mean(advantage)) / (jnp.std(advantage) + 1e-8)
