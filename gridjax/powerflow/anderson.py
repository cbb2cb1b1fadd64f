"""A chord iteration with Anderson's acceleration, for a batch of independent scenarios."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

_SINGLE_FLOOR = 2e-6  # error at which float64 takes over: what float32 can still see of it is rounding
_SAFETY = 2.0  # on the rate of convergence, which is an estimate
_LONGEST = 1.0  # of one correction
_MIXED = 3.0  # largest weight of an earlier step
_INDEPENDENT = 1e-4  # squared sine below which two changes of the residual count as one


class Ended(NamedTuple):
    """Where the iteration ended, per scenario."""

    state: jax.Array  # [unknown, batch]
    iterations: jax.Array  # [batch], int32
    error: jax.Array  # [batch], estimate of the largest error; infinite where it diverges
    rate: jax.Array  # [batch], at which corrections shrank last


class _History(NamedTuple):
    """What is left of earlier steps, float32 `[unknown, batch]`: corrections, nothing larger."""

    correction: jax.Array
    step: jax.Array
    older_change: jax.Array  # of the correction
    older_move: jax.Array  # of the state with its correction


def accelerate(
    correct: Callable[[jax.Array], jax.Array],
    start: jax.Array,
    first: jax.Array,
    bound: jax.Array,
    tolerance: float,
    max_iterations: int,
) -> Ended:
    """Solve `correct(x) = 0` where x + correct(x) is nearer to the solution than x, for every scenario.

    Args:
        correct: real `[unknown, batch]` to float32 corrections of that shape, for either precision.
        start: x to begin with, `[unknown, batch]`.
        first: `correct(start)`.
        bound: largest magnitude of every unknown, `[unknown, 1]`.
        tolerance: estimated error at which a scenario is finished and left alone, so that its result does
            not depend on its batch. Float64 begins in float32.
        max_iterations: at most, the first correction included.

    The estimate is that of a linearly convergent sequence of corrections, with the slower of the last two
    rates.
    """
    batch = start.shape[-1]
    ended = Ended(
        state=start,
        iterations=jnp.zeros(batch, jnp.int32),
        error=jnp.full(batch, jnp.inf, jnp.float32),
        rate=jnp.ones(batch, jnp.float32),
    )
    if start.dtype == jnp.float64 and tolerance < _SINGLE_FLOOR:
        # what is near already would lose digits
        far = jnp.max(jnp.abs(first), axis=0) > _SINGLE_FLOOR
        single = ended._replace(state=start.astype(jnp.float32), error=jnp.where(far, jnp.inf, 0.0))
        single = _iterate(correct, single, first, bound, _SINGLE_FLOOR, max_iterations)
        state = jnp.where(far, single.state.astype(start.dtype), start)
        left = single.error < _SINGLE_FLOOR
        error = jnp.where(left, jnp.inf, jnp.nan).astype(jnp.float32)  # who fails in float32 stays as he is
        ended = single._replace(state=state, error=error)
        first = correct(state)
    ended = _iterate(correct, ended, first, bound, tolerance, max_iterations)
    return ended._replace(error=jnp.where(jnp.isnan(ended.error), jnp.inf, ended.error).astype(start.dtype))


def _iterate(correct, begin: Ended, first, bound, tolerance, max_iterations) -> Ended:
    """Iterate the scenarios of `begin` whose error is at least `tolerance`; `first` is their correction."""
    dtype = begin.state.dtype
    eps = float(jnp.finfo(dtype).eps)
    limit = bound.astype(dtype)

    def advance(ended: Ended, moved, correction, step):
        active = (ended.error >= tolerance) & (ended.iterations < max_iterations)
        change = jnp.maximum(jnp.max(jnp.abs(correction), axis=0), jnp.max(jnp.abs(step), axis=0))
        # changes at rounding level say nothing about the rate
        telling = (moved > 1e3 * eps) & jnp.isfinite(moved)
        rate = jnp.where(telling, change / jnp.where(telling, moved, 1.0), ended.rate)
        worse = _SAFETY * jnp.maximum(rate, ended.rate)
        error = jnp.where(worse < 1.0, change * worse / jnp.maximum(1.0 - worse, eps), jnp.inf)
        # where nothing is left there is no rate either
        error = jnp.where(change < 1e-2 * tolerance, change, error)
        step = jnp.where(active, step, 0.0)
        ended = Ended(
            state=jnp.clip(ended.state + step.astype(dtype), -limit, limit),
            iterations=ended.iterations + active,
            error=jnp.where(active, error, ended.error),
            rate=jnp.where(active, rate, ended.rate),
        )
        return ended, jnp.where(active, change, moved), step

    def unfinished(carry):
        ended, *_ = carry
        return jnp.any((ended.error >= tolerance) & (ended.iterations < max_iterations))

    def body(carry):
        ended, moved, history = carry
        correction = _bounded(correct(ended.state))
        step, later = _mix(correction, history)
        ended, moved, step = advance(ended, moved, correction, step)
        return ended, moved, later._replace(step=step)

    first = _bounded(first)
    infinite = jnp.full(first.shape[-1], jnp.inf, jnp.float32)
    ended, moved, step = advance(begin, infinite, first, first)
    history = _History(first, step, jnp.zeros_like(first), jnp.zeros_like(first))
    return jax.lax.while_loop(unfinished, body, (ended, moved, history))[0]


def _bounded(correction: jax.Array) -> jax.Array:
    return jnp.clip(correction, -_LONGEST, _LONGEST)


def _mix(correction: jax.Array, history: _History) -> tuple[jax.Array, _History]:
    """The step from x: its correction, less the combination of the last two that explains it best."""
    change = correction - history.correction
    move = history.step + change
    older_change, older_move = history.older_change, history.older_move

    def dot(a, b):
        return jnp.sum(a * b, axis=0)

    a11, a12, a22 = dot(change, change), dot(change, older_change), dot(older_change, older_change)
    h1, h2 = dot(change, correction), dot(older_change, correction)
    safe = jnp.maximum(a11, 1e-36)
    slope = a12 / safe
    remaining = a22 - a12 * slope
    independent = remaining > _INDEPENDENT * a22
    older = jnp.where(independent, (h2 - slope * h1) / jnp.where(independent, remaining, 1.0), 0.0)
    older = jnp.clip(older, -_MIXED, _MIXED)
    newer = jnp.clip((h1 - a12 * older) / safe, -_MIXED, _MIXED)
    step = correction - newer * move - older * older_move
    return step, _History(correction, step, change, move)
