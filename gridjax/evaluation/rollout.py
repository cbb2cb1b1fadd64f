"""Whole days on fixed scenarios: what a controller does there, and how well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs import Environment
from gridjax.envs.environment import Transition
from gridjax.learners import Policy

TOLERANCE = 1e-3  # p.u., of the metric `controllable_tolerant`

# (key, observations, state, params) -> actions of one environment. A `jax.tree_util.Partial` of such a
# function, whose leading arguments are pytrees, is compiled once for all values of those.
Act = Callable[[jax.Array, Any, Any, Any], dict[str, jax.Array]]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Recalling:
    """A controller with a memory; it stands wherever an `Act` may."""

    act: jax.tree_util.Partial  # (key, observations, state, params, memory) -> actions, memory
    memory: Any  # when a case begins


class Scores(NamedTuple):
    """Means over each day."""

    reward: jax.Array  # [n_day], mean reward per step and agent
    metrics: dict[str, jax.Array]  # [n_day] each
    cost: dict[str, jax.Array]  # [n_day] each
    failed: jax.Array  # [n_day], number of terminated steps


class Step(NamedTuple):
    """One step as it is played."""

    state: Any  # as it was when the actions were chosen
    observation: dict[str, jax.Array]  # [n_agents, n_entries] per group
    actions: dict[str, jax.Array]  # [n_agents, *shape] per group
    out: Transition  # what came of it, before any reset


class Trajectory(NamedTuple):
    """Every step of one day; leading axis `[n_step]`."""

    state: Any  # as it was when the action was chosen
    actions: dict[str, jax.Array]
    reward: dict[str, jax.Array]
    metrics: dict[str, jax.Array]
    after: Any  # state right after the action, before any reset


def act_with(
    policy: Policy, env: Environment | None = None, every: int = 1, seed: int | None = None
) -> Act | Recalling:
    """What a trained policy does, compiled once for all policies of its shape.

    Args:
        env: whose masks the policy heeds; needed where a task has choices that are masked.
        every: steps for which a policy that has a memory or is sampled, and knows no other pace than that of
            its training, keeps an action. Others act anew in every step.
        seed: None for the deterministic actions; else they are sampled, by a case's keys and this number.
    """
    draws = None if seed is None else jnp.uint32(seed)
    if not policy.recurrent and (draws is None or every == 1):
        return jax.tree_util.Partial(_Anew(env), policy, draws)
    unseen = {group.name: jnp.zeros((group.agents, group.observation)) for group in policy.layout.groups}
    first = jax.tree.map(jnp.zeros_like, policy.step(unseen, policy.memory())[0])
    return Recalling(
        jax.tree_util.Partial(_Paced(env, every), policy, draws), (policy.memory(), first, jnp.int32(0))
    )


@dataclass(frozen=True)
class _Anew:
    env: Environment | None

    def __call__(
        self, policy: Policy, draws: jax.Array | None, key: jax.Array, obs: Any, state: Any, params: Any
    ) -> Any:
        return policy(obs, _sampling(draws, key), _mask(self.env, state, params))


@dataclass(frozen=True)
class _Paced:
    """The memory is that of the policy, the actions it chose last, and the steps since."""

    env: Environment | None
    every: int

    def __call__(
        self,
        policy: Policy,
        draws: jax.Array | None,
        key: jax.Array,
        obs: Any,
        state: Any,
        params: Any,
        memory: Any,
    ) -> tuple[Any, Any]:
        kept, chosen, steps = memory
        now = steps % self.every == 0
        new = policy.step(obs, kept, _sampling(draws, key), _mask(self.env, state, params))
        chosen, kept = jax.tree.map(lambda a, b: jnp.where(now, a, b), new, (chosen, kept))
        return chosen, (kept, chosen, steps + 1)


def _sampling(draws: jax.Array | None, key: jax.Array) -> jax.Array | None:
    """The key to sample with; none for deterministic actions."""
    return None if draws is None else jax.random.fold_in(key, draws)


def _mask(env: Environment | None, state: Any, params: Any) -> Any:
    return None if env is None else env.action_mask(state, params)


def score_days(
    env: Environment,
    params: Any,
    act: Act | Recalling,
    days: np.ndarray,
    key: jax.Array,
    chunk: int = 60,
    done: Callable[[int], None] | None = None,
) -> Scores:
    """Run `act` through each whole day of `days` (of the year, `[n_day]`) from midnight; compiled, in chunks.

    `done(n)` is called after every chunk, with the number of days in it.
    """
    act = as_pytree(act)
    return in_chunks(lambda keys, rows: _score(env, act, keys, rows, params), days, key, chunk, done)


def record_days(
    env: Environment,
    params: Any,
    act: Act | Recalling,
    days: np.ndarray,
    key: jax.Array,
    chunk: int = 60,
    done: Callable[[int], None] | None = None,
) -> Scores:
    """The same days, with the same noise, as `score_days`, every step kept.

    Leaves of the scores are `[n_day, n_step, ...]`, metrics per agent included; `failed` is 0 or 1 per step.
    """
    act = as_pytree(act)
    return in_chunks(lambda keys, rows: _keep(env, act, keys, rows, params), days, key, chunk, done)


def in_chunks(
    run: Callable[[jax.Array, np.ndarray], Any],
    days: np.ndarray,
    key: jax.Array,
    chunk: int = 60,
    done: Callable[[int], None] | None = None,
) -> Any:
    """`run(keys, days)` of all days, each with a key of its own, put together on the host, `[n_day, ...]`."""
    days = np.asarray(days)
    if not days.size:
        raise ValueError("there are no cases to play")
    keys = case_keys(key, days)
    # every chunk the same size, so that one program serves them all: the last repeats its last day
    size = -(-days.size // -(-days.size // chunk))
    parts = []
    for first in range(0, days.size, size):
        rows = np.minimum(np.arange(first, first + size), days.size - 1)
        part = run(keys[rows], days[rows])
        number = min(size, days.size - first)
        parts.append(jax.tree.map(lambda x, n=number: np.asarray(x)[:n], part))
        if done is not None:
            done(number)
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


def case_keys(key: jax.Array, days: np.ndarray) -> jax.Array:
    """Keys `[n_day]` with which each of `days` is played: that of one shows it as it was scored."""
    return jax.random.split(key, np.size(days))


def as_pytree(act: Act | Recalling) -> Any:
    """`act` as a pytree, so that it can be an argument of a compiled function."""
    return act if isinstance(act, jax.tree_util.Partial | Recalling) else jax.tree_util.Partial(act)


@partial(jax.jit, static_argnums=0)
def _score(env: Environment, act: Act | Recalling, keys: jax.Array, days: jax.Array, params: Any) -> Scores:
    def one(key, day):
        steps = _day(env, act, key, day, params)
        return jax.tree.map(jnp.mean, steps)._replace(failed=jnp.sum(steps.failed))

    return jax.vmap(one)(keys, days)


@partial(jax.jit, static_argnums=0)
def _keep(env: Environment, act: Act | Recalling, keys: jax.Array, days: jax.Array, params: Any) -> Scores:
    return jax.vmap(partial(_day, env, act), in_axes=(0, 0, None))(keys, days, params)


def _day(env: Any, act: Any, key: jax.Array, day: jax.Array, params: Any) -> Scores:
    """Every step of a day, leaves `[n_step, ...]`."""

    def keep(step: Step, params: Any) -> Scores:
        out = step.out
        mean = jnp.mean(jnp.concatenate([jnp.ravel(value) for value in out.reward.values()]))
        failed = out.terminated.astype(jnp.float32)
        return Scores(mean, _tolerant(out.metrics, params), out.cost, failed)

    return play(env, act, key, day, params, keep)


def play(
    env: Any, act: Any, key: jax.Array, case: jax.Array, params: Any, keep: Callable[[Step, Any], Any]
) -> Any:
    """`keep(step, params of the case)` of every step of a case under `act`, leaves `[n_step, ...]`.

    All that is evaluated, recorded or drawn is played here, and so is the same with the same key. Where an
    episode ends within the case, another begins, and so does the memory of `act`.
    """
    params = env.on_case(params, case)
    key, reset_key = jax.random.split(key)
    act, first = recalling(act)

    def step(carry: Any, key: jax.Array) -> Any:
        state, memory = carry
        act_key, step_key = jax.random.split(key)
        seen = env.observe(state, params)
        actions, memory = act(act_key, seen, state, params, memory)
        out, after = env.advance(step_key, state, actions, params)
        done = out.terminated | out.truncated
        memory = jax.tree.map(lambda new, old: jnp.where(done, new, old), first, memory)
        return (after, memory), keep(Step(state, seen, actions, out), params)

    keys = jax.random.split(key, env.case_steps)
    return jax.lax.scan(step, (env.initial(reset_key, params), first), keys)[1]


def recalling(act: Any) -> tuple[Any, Any]:
    """Any controller as one with a memory, and what is in it at the beginning."""
    if isinstance(act, Recalling):
        return act.act, act.memory
    return (lambda key, obs, state, params, memory: (act(key, obs, state, params), memory)), ()


def _tolerant(metrics: dict[str, jax.Array], params: Any) -> dict[str, jax.Array]:
    """`metrics` with `controllable_tolerant`, where a task with a band reports extreme voltages but not that.

    An optimum may park buses on a limit, from where rounding pushes them over; 1e-3 p.u. is below what a
    class 0.2 voltage transformer tells apart.
    """
    told = {"voltage_min", "voltage_max", "converged"} <= metrics.keys() and hasattr(params, "voltage_low")
    if "controllable_tolerant" in metrics or not told:
        return metrics
    above = metrics["voltage_min"] >= params.voltage_low - TOLERANCE
    below = metrics["voltage_max"] <= params.voltage_high + TOLERANCE
    good = above & below & (metrics["converged"] > 0)
    return metrics | {"controllable_tolerant": good.astype(jnp.float32)}


def record_day(env: Environment, params: Any, act: Act | Recalling, day: int, key: jax.Array) -> Trajectory:
    """Run `act` through one whole day and keep every step, for figures."""
    return _record(env, as_pytree(act), key, jnp.int32(day), params)


@partial(jax.jit, static_argnums=0)
def _record(env: Any, act: Any, key: jax.Array, day: jax.Array, params: Any) -> Trajectory:
    def keep(step: Step, _: Any) -> Trajectory:
        out = step.out
        return Trajectory(step.state, step.actions, out.reward, out.metrics, out.state)

    return play(env, act, key, day, params, keep)
