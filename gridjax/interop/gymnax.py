"""gymnax's `Environment`: one agent decides for all, see `gridjax.interop.joint`; params are an argument.

    env, params = gridjax.interop.gymnax.make("VoltageControl-v0", network="case33bw")
    observation, state = env.reset(key, params)
    observation, state, reward, terminated, truncated, info = env.step(key, state, action, params)

A step with the same key is that of `gridjax.Environment.step`, number by number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from gymnax.environments import environment, spaces

import gridjax
from gridjax.envs import Environment
from gridjax.interop.episode import on_device
from gridjax.interop.joint import Joint, bounds, check_options


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class GridState:
    """State of the task, and what gymnax asks of one."""

    inner: Any
    time: jax.Array  # [], int32, steps since the episode began
    truncated: jax.Array  # [], bool


class GridGymnax(environment.Environment):
    """Any task of gridjax, with the joint action of its agents; `info` has `cost` and `metrics`."""

    def __init__(
        self, env: Environment, params: Any, *, observation: str = "joined", reward: str = "mean"
    ) -> None:
        check_options(observation, reward)
        self.env, self._params = env, on_device(params)
        self._joint = Joint.of(env, params)
        self._whole, self._how = observation == "global", reward

    @property
    def default_params(self) -> Any:
        """Those of `gridjax.make`."""
        return self._params

    @property
    def name(self) -> str:
        """The registered name of the task."""
        return self.env.name

    @property
    def num_actions(self) -> int:
        """Entries of the joint action."""
        return self._joint.n_reals + len(self._joint.choices)

    def reset_env(self, key: jax.Array, params: Any) -> tuple[jax.Array, GridState]:
        """Observation `[n]` and state of the episode that `key` determines."""
        inner = self.env.initial(key, params)
        state = GridState(inner, jnp.int32(0), jnp.asarray(False))
        return self.observe(key, state, None, params), state

    def step_env(
        self, key: jax.Array, state: GridState, action: Any, params: Any
    ) -> tuple[jax.Array, GridState, jax.Array, jax.Array, dict[str, Any]]:
        """One step without reset; the state knows whether it was truncated.

        Raises `ValueError` while tracing, for a shape of the action that does not fit.
        """
        out = self.env.transition(key, state.inner, self._actions(action), params)
        after = GridState(out.state, state.time + 1, out.truncated)
        reward = self._joint.reward(out.reward, self._how, jnp)
        info = {"cost": out.cost, "metrics": out.metrics}
        return self.observe(key, after, action, params), after, reward, out.terminated, info

    def observe(self, key: jax.Array, state: GridState, action: Any, params: Any) -> jax.Array:
        """What is known in `state`, `[n]`."""
        del key, action
        if self._whole:
            return self.env.global_state(state.inner, params)
        return self._joint.observation(self.env.observe(state.inner, params), jnp)

    def is_truncated(self, state: GridState, params: Any) -> jax.Array:
        """Whether the step that led here was the last in time."""
        del params
        return state.truncated

    def action_mask(self, state: GridState, params: Any) -> jax.Array | None:
        """What may be chosen, bool `[sum of choices]`; None where all is always open."""
        return self._joint.mask(self.env.action_mask(state.inner, params), jnp)

    def observation_space(self, params: Any) -> spaces.Box:
        """Box of float32 `[n]`."""
        if self._whole:
            _, state = jax.eval_shape(self.env.reset, jax.random.PRNGKey(0), params)
            shape = jax.eval_shape(self.env.global_state, state, params).shape
            return spaces.Box(-np.inf, np.inf, shape, jnp.float32)
        low, high = bounds(self.env, params)
        return spaces.Box(low, high, low.shape, jnp.float32)

    def action_space(self, params: Any) -> Any:
        """Box within [-1, 1], a Tuple of Discrete, or a Dict of both as `continuous` and `discrete`."""
        del params
        parts: dict[str, Any] = {}
        if self._joint.n_reals:
            parts["continuous"] = spaces.Box(-1.0, 1.0, (self._joint.n_reals,), jnp.float32)
        if self._joint.choices:
            parts["discrete"] = spaces.Tuple([spaces.Discrete(n) for n in self._joint.choices])
        return spaces.Dict(parts) if len(parts) == 2 else next(iter(parts.values()))

    def _actions(self, action: Any) -> dict[str, Any]:
        def flat(value: Any, count: int, what: str) -> jax.Array:
            value = jnp.stack(value) if isinstance(value, tuple | list) else jnp.asarray(value)
            if value.shape != (count,):
                raise ValueError(f"{what} has shape {value.shape}, expected {(count,)}")
            return value

        counts = {"continuous": self._joint.n_reals, "discrete": len(self._joint.choices)}
        if all(counts.values()):
            if not isinstance(action, Mapping) or set(action) != set(counts):
                raise ValueError(f"action is no dict of {' and '.join(counts)}")
            return self._joint.actions({k: flat(action[k], n, f"action[{k!r}]") for k, n in counts.items()})
        return self._joint.actions(flat(action, max(counts.values()), "action"))


def make(
    id: str, *, observation: str = "joined", reward: str = "mean", **options: Any
) -> tuple[GridGymnax, Any]:
    """The task `id` as an `Environment`, and its params.

    Args:
        observation: "joined", what the agents observe one after another, or "global".
        reward: "mean" or "sum" over the agents.
        options: those of `gridjax.make`, whose errors are raised.
    """
    env, params = gridjax.make(id, **options)
    adapted = GridGymnax(env, params, observation=observation, reward=reward)
    return adapted, adapted.default_params
