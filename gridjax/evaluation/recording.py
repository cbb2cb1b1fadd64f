"""Cases kept whole: what agents saw and did, what came of it, and what the critic had foretold."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs import Environment
from gridjax.evaluation.rollout import Act, Recalling, Step, as_pytree, in_chunks, play
from gridjax.learners import MAPPO, TrainState
from gridjax.learners.batch import return_scale, streams


class Recording(NamedTuple):
    """Every step of cases, leaves `[n_case, n_step, ...]`."""

    observation: dict[str, Any]  # [..., n_agents, n] per group
    action: dict[str, Any]  # [..., n_agents, n] per group, or as the task has it
    reward: dict[str, Any]  # [..., n_agents] per group
    cost: dict[str, Any]  # [...] by name
    metrics: dict[str, Any]  # [...] or [..., n] by name
    terminated: Any  # bool [...]


class Forecast(NamedTuple):
    """What a critic said of every step, and what was paid, leaves `[n_case, n_step, ...]`.

    A counts the agents of all groups in their order, K the streams that are valued: the reward, then every
    bounded cost, in units of the task.
    """

    value: Any  # [..., A, K], before the action
    next_value: Any  # [..., A, K], of the state it led to, before any reset
    paid: Any  # [..., A, K]
    terminated: Any  # bool [...]
    truncated: Any  # bool [...]


def record_cases(
    env: Environment, params: Any, act: Act | Recalling, cases: np.ndarray, key: jax.Array, chunk: int = 60
) -> Recording:
    """Play `act` through whole cases of `env.on_case`, with the noise that `score_days` has; on the host."""
    act = as_pytree(act)
    return in_chunks(lambda keys, rows: _record(env, act, keys, rows, params), cases, key, chunk)


def record_forecast(
    learner: MAPPO, state: TrainState, params: Any, cases: np.ndarray, key: jax.Array, chunk: int = 60
) -> Forecast:
    """Play the policy of `state` through whole cases as it is trained, exploring; on the host.

    A critic values the policy that explores, in the learner's own environment and at its pace: no other play
    would show how well it does.
    """
    # of the training state only networks and statistics are needed
    unused: Any = dict.fromkeys(("optimiser", "env_state", "observation", "memory", "episodes", "key"))
    state = replace(state, **unused)
    return in_chunks(lambda keys, rows: _forecast(learner, state, keys, rows, params), cases, key, chunk)


@partial(jax.jit, static_argnums=0)
def _record(env: Any, act: Any, keys: jax.Array, rows: jax.Array, params: Any) -> Recording:
    def keep(step: Step, _: Any) -> Recording:
        out = step.out
        return Recording(step.observation, step.actions, out.reward, out.cost, out.metrics, out.terminated)

    return jax.vmap(lambda key, row: play(env, act, key, row, params, keep))(keys, rows)


@jax.jit
def _forecast(learner: MAPPO, state: TrainState, keys: jax.Array, rows: jax.Array, params: Any) -> Forecast:
    env: Any = learner.env
    policy = learner.policy(state)
    mean, std = return_scale(learner, state)

    def one(key: jax.Array, row: jax.Array) -> Forecast:
        on_case = env.on_case(params, row)
        key, reset_key = jax.random.split(key)
        obs, env_state = env.reset(reset_key, on_case)

        def step(carry: Any, key: jax.Array) -> Any:
            obs, env_state, (remembered, critic_memory) = carry
            act_key, step_key = jax.random.split(key)
            mask = env.action_mask(env_state, on_case)
            actions, remembered = policy.step(obs, remembered, act_key, mask)
            seen = env.global_state(env_state, on_case) if learner.central_critic else None
            value, critic_memory = learner.evaluate(state, obs, seen, critic_memory)
            obs, env_state, reward, terminated, truncated, info = env.step(
                step_key, env_state, actions, on_case
            )
            final = (info["final_observation"], info["final_global_state"])
            next_value, _ = learner.evaluate(state, *final, critic_memory)
            cost = learner.bounded(info["cost"], ())
            paid = streams(learner.layout.join(reward), cost, learner.reward_sharing)
            memory = jax.tree.map(
                lambda x: jnp.where(terminated | truncated, 0.0, x), (remembered, critic_memory)
            )
            kept = Forecast(value * std + mean, next_value * std + mean, paid, terminated, truncated)
            return (obs, env_state, memory), kept

        memory = (policy.memory(), learner.critic.memory())
        return jax.lax.scan(step, (obs, env_state, memory), jax.random.split(key, env.case_steps))[1]

    return jax.vmap(one)(keys, rows)
