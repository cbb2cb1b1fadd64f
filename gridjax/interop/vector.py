"""Gymnasium's `VectorEnv`: many copies of a task in one compiled step."""

from __future__ import annotations

from typing import Any

import gymnasium
import jax
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from gridjax.envs import Environment
from gridjax.interop import episode
from gridjax.interop.joint import check_options
from gridjax.interop.joint_spaces import JointSpaces
from gridjax.interop.spaces import checked

Reset = tuple[np.ndarray, dict[str, Any]]
Step = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]


class GridVectorEnv(gymnasium.vector.VectorEnv):
    """`num_envs` copies of any task of gridjax, each with the joint action of its agents.

    Copy k with seed s + k is the `GridEnv` with that seed, through all of its episodes. `autoreset_mode`, in
    `metadata` too, is one of Gymnasium's: "SameStep" (the default: the observation is the first of the
    next episode, `info["final_obs"]` and `info["final_info"]` the last of this one), "NextStep" (the next
    step resets, ignores the action and pays 0), "Disabled" (`reset(options={"reset_mask": ...})` does).
    `info` has `cost` and `metrics`, each quantity `[num_envs, ...]` with a mask `_name` beside it, and, where
    choices are not always all open, `action_mask`, bool `[num_envs, sum of choices]`.
    """

    def __init__(
        self,
        env: Environment,
        params: Any,
        num_envs: int,
        *,
        observation: str = "joined",
        reward: str = "mean",
        autoreset_mode: str | AutoresetMode = AutoresetMode.SAME_STEP,
    ) -> None:
        check_options(observation, reward)
        if not isinstance(num_envs, int) or isinstance(num_envs, bool) or num_envs < 1:
            raise ValueError(f"num_envs is {num_envs!r}, expected a whole number of at least 1")
        try:
            self.autoreset_mode = AutoresetMode(autoreset_mode)
        except ValueError:
            known = ", ".join(mode.value for mode in AutoresetMode)
            raise ValueError(f"autoreset_mode is {autoreset_mode!r}, expected one of {known}") from None
        self.env, self.params, self.num_envs = env, episode.on_device(params), num_envs
        self.metadata = {"render_modes": [], "autoreset_mode": self.autoreset_mode}
        self._view = JointSpaces(env, params, observation, reward)
        self.single_observation_space = self._view.observation_space
        self.single_action_space = self._view.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._keys: Any = None  # uint32 [num_envs, 2]
        self._states: Any = None
        self._observation: np.ndarray | None = None
        self._mask: np.ndarray | None = None
        self._ended = np.zeros(num_envs, bool)

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> Reset:
        """Begin an episode in every copy, or in those that `options["reset_mask"]`, bool `[num_envs]`, names.

        A seed s gives copy k the seed s + k; a list gives each its own. Without one the chain goes on.
        """
        which = self._reset_mask(options)
        super().reset(seed=seed if isinstance(seed, int) else None)
        self._seed(seed, which)
        static = self.env, self._view.whole
        if self._states is None:
            which = np.ones(self.num_envs, bool)
            self._keys, self._states, seen = episode.begin_many(*static, self._keys, self.params)
        else:
            self._keys, self._states, seen = episode.begin_some(
                *static, self._keys, self._states, which, self.params
            )
        observation, mask = self._arrays(seen)
        if self._observation is not None:
            observation = np.where(which[:, None], observation, self._observation)
        if mask is not None and self._mask is not None:
            mask = np.where(which[:, None], mask, self._mask)
        self._observation, self._mask = observation, mask
        self._ended = self._ended & ~which
        return observation.copy(), self._with_mask({})

    def step(self, actions: Any) -> Step:
        """Take `num_envs` joint actions: observation, reward (float64), terminated, truncated and info.

        Raises `TypeError` or `ValueError` that says what was expected of them, and `RuntimeError` before the
        first `reset`, or after the end of an episode where auto-reset is disabled.
        """
        if self._states is None:
            raise RuntimeError("no episode has begun: call reset before step")
        actions = self._view.actions(
            checked(self.single_action_space, actions, "actions", leading=(self.num_envs,))
        )
        held = self.env, self._view.whole, self._keys, self._states
        stepped, final = np.ones(self.num_envs, bool), None
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            *held, seen, outcome, final = episode.advance_then_begin(*held, actions, self.params)
        elif self.autoreset_mode is AutoresetMode.NEXT_STEP:
            stepped = ~self._ended
            *held, seen, outcome = episode.begin_or_advance(*held, self._ended, actions, self.params)
        elif self._ended.any():
            over = np.flatnonzero(self._ended).tolist()
            raise RuntimeError(f"episodes of {over} are over: reset them, auto-reset is disabled")
        else:
            *held, seen, outcome = episode.advance_many(*held, actions, self.params)
        self._keys, self._states = held
        outcome = jax.device_get(outcome)
        terminated, truncated = np.array(outcome.terminated), np.array(outcome.truncated)
        self._ended = terminated | truncated
        self._observation, self._mask = self._arrays(seen)
        if final is None or not self._ended.any():
            info = _batched(outcome.info, stepped)
        else:
            info = _batched(outcome.info, ~self._ended) | self._last(final, outcome.info)
        reward = self._view.total(outcome.reward)
        return self._observation.copy(), reward, terminated, truncated, self._with_mask(info)

    def render(self) -> None:
        """Draws nothing."""

    def _last(self, final: episode.Seen, info: dict[str, Any]) -> dict[str, Any]:
        """What was seen at the end of the episodes that ended, and the info of their last step."""
        observation, mask = self._arrays(final)
        last = _batched(info, self._ended)
        if mask is not None:
            last |= {"action_mask": mask, "_action_mask": self._ended.copy()}
        found = np.full(self.num_envs, None, object)
        for row in np.flatnonzero(self._ended):
            found[row] = observation[row]
        return {
            "final_obs": found,
            "_final_obs": self._ended.copy(),
            "final_info": last,
            "_final_info": self._ended.copy(),
        }

    def _arrays(self, seen: episode.Seen) -> tuple[np.ndarray, np.ndarray | None]:
        seen = jax.device_get(seen)
        return self._view.observation(seen.observation), self._view.mask(seen.mask)

    def _with_mask(self, info: dict[str, Any]) -> dict[str, Any]:
        if self._mask is not None:
            info |= {"action_mask": self._mask.copy(), "_action_mask": np.ones(self.num_envs, bool)}
        return info

    def _seed(self, seed: Any, which: np.ndarray) -> None:
        """Begin the chains of copies that have a seed, or that have no chain yet."""
        if seed is None and self._keys is not None:
            return
        if seed is None:
            seed = int(self.np_random.integers(2**32))
        if isinstance(seed, int | np.integer):
            seeds: list[int | None] = [int(seed) + k for k in range(self.num_envs)]
        else:
            seeds = list(seed)
        if len(seeds) != self.num_envs:
            raise ValueError(f"seed has {len(seeds)} entries, expected one per copy, {self.num_envs}")
        given = np.array([s is not None for s in seeds])
        drawn = self.np_random.integers(2**32, size=self.num_envs)
        keys = episode.chains([s if s is not None else d for s, d in zip(seeds, drawn)])
        if self._keys is not None:
            keys = np.where((which & given)[:, None], keys, self._keys)
        self._keys = keys

    def _reset_mask(self, options: dict[str, Any] | None) -> np.ndarray:
        which = (options or {}).get("reset_mask")
        if which is None:
            return np.ones(self.num_envs, bool)
        which = np.asarray(which)
        if which.dtype != bool or which.shape != (self.num_envs,) or not which.any():
            raise ValueError(f"reset_mask is {which}, expected bool [{self.num_envs}], true somewhere")
        return which


def _batched(info: dict[str, Any], which: np.ndarray) -> dict[str, Any]:
    """Quantities `[num_envs, ...]`, 0 but where `which`, each with that mask, as Gymnasium has it."""
    if not which.any():
        return {}
    found: dict[str, Any] = {}
    for name, value in info.items():
        if isinstance(value, dict):
            found[name] = _batched(value, which)
        else:
            found[name] = np.where(which.reshape(-1, *(1,) * (value.ndim - 1)), value, value.dtype.type(0))
        found[f"_{name}"] = which.copy()
    return found
