"""What agents do how often: the distribution of every entry of every agent's action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gridjax.envs.spaces import Box, Discrete, Hybrid, Space

BINS = 41  # the middle one holds zero
_AT_BOUND = 0.99


def action_distribution(actions: Any, space: Space, labels: Sequence[str]) -> list[dict[str, Any]]:
    """One entry of an agent's action each, in the order of `labels`.

    `actions` are those of a group, `[..., n_agents, n]` (or as its space has them). An entry has its `label`,
    `edges` (from -1 to 1, or nearer where no action is far from zero) or `levels`, and `shares`
    `[n_agents, n_bin]`; reals also mean, deviation, the quartiles `[n_agents, 3]`, and `at_bounds`, the share
    beyond 0.99 either way.
    """
    reals, chosen = _parts(actions, space)
    n_level = space.discrete.n if isinstance(space, Hybrid) else space.n if isinstance(space, Discrete) else 0
    entries = [_real(entry) for entry in (() if reals is None else np.moveaxis(reals, -1, 0))]
    entries += [_choice(entry, n_level) for entry in (() if chosen is None else np.moveaxis(chosen, -1, 0))]
    if len(entries) != len(labels):
        raise ValueError(f"got {len(labels)} labels for actions of {len(entries)} entries")
    return [{"label": label, **entry} for label, entry in zip(labels, entries)]


def _parts(actions: Any, space: Space) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Reals and choices, `[n_sample, n_agents, n]` each, None where there are none."""
    if isinstance(space, Hybrid):
        return (
            _flat(actions["continuous"], space.continuous.shape),
            _flat(actions["discrete"], space.discrete.shape),
        )
    flat = _flat(actions, space.shape)
    return (flat, None) if isinstance(space, Box) else (None, flat)


def _flat(x: Any, shape: tuple[int, ...]) -> np.ndarray:
    x = np.asarray(x)
    agents = x.shape[x.ndim - len(shape) - 1]
    return x.reshape(-1, agents, int(np.prod(shape)))


def _real(values: np.ndarray) -> dict[str, Any]:
    values = np.clip(values, -1.0, 1.0).T  # [n_agents, n_sample]
    farthest = np.abs(values).max()
    bound = 1.0 if farthest > 0.5 else max(1.2 * farthest, 0.01)
    edges = np.linspace(-bound, bound, BINS + 1)
    return {
        "edges": edges,
        "shares": np.stack([np.histogram(row, edges)[0] / row.size for row in values]),
        "mean": values.mean(axis=1),
        "deviation": values.std(axis=1),
        "quartiles": np.quantile(values, [0.25, 0.5, 0.75], axis=1).T,
        "at_bounds": np.mean(np.abs(values) > _AT_BOUND, axis=1),
    }


def _choice(values: np.ndarray, n_level: int) -> dict[str, Any]:
    shares = np.stack([np.bincount(row.astype(int), minlength=n_level) / row.size for row in values.T])
    return {"levels": list(range(n_level)), "shares": shares}
