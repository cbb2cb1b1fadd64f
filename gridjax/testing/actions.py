"""Actions of every kind: random, extreme, and outside of their space."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridjax.envs.environment import Environment
from gridjax.envs.spaces import Box, Hybrid, Space

KINDS = ("random", "lowest", "highest", "corner", "threefold", "millionfold")


def all_actions(env: Environment, params: Any, steps: int) -> dict[str, Any]:
    """Actions `[n_kind, steps, n_agents, ...]` per group; the last two kinds are out of range.

    Masks are not heeded: what they forbid must be survived.
    """
    random = np.random.default_rng(0)
    spaces = env.action_space(params)
    return {group: _kinds(spaces[group], (steps, n), random) for group, n in env.groups.items()}


def _kinds(space: Space, leading: tuple[int, int], random: np.random.Generator) -> Any:
    if isinstance(space, Hybrid):
        parts = {"continuous": space.continuous, "discrete": space.discrete}
        return {name: _kinds(part, leading, random) for name, part in parts.items()}
    shape = (*leading, *space.shape)
    if isinstance(space, Box):
        inside, one = random.uniform(-1.0, 1.0, shape), np.ones(shape)
        corner = random.choice([-1.0, 1.0], shape)
        return np.stack([inside, -one, one, corner, 3.0 * corner, 1e6 * corner]).astype(np.float32)
    inside, last = random.integers(0, space.n, shape), np.full(shape, space.n - 1)
    corner = random.choice([0, space.n - 1], shape)
    beyond = random.choice([-1, 1], shape)
    kinds = [inside, np.zeros(shape), last, corner, corner + 3 * space.n * beyond, 10**6 * beyond]
    return np.stack(kinds).astype(np.int32)
