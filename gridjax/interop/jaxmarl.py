"""JaxMARL's `MultiAgentEnv`: pure functions, with a dict by agent in place of groups.

    env = gridjax.interop.jaxmarl.make("Resilience-v0")
    observations, state = env.reset(key)
    observations, state, rewards, dones, infos = env.step(key, state, actions)

A step with the same key is that of `gridjax.Environment.step`, number by number.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxmarl.environments import spaces
from jaxmarl.environments.multi_agent_env import MultiAgentEnv

import gridjax
from gridjax.envs import Box, Discrete, Environment
from gridjax.envs.spaces import Space
from gridjax.interop import agents

PerAgent = dict[str, Any]


class GridMARL(MultiAgentEnv):
    """Any task of gridjax. Its params are constants of what is compiled, for JaxMARL has no place for them.

    `dones` does not tell a failure from the end of time: `infos` has `terminated` and `truncated`. With them
    are costs and metrics by name, all of them `[num_agents]`, as JaxMARL's learners reshape them; quantities
    of the grid are repeated, and those that are neither one number nor one for each agent are left out.
    """

    def __init__(self, env: Environment, params: Any) -> None:
        super().__init__(num_agents=sum(env.groups.values()))
        self.env, self.params = env, params
        self.agents = list(agents.names(env))
        observed, acted = env.observation_space(params), env.action_space(params)
        self.observation_spaces = agents.each(env, {group: _space(s) for group, s in observed.items()})
        self.action_spaces = agents.each(env, {group: _space(s) for group, s in acted.items()})
        self._shapes = agents.each(env, {group: _shapes(s) for group, s in acted.items()})

    @property
    def name(self) -> str:
        """The registered name of the task."""
        return self.env.name

    @property
    def agent_classes(self) -> dict[str, list[str]]:
        """Names of the agents of each group."""
        return agents.members(self.env)

    @partial(jax.jit, static_argnums=0)
    def reset(self, key: jax.Array) -> tuple[PerAgent, Any]:
        """Observations and state of the episode that `key` determines."""
        state = self.env.initial(key, self.params)
        return self._observe(state), state

    def step_env(
        self, key: jax.Array, state: Any, actions: PerAgent
    ) -> tuple[PerAgent, Any, PerAgent, PerAgent, dict[str, jax.Array]]:
        """One step without reset; `step` is this with one.

        Raises `ValueError` while tracing, for agents or shapes of actions that do not fit.
        """
        agents.check_names(self.agents, actions)
        for name in self.agents:
            found = jax.tree.map(jnp.shape, actions[name])
            if found != self._shapes[name]:
                raise ValueError(f"action of {name} has shape {found}, expected {self._shapes[name]}")
        out = self.env.transition(key, state, agents.stack(self.env, actions, jnp), self.params)
        done = out.terminated | out.truncated
        info = {"terminated": out.terminated, "truncated": out.truncated, **out.cost, **out.metrics}
        infos = {
            name: jnp.broadcast_to(value, (self.num_agents,))
            for name, value in info.items()
            if value.shape in ((), (self.num_agents,))
        }
        rewards = agents.split(self.env, out.reward)
        dones = dict.fromkeys([*self.agents, "__all__"], done)
        return self._observe(out.state), out.state, rewards, dones, infos

    def get_obs(self, state: Any) -> PerAgent:
        """Observation `[n_entries]` of every agent."""
        return self._observe(state)

    @partial(jax.jit, static_argnums=0)
    def get_avail_actions(self, state: Any) -> PerAgent:
        """What each agent may choose, bool `[*shape, n]`; of one that chooses nothing, ones of its reals."""
        masks = agents.split(self.env, self.env.action_mask(state, self.params))
        acted = agents.each(self.env, self.env.action_space(self.params))
        return {name: masks.get(name, _all_open(acted[name])) for name in self.agents}

    @partial(jax.jit, static_argnums=0)
    def get_world_state(self, state: Any) -> jax.Array:
        """Input of a central critic, `[n_entries]`."""
        return self.env.global_state(state, self.params)

    def _observe(self, state: Any) -> PerAgent:
        return agents.split(self.env, self.env.observe(state, self.params))


def make(id: str, **options: Any) -> GridMARL:
    """The task `id` as a `MultiAgentEnv`; options and errors are those of `gridjax.make`."""
    return GridMARL(*gridjax.make(id, **options))


def _space(space: Space) -> Any:
    if isinstance(space, Box):
        return spaces.Box(space.low, space.high, space.shape, jnp.float32)
    if isinstance(space, Discrete):
        if len(space.shape) > 1:
            raise ValueError(f"choices have shape {space.shape}, but JaxMARL knows at most one axis of them")
        return spaces.MultiDiscrete([space.n] * space.shape[0]) if space.shape else spaces.Discrete(space.n)
    return spaces.Dict({"continuous": _space(space.continuous), "discrete": _space(space.discrete)})


def _shapes(space: Space) -> Any:
    if isinstance(space, Box | Discrete):
        return space.shape
    return {"continuous": space.continuous.shape, "discrete": space.discrete.shape}


def _all_open(space: Space) -> jax.Array:
    if isinstance(space, Box):
        return jnp.ones(space.shape, bool)
    choice = space if isinstance(space, Discrete) else space.discrete
    return jnp.ones((*choice.shape, choice.n), bool)
