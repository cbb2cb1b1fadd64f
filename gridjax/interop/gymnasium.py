"""Gymnasium's `Env` and `VectorEnv`: one agent decides for all, see `gridjax.interop.joint`.

    env = gridjax.interop.gymnasium.make("VoltageControl-v0", network="case33bw")
    envs = gridjax.interop.gymnasium.make_vec("VoltageControl-v0", num_envs=64, network="case33bw")

Once this module is imported the tasks are registered with Gymnasium too, and
`gymnasium.make("gridjax.interop.gymnasium:gridjax/VoltageControl-v0", network="case33bw")` imports it itself.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import gymnasium
import jax
import numpy as np

import gridjax
from gridjax.envs import Environment
from gridjax.interop import episode
from gridjax.interop.joint import check_options
from gridjax.interop.joint_spaces import JointSpaces
from gridjax.interop.spaces import checked
from gridjax.interop.vector import GridVectorEnv

__all__ = ["GridEnv", "GridVectorEnv", "make", "make_vec"]


class GridEnv(gymnasium.Env):
    """Any task of gridjax, with the joint action of its agents.

    `info` has `cost` and `metrics` of the step and, where choices are not always all open, `action_mask`
    as `action_space.sample` takes it. Reals beyond [-1, 1] count as -1 or 1. Nothing is drawn.
    """

    metadata = {"render_modes": []}  # noqa: RUF012, as in gymnasium.Env

    def __init__(
        self, env: Environment, params: Any, *, observation: str = "joined", reward: str = "mean"
    ) -> None:
        check_options(observation, reward)
        self.env, self.params = env, episode.on_device(params)
        self._view = JointSpaces(env, params, observation, reward)
        self.observation_space, self.action_space = self._view.observation_space, self._view.action_space
        self._key: Any = None
        self._state: Any = None
        self._mask: Any = None
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode: the first that `seed` determines, or the next one; `options` are not used."""
        super().reset(seed=seed)
        del options
        if seed is not None or self._key is None:
            (self._key,) = episode.chains([self.np_random.integers(2**32) if seed is None else seed])
        self._key, self._state, seen = episode.begin_one(self.env, self._view.whole, self._key, self.params)
        self._over = False
        return self._seen(jax.device_get(seen), {})

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Take the joint action: `[n_entries]`, or a dict of `continuous` and `discrete`.

        Raises `TypeError` or `ValueError` that says what was expected of it, and `RuntimeError` before a
        `reset` and after the end of an episode.
        """
        if self._over:
            raise RuntimeError("no episode is running: call reset before step")
        actions = self._view.actions(checked(self.action_space, action, "action"))
        self._key, self._state, seen, outcome = episode.advance_one(
            self.env, self._view.whole, self._key, self._state, actions, self.params
        )
        seen, outcome = jax.device_get((seen, outcome))
        terminated, truncated = bool(outcome.terminated), bool(outcome.truncated)
        self._over = terminated or truncated
        observation, info = self._seen(seen, outcome.info)
        return observation, float(self._view.total(outcome.reward)), terminated, truncated, info

    def action_masks(self) -> np.ndarray:
        """What may be chosen now, bool `[sum of all n]`, one choice after another, as MaskablePPO asks."""
        choices = self._view.joint.choices
        if not choices:
            raise AttributeError(f"agents of {self.env.name} choose nothing, so there is nothing to mask")
        return np.ones(sum(choices), bool) if self._mask is None else self._mask

    def render(self) -> None:
        """Draws nothing."""

    def _seen(self, seen: episode.Seen, info: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
        info = {kind: dict(values) for kind, values in info.items()}
        self._mask = self._view.mask(seen.mask)
        if self._mask is not None:
            info["action_mask"] = self._view.native_mask(self._mask)
        return self._view.observation(seen.observation), info


def make(id: str, *, observation: str = "joined", reward: str = "mean", **options: Any) -> GridEnv:
    """The task `id` as an `Env`.

    Args:
        observation: "joined", what the agents observe one after another, or "global".
        reward: "mean" or "sum" over the agents.
        options: those of `gridjax.make`.

    Raises `ValueError` that names the option, its value and what was expected.
    """
    options.pop("render_mode", None)  # gymnasium.make passes it on
    env = GridEnv(*gridjax.make(id, **options), observation=observation, reward=reward)
    given = {"id": id, "observation": observation, "reward": reward, **options}
    env.spec = dataclasses.replace(_spec(id), kwargs=given)
    return env


def make_vec(
    id: str,
    num_envs: int = 1,
    *,
    observation: str = "joined",
    reward: str = "mean",
    autoreset_mode: str | gymnasium.vector.AutoresetMode = "SameStep",
    **options: Any,
) -> GridVectorEnv:
    """`num_envs` copies of the task `id`, compiled as one, as a `VectorEnv`.

    Options are those of `make` and of `GridVectorEnv`.
    """
    options.pop("render_mode", None)
    return GridVectorEnv(
        *gridjax.make(id, **options),
        num_envs=num_envs,
        observation=observation,
        reward=reward,
        autoreset_mode=autoreset_mode,
    )


def _spec(id: str) -> Any:
    """Gymnasium's specification of a task, registered on first use: tasks may be added at any time."""
    name = f"gridjax/{id}"
    if name not in gymnasium.registry:
        gymnasium.register(
            name,
            entry_point="gridjax.interop.gymnasium:make",
            vector_entry_point="gridjax.interop.gymnasium:make_vec",
            kwargs={"id": id},
        )
    return gymnasium.spec(name)


for _task in gridjax.envs.tasks():
    _spec(_task)
