"""What the networks must fit: the agents of a task, and the sizes of what they see and do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs.environment import Environment
from gridjax.envs.spaces import Box, Discrete, Hybrid


@dataclass(frozen=True)
class Group:
    """One group of agents: `observation` and `action` are the lengths of one agent's vectors of reals.

    `choices` counts its choices, each among `levels`; `scalar`, that the task has them without an axis.
    """

    name: str
    agents: int
    observation: int
    action: int
    choices: int = 0
    levels: int = 0
    scalar: bool = False


@dataclass(frozen=True)
class Layout:
    """All groups, in the order in which agents are joined, and the length of the global state."""

    groups: tuple[Group, ...]
    global_state: int

    @property
    def agents(self) -> int:
        """Number of agents in all groups together."""
        return sum(group.agents for group in self.groups)

    def join(self, per_group: dict[str, jax.Array], axis: int = -1) -> jax.Array:
        """Dict of `[..., n_agents]` to one array `[..., all agents]`; `axis` is that of the agents."""
        if len(self.groups) == 1:
            return per_group[self.groups[0].name]
        return jnp.concatenate([per_group[group.name] for group in self.groups], axis=axis)

    def per_group(self, value: Any) -> tuple[Any, ...]:
        """A tuple with one value per group as it is; anything else for every group."""
        return value if isinstance(value, tuple) else (value,) * len(self.groups)

    def per_agent(self, value: Any) -> jax.Array:
        """A number, or a tuple with one per group, as that of each agent's group, `[all agents]`."""
        values = self.per_group(value)
        return self.join({group.name: jnp.full(group.agents, x) for group, x in zip(self.groups, values)})

    def split(self, joined: jax.Array, axis: int = -1) -> dict[str, jax.Array]:
        """Inverse of `join`, along `axis`."""
        ends = np.cumsum([group.agents for group in self.groups])[:-1]
        parts = jnp.split(joined, ends, axis=axis) if len(self.groups) > 1 else [joined]
        return {group.name: part for group, part in zip(self.groups, parts)}


def layout_of(env: Environment, params: Any) -> Layout:
    """The layout of a task, or a `ValueError` that says what a learner cannot handle. Host-side."""
    if not env.groups:
        raise ValueError(f"groups of {env.name}: got none, expected at least one group of agents")
    observation, state = jax.eval_shape(env.reset, jax.random.key(0), params)
    global_state = jax.eval_shape(env.global_state, state, params)
    if len(global_state.shape) != 1:
        raise ValueError(f"global_state of {env.name}: got shape {global_state.shape}, expected one axis")
    observation_spaces, action_spaces = env.observation_space(params), env.action_space(params)
    groups = []
    for name, agents in env.groups.items():
        shape = observation_spaces[name].shape
        if len(shape) != 1 or observation[name].shape != (agents, *shape):
            raise ValueError(
                f"observation of group {name!r} of {env.name}: got shape {observation[name].shape} and an "
                f"agent's space of shape {shape}, expected ({agents}, n) and (n,)"
            )
        acts = _action_parts(env.name, name, action_spaces[name])
        groups.append(Group(name, agents, shape[0], **acts))
    return Layout(tuple(groups), global_state.shape[0])


def _action_parts(env: str, group: str, space: Any) -> dict[str, Any]:
    """Sizes of the continuous part of an action and of its choices, by the fields of `Group`."""
    reals = space.continuous if isinstance(space, Hybrid) else space if isinstance(space, Box) else None
    chosen = space.discrete if isinstance(space, Hybrid) else space if isinstance(space, Discrete) else None
    unit = reals is None or (np.all(np.asarray(reals.low) == -1) and np.all(np.asarray(reals.high) == 1))
    vector = reals is None or (len(reals.shape) == 1 and reals.shape[0] > 0)
    choices = 0 if chosen is None else int(np.prod(chosen.shape))
    listed = chosen is None or (len(chosen.shape) < 2 and choices > 0 and chosen.n > 0)
    if not (unit and vector and listed) or (reals is None and chosen is None):
        raise ValueError(
            f"action_space of group {group!r} of {env}: got {space}, expected a Box (n,) from -1 to 1, a "
            "Discrete of one axis or none, or a Hybrid of both"
        )
    return {
        "action": 0 if reals is None else reals.shape[0],
        "choices": choices,
        "levels": 0 if chosen is None else chosen.n,
        "scalar": chosen is not None and not chosen.shape,
    }
