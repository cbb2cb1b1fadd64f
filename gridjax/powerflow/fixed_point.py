"""Iterate a batch to its fixed points, each scenario as long as it needs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

State = Any

_SINGLE_STEPS = 12  # float32 iterations at most before float64 takes over
_SINGLE_FLOOR = 2e-6  # change of e at which float32 has given what it can
_SAFETY = 2.0  # on the rate of convergence, which is an estimate


class Found(NamedTuple):
    """Where an iteration ended, per scenario."""

    state: Any
    iterations: jax.Array  # [batch], int32
    error: jax.Array  # [batch], estimate of the distance to the fixed point; infinite where it diverges


def iterate_until(
    step: Callable[[State], State], start: State, tolerance: float, max_iterations: int
) -> Found:
    """Iterate `step` on a pytree of real `[..., batch]` until the estimated error is below `tolerance`.

    The estimate is that of a linearly convergent sequence, change * rate / (1 - rate), with the slower of
    the last two rates at which the changes of this scenario shrank. A finished scenario is left alone, so
    that its result does not depend on its batch. Float64 begins in float32, for the same `step` in either.
    """
    leaf = jax.tree.leaves(start)[0]
    kind = leaf.dtype
    count = jnp.zeros(leaf.shape[-1], jnp.int32)
    rate = jnp.zeros(leaf.shape[-1], kind)
    state = start
    if kind == jnp.float64 and max_iterations > _SINGLE_STEPS and tolerance < _SINGLE_FLOOR:
        single = jax.tree.map(lambda x: x.astype(jnp.float32), start)
        single, rate, _, count = _loop(
            step, single, rate.astype(jnp.float32), count, _SINGLE_FLOOR, _SINGLE_STEPS, 2
        )
        # a scenario that float32 could not follow begins afresh
        state = jax.tree.map(lambda x, y: jnp.where(rate < 1.0, x.astype(kind), y), single, start)
        rate = rate.astype(kind)
        max_iterations -= _SINGLE_STEPS
    state, _, error, count = _loop(
        step, state, rate, count, tolerance, max_iterations, 1 if kind == jnp.float64 else 2
    )
    return Found(state, count, error)


def _moved(new: State, state: State) -> jax.Array:
    """Largest change per scenario, `[batch]`."""
    largest = jax.tree.map(lambda a, b: jnp.max(jnp.abs(a - b), axis=tuple(range(a.ndim - 1))), new, state)
    return functools.reduce(jnp.maximum, jax.tree.leaves(largest))


def _loop(step, state, rate, iterations, tolerance, max_iterations, sure):
    """`sure` iterations of all scenarios, then more of those that need them."""
    kind = rate.dtype
    eps = float(jnp.finfo(kind).eps)

    def judge(new, state, rate, change):
        moved = _moved(new, state)
        # changes at rounding level say nothing about the rate
        telling = (change > 1e3 * eps) & jnp.isfinite(change)
        ratio = jnp.where(telling, moved / change, rate)
        worse = _SAFETY * jnp.maximum(ratio, rate)
        # before there is a rate, the change itself stands for the error
        estimate = jnp.where(worse > 0.0, moved * worse / jnp.maximum(1.0 - worse, eps), moved)
        return ratio, moved, jnp.where(worse < 1.0, estimate, jnp.inf)

    def unfinished(carry):
        *_, error, _iterations, number = carry
        return (number < max_iterations) & jnp.any(error >= tolerance)

    def body(carry):
        state, rate, change, error, iterations, number = carry
        active = error >= tolerance
        new = step(state)
        judged = judge(new, state, rate, change)
        kept = (jnp.where(active, a, b) for a, b in zip(judged, (rate, change, error)))
        state = jax.tree.map(lambda a, b: jnp.where(active, a, b), new, state)
        return state, *kept, iterations + active, number + 1

    change = jnp.full(rate.shape, jnp.inf, kind)
    error = change
    for _ in range(min(sure, max_iterations)):
        new = step(state)
        rate, change, error = judge(new, state, rate, change)
        state, iterations = new, iterations + 1
    carry = (state, rate, change, error, iterations, jnp.int32(sure))
    state, rate, _, error, iterations, _ = jax.lax.while_loop(unfinished, body, carry)
    return state, rate, error, iterations
