"""A chord iteration with Anderson's acceleration, for a batch of independent scenarios."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

State = tuple[jax.Array, ...]

_SAFETY = 3.0  # on the rate of convergence, which is an estimate
_FASTEST = 0.02  # rate that the estimate trusts
_UNKNOWN_RATE = 0.25  # until there are two corrections
_MIXED = 3.0  # largest weight of an earlier step
_INDEPENDENT = 1e-4  # squared sine below which two changes of the residual count as one
_PATIENCE = 10  # corrections in a row that are no progress, after which a scenario is given up
_PROGRESS = 0.7  # of the least correction so far


class History(NamedTuple):
    """What is left of earlier steps, `[unknown, batch]`; `steps` is how many there were."""

    correction: jax.Array
    step: jax.Array
    older_change: jax.Array  # of the correction
    older_move: jax.Array  # of the unknowns with their correction
    steps: jax.Array  # []


class Progress(NamedTuple):
    """How every scenario is doing, `[batch]`."""

    iterations: jax.Array  # int32
    error: jax.Array  # estimate of the largest error of an unknown
    rate: jax.Array  # at which corrections shrank last
    last: jax.Array  # largest entry of the last correction
    least: jax.Array  # of the smallest correction that was progress
    idle: jax.Array  # corrections since


def begin(batch: int) -> Progress:
    """Before the first iteration."""
    infinite = jnp.full(batch, jnp.inf, jnp.float32)
    zero = jnp.zeros(batch, jnp.int32)
    rate = jnp.full(batch, _UNKNOWN_RATE, jnp.float32)
    return Progress(zero, infinite, rate, infinite, infinite, zero)


def no_history(unknowns: int, batch: int) -> History:
    """Before the first step."""
    zero = jnp.zeros((unknowns, batch), jnp.float32)
    return History(zero, zero, zero, zero, jnp.int32(0))


def accelerate(
    correct: Callable[[State], jax.Array],
    move: Callable[[State, jax.Array], State],
    state: State,
    progress: Progress,
    history: History,
    tolerance: float,
    max_iterations: int,
    rounding: float,
    estimate: bool = True,
) -> tuple[State, Progress, History]:
    """Solve `correct(state) = 0`, where to move by the correction brings a state nearer to the solution.

    Args:
        correct: state to float32 corrections of the unknowns `[unknown, batch]`.
        move: state and step to state; a step of zero leaves a scenario as it is, to the bit.
        tolerance: estimated error at which a scenario is finished and left alone, so that its result does
            not depend on its batch.
        max_iterations: at most. A scenario that makes no progress for some iterations is given up before.
        rounding: corrections below say nothing about the rate of convergence.

    The estimate is that of a linearly convergent sequence of corrections, with the slower of the last two
    rates; the last correction itself unless `estimate`.
    """

    def unfinished(carry):
        return jnp.any(going(carry[1], tolerance, max_iterations))

    def body(carry):
        state, progress, history = carry
        active = going(progress, tolerance, max_iterations)
        correction = correct(state)
        step, history = mix(correction, history)
        progress = advance(progress, active, correction, step, tolerance, rounding, estimate)
        step = jnp.where(active, step, 0.0)
        return move(state, step), progress, history._replace(step=step)

    return jax.lax.while_loop(unfinished, body, (state, progress, history))


def going(progress: Progress, tolerance: float, max_iterations: int) -> jax.Array:
    """Which scenarios are to be iterated, bool `[batch]`."""
    return (progress.error >= tolerance) & (progress.iterations < max_iterations) & hopeful(progress)


def hopeful(progress: Progress) -> jax.Array:
    """Which scenarios make progress, bool `[batch]`."""
    return progress.idle < _PATIENCE


def advance(
    progress: Progress,
    active: jax.Array,
    correction: jax.Array,
    step: jax.Array,
    tolerance: float,
    rounding: float,
    estimate: bool = True,
) -> Progress:
    """After a correction and the step that was made of it, for the scenarios that are `active`."""
    change = jnp.maximum(jnp.max(jnp.abs(correction), axis=0), jnp.max(jnp.abs(step), axis=0))
    telling = (progress.last > rounding) & jnp.isfinite(progress.last)
    rate = jnp.where(telling, change / jnp.where(telling, progress.last, 1.0), progress.rate)
    worse = _SAFETY * jnp.maximum(jnp.maximum(rate, progress.rate), _FASTEST)
    error = jnp.where(worse < 1.0, change * worse / jnp.maximum(1.0 - worse, 1e-6), jnp.inf)
    # where nothing is left there is no rate either
    error = jnp.where(change < 1e-2 * tolerance, change, error) if estimate else change
    better = change < _PROGRESS * progress.least
    later = Progress(
        iterations=progress.iterations + 1,
        error=error,
        rate=rate,
        last=change,
        least=jnp.where(better, change, progress.least),
        idle=jnp.where(better, 0, progress.idle + 1),
    )
    return Progress(*(jnp.where(active, new, old) for new, old in zip(later, progress)))


def mix(correction: jax.Array, history: History) -> tuple[jax.Array, History]:
    """The step to make: the correction, less the combination of the last two steps that explains it best.

    D. G. Anderson, Iterative procedures for nonlinear integral equations, J. ACM 12, 1965.
    """
    change = jnp.where(history.steps > 0, correction - history.correction, 0.0)
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
    return step, History(correction, step, change, move, history.steps + 1)
