"""All agents of a task as one: a single-agent library's view of a multi-agent task.

Observations: the agents' own, one after another, in the order of their groups ("joined"); a policy then knows
what the team knows, no more. "global" is the global state instead, which tasks with hidden quantities give to
a central critic only. Actions: those of all agents, one after another. Reward: the mean over all agents, as
gridjax reports it everywhere, so that a shared reward keeps its size whatever the number of agents; or "sum".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridjax.envs import Box, Discrete, Environment, Hybrid
from gridjax.envs.spaces import Space

OBSERVATIONS = ("joined", "global")
REWARDS = ("mean", "sum")


@dataclass(frozen=True)
class Part:
    """A group: how many agents, and what one of them decides."""

    group: str
    agents: int
    reals: tuple[int, ...] | None  # shape
    choices: tuple[int, ...] | None  # shape
    among: int  # what each choice is among

    @property
    def n_reals(self) -> int:
        """Of the whole group."""
        return 0 if self.reals is None else self.agents * math.prod(self.reals)

    @property
    def n_choices(self) -> int:
        """Of the whole group."""
        return 0 if self.choices is None else self.agents * math.prod(self.choices)


@dataclass(frozen=True)
class Joint:
    """How the agents' actions lie in that of the one; arrays may have leading axes, numpy or jax."""

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, env: Environment, params: Any) -> Joint:
        """From the groups and action spaces of a task."""
        spaces = env.action_space(params)
        return cls(tuple(_part(group, n, spaces[group]) for group, n in env.groups.items()))

    @property
    def n_reals(self) -> int:
        """Entries of the joint action that are reals."""
        return sum(part.n_reals for part in self.parts)

    @property
    def choices(self) -> tuple[int, ...]:
        """For every entry of the joint action that is a choice, among how many."""
        return tuple(part.among for part in self.parts for _ in range(part.n_choices))

    def actions(self, action: Any) -> dict[str, Any]:
        """Actions per group, from reals `[n_reals]`, choices `[n_choices]`, or a dict of both."""
        parted = action if isinstance(action, Mapping) else {"continuous": action, "discrete": action}
        first = {"continuous": 0, "discrete": 0}

        def take(kind: str, part: Part, count: int, shape: tuple[int, ...]) -> Any:
            whole = parted[kind]
            piece = whole[..., first[kind] : first[kind] + count]
            first[kind] += count
            return piece.reshape(*whole.shape[:-1], part.agents, *shape)

        found = {}
        for part in self.parts:
            own = {}
            if part.reals is not None:
                own["continuous"] = take("continuous", part, part.n_reals, part.reals)
            if part.choices is not None:
                own["discrete"] = take("discrete", part, part.n_choices, part.choices)
            found[part.group] = own if len(own) == 2 else next(iter(own.values()))
        return found

    def mask(self, masks: Mapping[str, Any], xp: Any) -> Any:
        """What may be chosen, bool `[..., sum(choices)]`, one choice after another; None without masks."""
        choosing = [part for part in self.parts if part.choices is not None]
        masked = [part for part in choosing if part.group in masks]
        if not masked:
            return None
        first = masks[masked[0].group]
        lead = first.shape[: first.ndim - 2 - len(masked[0].choices or ())]
        every = [
            masks[part.group].reshape(*lead, -1)
            if part.group in masks
            else xp.ones((*lead, part.n_choices * part.among), bool)
            for part in choosing
        ]
        return xp.concatenate(every, axis=-1)

    def observation(self, observations: Mapping[str, Any], xp: Any) -> Any:
        """Observations `[..., n_agents, n_entries]` per group, one after another: `[..., n]`."""
        every = [observations[part.group] for part in self.parts]
        return xp.concatenate([value.reshape(*value.shape[:-2], -1) for value in every], axis=-1)

    def reward(self, rewards: Mapping[str, Any], how: str, xp: Any) -> Any:
        """Rewards `[..., n_agents]` per group as one: `[...]`."""
        every = xp.concatenate([rewards[part.group] for part in self.parts], axis=-1)
        return every.mean(axis=-1) if how == "mean" else every.sum(axis=-1)


def bounds(env: Environment, params: Any) -> tuple[Any, Any]:
    """Lowest and highest joined observation, float32 `[n]`."""
    spaces = env.observation_space(params)

    def joined(side: str) -> np.ndarray:
        every = [
            np.broadcast_to(getattr(spaces[group], side), (n, *spaces[group].shape)).ravel()
            for group, n in env.groups.items()
        ]
        return np.concatenate(every).astype(np.float32)

    return joined("low"), joined("high")


def check_options(observation: str, reward: str) -> None:
    """`ValueError` that names the option, its value and what was expected."""
    for name, value, known in (("observation", observation, OBSERVATIONS), ("reward", reward, REWARDS)):
        if value not in known:
            raise ValueError(f"{name} is {value!r}, expected one of {', '.join(known)}")


def _part(group: str, agents: int, space: Space) -> Part:
    if isinstance(space, Box):
        return Part(group, agents, space.shape, None, 0)
    if isinstance(space, Discrete):
        return Part(group, agents, None, space.shape, space.n)
    assert isinstance(space, Hybrid)
    return Part(group, agents, space.continuous.shape, space.discrete.shape, space.discrete.n)
