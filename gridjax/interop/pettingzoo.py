"""PettingZoo's `ParallelEnv`: every agent by name, all of them acting at once.

env = gridjax.interop.pettingzoo.make("SmartGrid-v0", agents=5)
observations, infos = env.reset(seed=0)
observations, rewards, terminations, truncations, infos = env.step(actions)
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pettingzoo
from gymnasium import spaces
from gymnasium.utils import seeding

import gridjax
from gridjax.envs import Environment
from gridjax.interop import agents, episode
from gridjax.interop.spaces import checked, native, native_mask

Everything = dict[str, Any]


class ParallelGrid(pettingzoo.ParallelEnv):
    """Any task of gridjax; agents end their episodes together, and `reset` begins the next.

    `infos[agent]` has `cost` and `metrics` of the step, those of the whole grid, and, where choices are not
    always all open, `action_mask` as `action_space(agent).sample` takes it. Reals beyond [-1, 1] count as
    -1 or 1. Nothing is drawn: `render` returns None.
    """

    def __init__(self, env: Environment, params: Any):
        self.env, self.params = env, episode.on_device(params)
        self.metadata = {"name": env.name, "render_modes": [], "is_parallelizable": True}
        self.render_mode = None
        self.possible_agents = list(agents.names(env))
        self.agents: list[str] = []
        self.observation_spaces = agents.each(
            env, {group: native(space) for group, space in env.observation_space(params).items()}
        )
        self._actions = agents.each(env, env.action_space(params))
        # one space for each agent, as each has a random generator of its own
        self.action_spaces = {name: native(space) for name, space in self._actions.items()}
        self._key: Any = None
        self._state: Any = None

    def observation_space(self, agent: str) -> spaces.Space:
        """Box of float32; labels are in `env.observation_labels(params)`."""
        return self.observation_spaces[self._known(agent)]

    def action_space(self, agent: str) -> spaces.Space:
        """Box within [-1, 1], Discrete, MultiDiscrete, or a Dict of `continuous` and `discrete`."""
        return self.action_spaces[self._known(agent)]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Everything, Everything]:
        """Begin an episode: the first that `seed` determines, or the next one; `options` are not used."""
        del options
        if seed is not None or self._key is None:
            (self._key,) = episode.chains([seeding.np_random()[1] if seed is None else seed])
        self._key, self._state, seen = episode.begin_one(self.env, False, self._key, self.params)
        self.agents = list(self.possible_agents)
        seen = jax.device_get(seen)
        return self._observations(seen), self._infos(seen, {})

    def step(
        self, actions: Everything
    ) -> tuple[Everything, dict[str, float], dict[str, bool], dict[str, bool], Everything]:
        """Take one action of every agent: `[*shape]` float32 or integers, as in its space.

        Raises `TypeError` or `ValueError` that names the agent, what it gave and what was expected, and
        `RuntimeError` before the first `reset`.
        """
        if self._state is None:
            raise RuntimeError("no episode has begun: call reset before step")
        if not self.agents and not actions:
            return {}, {}, {}, {}, {}
        agents.check_names(self.agents, actions)
        each = {k: checked(self.action_spaces[k], actions[k], f"action of {k}") for k in self.agents}
        self._key, self._state, seen, outcome = episode.advance_one(
            self.env, False, self._key, self._state, agents.stack(self.env, each, np), self.params
        )
        seen, outcome = jax.device_get((seen, outcome))
        terminated, truncated = bool(outcome.terminated), bool(outcome.truncated)
        rewards = {k: float(value) for k, value in agents.split(self.env, outcome.reward).items()}
        alive = self.agents
        if terminated or truncated:
            self.agents = []
        return (
            self._observations(seen),
            rewards,
            dict.fromkeys(alive, terminated),
            dict.fromkeys(alive, truncated),
            self._infos(seen, outcome.info),
        )

    def state(self) -> np.ndarray:
        """Input of a central critic, float32 `[n_entries]`."""
        if self._state is None:
            raise RuntimeError("no episode has begun: call reset before state")
        return np.array(episode.global_state(self.env, self._state, self.params))

    def render(self) -> None:
        """Draws nothing."""

    def close(self) -> None:
        """Has nothing to release."""

    def _observations(self, seen: episode.Seen) -> Everything:
        # copies, for what comes from JAX may not be written to
        return {k: np.array(row) for k, row in agents.split(self.env, seen.observation).items()}

    def _infos(self, seen: episode.Seen, info: dict[str, Any]) -> Everything:
        masks = agents.split(self.env, seen.mask)
        infos: Everything = {}
        for name in self.possible_agents:
            infos[name] = {kind: dict(values) for kind, values in info.items()}
            if name in masks:
                infos[name]["action_mask"] = native_mask(self._actions[name], masks[name])
        return infos

    def _known(self, agent: str) -> str:
        if agent not in self.observation_spaces:
            raise ValueError(f"unknown agent {agent!r}; agents: {', '.join(self.possible_agents)}")
        return agent


def make(id: str, **options: Any) -> ParallelGrid:
    """The task `id` as a `ParallelEnv`; options and errors are those of `gridjax.make`."""
    return ParallelGrid(*gridjax.make(id, **options))
