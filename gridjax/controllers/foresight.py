"""Optimum with perfect information over a day: Adam on the actions of all steps, through the environment.

The gradient passes through settlement, batteries and the AC power flow (implicit function theorem). The day
is not quite convex (agreements are minima of two actions), so the result is the best of a local search that
starts from a rule: no more than the optimum. `cost_bound` bounds the cost term from the other side.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gridjax.controllers.prosumer import Rule, prosumer_rule
from gridjax.envs.smart_grid import GROUP, Params, SmartGrid, State

Array = Any
_FIRST, _SECOND = 0.9, 0.99  # Adam's memories: short, for a search of a few hundred steps


class Plan(NamedTuple):
    """Actions of a day and their mean reward per step and agent."""

    actions: Array  # [n_step, n_agent, n_action]
    reward: Array  # []
    begun: Array  # [], reward of the rule that the search started from


@partial(jax.jit, static_argnums=(0, 5))
def plan_day(
    env: SmartGrid,
    params: Params,
    state: State,
    keys: jax.Array,
    rule: Rule,
    iterations: int = 400,
    rate: float = 0.02,
) -> Plan:
    """Best actions found for the `len(keys)` steps that begin in `state`, `transition` given `keys`.

    `rate` is that of Adam, falling to nothing along a cosine. The plan knows all demand, sun, prices and
    events to come.
    """

    def follow(actions):
        def step(state, inputs):
            key, action = inputs
            out = env.transition(key, state, {GROUP: action}, params)
            return out.state, jnp.mean(out.reward[GROUP])

        return jnp.mean(jax.lax.scan(step, state, (keys, actions))[1])

    def by_rule(state, key):
        actions = prosumer_rule(rule, env, state, params)
        return env.transition(key, state, actions, params).state, actions[GROUP]

    start = jax.lax.scan(by_rule, state, keys)[1]
    slope = jax.value_and_grad(follow)

    def improve(carry, turn):
        actions, first, second, best, best_value = carry
        value, gradient = slope(actions)
        gradient = jnp.where(jnp.isfinite(gradient), gradient, 0.0)
        better = value > best_value
        best, best_value = jnp.where(better, actions, best), jnp.where(better, value, best_value)
        first = _FIRST * first + (1 - _FIRST) * gradient
        second = _SECOND * second + (1 - _SECOND) * gradient**2
        ahead = first / (1 - _FIRST ** (turn + 1)) / (jnp.sqrt(second / (1 - _SECOND ** (turn + 1))) + 1e-8)
        fade = 0.5 + 0.5 * jnp.cos(jnp.pi * turn / iterations)
        return (jnp.clip(actions + rate * fade * ahead, -1.0, 1.0), first, second, best, best_value), value

    none = jnp.zeros_like(start)
    carry = (start, none, none, start, jnp.asarray(-jnp.inf, start.dtype))
    (last, _, _, best, best_value), values = jax.lax.scan(
        improve, carry, jnp.arange(iterations, dtype=start.dtype)
    )
    final = follow(last)
    better = final > best_value
    return Plan(jnp.where(better, last, best), jnp.maximum(final, best_value), values[0])
