"""Costs under their bounds: MAPPO-Lagrangian (Gu et al. 2023) on the task's cost channel.

Every bounded cost has a stream of the critic and a multiplier, by which its advantage is taken from that of
the reward. Multipliers rise while a cost is above its bound and fall while it is below: dual ascent.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs.environment import Environment

_LARGEST = 100.0  # multiplier, with which there is hardly anything left of the reward


def check_bounds(env: Environment, params: Any, bounds: Any) -> dict[str, Any] | None:
    """`bounds` by name; `ValueError` for what is no cost of the task, or no bound. Host-side."""
    if bounds is None or (isinstance(bounds, Mapping) and not bounds):
        return None
    if not isinstance(bounds, Mapping):
        raise ValueError(f"cost_bounds: got {bounds!r}, expected a mapping of a task's costs to numbers")
    costs = cost_names(env, params)
    for name, bound in bounds.items():
        if name not in costs:
            known = ", ".join(costs) or "none"
            raise ValueError(f"cost_bounds: got {name!r}, expected a cost of {env.name} ({known})")
        number = isinstance(bound, Real) and not isinstance(bound, bool)
        good = np.isfinite(float(bound)) and float(bound) >= 0.0 if number else hasattr(bound, "dtype")
        if not good:
            raise ValueError(f"cost_bounds[{name!r}]: got {bound!r}, expected a finite number at least 0")
    return {name: bounds[name] for name in sorted(bounds)}


def cost_names(env: Environment, params: Any) -> list[str]:
    """Names of the task's costs. Nothing is computed."""
    _, state = jax.eval_shape(env.reset, jax.random.key(0), params)
    out = jax.eval_shape(env.transition, jax.random.key(0), state, _actions(env, params), params)
    return sorted(out.cost)


def bounded(bounds: dict[str, Any] | None, cost: dict[str, jax.Array], leading: tuple[int, ...]) -> jax.Array:
    """Costs of shape `leading` that have a bound, `[*leading, n_bound]`."""
    if not bounds:
        return jnp.zeros((*leading, 0))
    return jnp.stack([cost[name] for name in bounds], axis=-1)


def excess(bounds: Mapping[str, float] | None, cost: Mapping[str, float], margin: float = 0.0) -> float:
    """How far mean costs are above what is aimed at, in shares of it, summed: 0 where none is. Host-side."""
    aims = {name: (1.0 - margin) * bound for name, bound in (bounds or {}).items()}
    return float(sum(max(cost[name] - aim, 0.0) / max(aim, 1e-8) for name, aim in aims.items()))


def update(
    bounds: dict[str, Any] | None,
    multipliers: jax.Array,
    cost: jax.Array,
    rate: jax.Array | float,
    margin: jax.Array | float = 0.0,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """Multipliers `[n_bound]` after costs `[..., n_bound]`, and metrics: multipliers, and costs over bounds.

    A step is `rate` times the violation of the mean, as a share of the bound or, for a bound near zero, of
    the costs' deviation. It aims `margin`, a share of each bound, below it.
    """
    if not bounds:
        return multipliers, {}
    most = jnp.stack([jnp.asarray(bound, jnp.float32) for bound in bounds.values()])
    flat = cost.reshape(-1, cost.shape[-1])
    mean, spread = jnp.mean(flat, axis=0), jnp.std(flat, axis=0)
    violation = (mean - (1.0 - margin) * most) / jnp.maximum(jnp.maximum(most, 0.1 * spread), 1e-8)
    after = jnp.clip(multipliers + rate * jnp.clip(violation, -1.0, 1.0), 0.0, _LARGEST)
    metrics = {f"multiplier/{name}": x for name, x in zip(bounds, after)}
    return after, metrics | {f"violation/{name}": x for name, x in zip(bounds, mean - most)}


def _actions(env: Environment, params: Any) -> dict[str, Any]:
    """Shapes of actions."""
    spaces = env.action_space(params)
    return {
        name: jax.eval_shape(
            lambda keys, space=spaces[name]: jax.vmap(space.sample)(keys),
            jax.eval_shape(lambda n=n: jax.random.split(jax.random.key(0), n)),
        )
        for name, n in env.groups.items()
    }
