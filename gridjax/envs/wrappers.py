"""Environments around environments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp

from gridjax.envs.environment import Environment, PerGroup, Transition
from gridjax.envs.spaces import Box, Space


@dataclass(frozen=True)
class Wrapper(Environment[Any, Any]):
    """The task of `env`; a subclass says in what it differs.

    Whatever else the task offers is reached through the wrapper.
    """

    env: Environment

    def __getattr__(self, name: str) -> Any:
        # private names are looked up while copying and unpickling, before `env` is there
        if name.startswith("_") or name == "env":
            raise AttributeError(name)
        return getattr(self.env, name)

    @property
    def name(self) -> str:
        return self.env.name

    @property
    def groups(self) -> Mapping[str, int]:
        return self.env.groups

    def initial(self, key: jax.Array, params: Any) -> Any:
        return self.env.initial(key, params)

    def transition(self, key: jax.Array, state: Any, actions: PerGroup, params: Any) -> Transition:
        return self.env.transition(key, state, actions, params)

    def observe(self, state: Any, params: Any) -> PerGroup:
        return self.env.observe(state, params)

    def global_state(self, state: Any, params: Any) -> jax.Array:
        return self.env.global_state(state, params)

    def observation_space(self, params: Any) -> dict[str, Box]:
        return self.env.observation_space(params)

    def action_space(self, params: Any) -> dict[str, Space]:
        return self.env.action_space(params)

    def observation_labels(self, params: Any) -> dict[str, tuple[str, ...]]:
        return self.env.observation_labels(params)

    def action_labels(self, params: Any) -> dict[str, tuple[str, ...]]:
        return self.env.action_labels(params)

    def metric_labels(self, params: Any) -> dict[str, str]:
        return self.env.metric_labels(params)

    def cost_labels(self, params: Any) -> dict[str, str]:
        return self.env.cost_labels(params)

    def action_mask(self, state: Any, params: Any) -> PerGroup:
        return self.env.action_mask(state, params)

    def neighbours(self, params: Any) -> jax.Array | None:
        return self.env.neighbours(params)

    def staggered(self, params: Any) -> Any:
        return self.env.staggered(params)

    def on_case(self, params: Any, case: jax.Array | int) -> Any:
        return self.env.on_case(params, case)

    @property
    def hours(self) -> float | None:
        return self.env.hours

    @property
    def case_steps(self) -> int:
        return self.env.case_steps


@dataclass(frozen=True)
class ActionRepeat(Wrapper):
    """The same task, in which every action is taken for `repeats` steps, or to the end of the episode.

    Rewards and costs are sums over these steps divided by `repeats`, and so as large as those of a step;
    metrics are means. What a decision is worth stands out from the noise of the others as the root of
    `repeats` (frame skip: Braylan et al., AAAI workshops 2015).
    """

    env: Environment
    repeats: int

    def __post_init__(self) -> None:
        if not isinstance(self.repeats, int) or isinstance(self.repeats, bool) or self.repeats < 1:
            raise ValueError(f"repeats is {self.repeats!r}, expected a whole number of at least 1")

    @property
    def hours(self) -> float | None:
        return None if self.env.hours is None else self.env.hours * self.repeats

    def transition(self, key: jax.Array, state: Any, actions: PerGroup, params: Any) -> Transition:
        def again(carry: tuple[Any, jax.Array], key: jax.Array) -> Any:
            before, ended = carry
            out = self.env.transition(key, before, actions, params)
            after = jax.tree.map(lambda old, new: jnp.where(ended, old, new), before, out.state)
            over = out.terminated | out.truncated
            return (after, ended | over), (~ended, out._replace(state=None))

        keys = jax.random.split(key, self.repeats)
        (state, _), (counts, out) = jax.lax.scan(again, (state, jnp.asarray(False)), keys)

        def total(x: jax.Array) -> jax.Array:
            return jnp.sum(jnp.where(counts.reshape(-1, *(1,) * (x.ndim - 1)), x, 0), axis=0)

        steps = jnp.sum(counts)
        return Transition(
            state=state,
            reward=jax.tree.map(lambda x: total(x) / self.repeats, out.reward),
            terminated=jnp.any(out.terminated & counts),
            truncated=jnp.any(out.truncated & counts),
            cost=jax.tree.map(lambda x: total(x) / self.repeats, out.cost),
            metrics=jax.tree.map(lambda x: total(x) / steps, out.metrics),
        )

    @property
    def case_steps(self) -> int:
        return -(-self.env.case_steps // self.repeats)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LogState:
    """State of the environment inside, and what is known of its episodes."""

    inner: Any
    running_return: jax.Array  # [], sum over the steps so far of the mean reward over all agents
    running_length: jax.Array  # [], int32, steps so far
    last_return: jax.Array  # [], of the last episode that ended, 0 before the first
    last_length: jax.Array  # [], int32


@dataclass(frozen=True)
class LogWrapper(Wrapper):
    """The same task, with `info["episode"]`: `return`, `length` and `ended`.

    `return` (mean over all agents, undiscounted) and `length` are those of the last finished episode, 0
    before the first one; `ended` says that it finished in this very step. `params` are those of `env`.
    """

    def initial(self, key: jax.Array, params: Any) -> LogState:
        none, zero = jnp.int32(0), jnp.zeros(())
        return LogState(self.env.initial(key, params), zero, none, zero, none)

    def transition(self, key: jax.Array, state: LogState, actions: PerGroup, params: Any) -> Transition:
        out = self.env.transition(key, state.inner, actions, params)
        total, length = _count(state, out.reward)
        after = replace(state, inner=out.state, running_return=total, running_length=length)
        return out._replace(state=after)

    def step(
        self, key: jax.Array, state: LogState, actions: PerGroup, params: Any
    ) -> tuple[PerGroup, LogState, PerGroup, jax.Array, jax.Array, dict[str, Any]]:
        obs, inner, reward, terminated, truncated, info = self.env.step(key, state.inner, actions, params)
        total, length = _count(state, reward)
        ended = terminated | truncated
        after = LogState(
            inner=inner,
            running_return=jnp.where(ended, 0.0, total),
            running_length=jnp.where(ended, 0, length),
            last_return=jnp.where(ended, total, state.last_return),
            last_length=jnp.where(ended, length, state.last_length),
        )
        episode = {"return": after.last_return, "length": after.last_length, "ended": ended}
        return obs, after, reward, terminated, truncated, {**info, "episode": episode}

    def observe(self, state: LogState, params: Any) -> PerGroup:
        return self.env.observe(state.inner, params)

    def global_state(self, state: LogState, params: Any) -> jax.Array:
        return self.env.global_state(state.inner, params)

    def action_mask(self, state: LogState, params: Any) -> PerGroup:
        return self.env.action_mask(state.inner, params)


def _count(state: LogState, reward: PerGroup) -> tuple[jax.Array, jax.Array]:
    mean = jnp.mean(jnp.concatenate([jnp.ravel(value) for value in reward.values()]))
    return state.running_return + mean.astype(state.running_return.dtype), state.running_length + 1
