"""The one agent of `gridjax.interop.joint` in Gymnasium's spaces and numpy."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from gymnasium import spaces

from gridjax.envs import Environment
from gridjax.interop.joint import Joint, bounds


class JointSpaces:
    """Spaces of the joint agent, and what goes between it and the agents; leading axes are kept."""

    def __init__(self, env: Environment, params: Any, observation: str, reward: str) -> None:
        self.joint = Joint.of(env, params)
        self.whole, self.how = observation == "global", reward
        if self.whole:
            self.observation_space = self._whole(env, params)
        else:
            self.observation_space = spaces.Box(*bounds(env, params), dtype=np.float32)
        parts: dict[str, spaces.Space] = {}
        if self.joint.n_reals:
            parts["continuous"] = spaces.Box(-1.0, 1.0, (self.joint.n_reals,), np.float32)
        if self.joint.choices:
            parts["discrete"] = spaces.MultiDiscrete(list(self.joint.choices))
        self.action_space = spaces.Dict(parts) if len(parts) == 2 else next(iter(parts.values()))

    def actions(self, action: Any) -> dict[str, Any]:
        """Actions per group."""
        return self.joint.actions(action)

    def observation(self, seen: Any) -> np.ndarray:
        """Of an `episode.Seen`: float32, a copy, for what comes from JAX cannot be written to."""
        return np.array(seen) if self.whole else self.joint.observation(seen, np)

    def total(self, reward: dict[str, Any]) -> np.ndarray:
        """Float64, the mean or sum over all agents."""
        return self.joint.reward({k: v.astype(np.float64) for k, v in reward.items()}, self.how, np)

    def mask(self, masks: dict[str, Any]) -> np.ndarray | None:
        """Bool `[..., sum(choices)]`, or None where all is always open."""
        return self.joint.mask(masks, np)

    def native_mask(self, mask: np.ndarray) -> Any:
        """`[sum(choices)]` as `action_space.sample(mask=...)` takes it."""
        rows = np.split(mask.astype(np.int8), np.cumsum(self.joint.choices)[:-1])
        chosen = tuple(rows)
        return {"continuous": None, "discrete": chosen} if self.joint.n_reals else chosen

    def _whole(self, env: Environment, params: Any) -> spaces.Box:
        _, state = jax.eval_shape(env.reset, jax.random.PRNGKey(0), params)
        shape = jax.eval_shape(env.global_state, state, params).shape
        return spaces.Box(-np.inf, np.inf, shape, np.float32)
