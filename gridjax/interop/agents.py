"""Agents by name, where the environment contract stacks them by group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jax

from gridjax.envs import Environment


def names(env: Environment) -> tuple[str, ...]:
    """Every agent as `group_number`, in the order of the groups: `generator_0`, `generator_1`, `load_0`."""
    return tuple(f"{group}_{k}" for group, n in env.groups.items() for k in range(n))


def members(env: Environment) -> dict[str, list[str]]:
    """Names of the agents of each group."""
    return {group: [f"{group}_{k}" for k in range(n)] for group, n in env.groups.items()}


def each(env: Environment, spaces: Mapping[str, Any]) -> dict[str, Any]:
    """What every agent of a group has in common, by agent."""
    return {name: spaces[group] for group, agents in members(env).items() for name in agents}


def split(env: Environment, stacked: Mapping[str, Any]) -> dict[str, Any]:
    """Leaves `[n_agents, ...]` per group as leaves `[...]` per agent; groups that are absent stay so."""
    return {
        name: jax.tree.map(lambda leaf, k=k: leaf[k], stacked[group])
        for group, agents in members(env).items()
        if group in stacked
        for k, name in enumerate(agents)
    }


def stack(env: Environment, values: Mapping[str, Any], xp: Any) -> dict[str, Any]:
    """Leaves `[...]` per agent as leaves `[n_agents, ...]` per group; `xp` is `numpy` or `jax.numpy`."""
    return {
        group: jax.tree.map(lambda *leaves: xp.stack(leaves), *(values[name] for name in agents))
        for group, agents in members(env).items()
    }


def check_names(expected: Iterable[str], actions: Mapping[str, Any]) -> None:
    """`TypeError` where actions are no mapping, `ValueError` where they are not one per agent."""
    if not isinstance(actions, Mapping):
        raise TypeError(f"actions is a {type(actions).__name__}, expected a dict by agent")
    expected = list(expected)
    missing = [name for name in expected if name not in actions]
    unknown = [name for name in actions if name not in expected]
    if missing:
        raise ValueError(f"no action for {', '.join(missing)}: expected one for every agent")
    if unknown:
        raise ValueError(f"action for {', '.join(map(str, unknown))}; agents: {', '.join(expected)}")
