"""Generator set with a fuel tank: it starts, may fail to, runs between its minimum and its rating, trips.

Fuel follows a straight line, F = (intercept rating + slope P) hours (the usual model, as in HOMER Pro's
generator fuel curve).

Functions take and give `[n]`, an entry for each generator. `hours` is the length of a step, h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

Array = Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Generator:
    """Ratings `[n]`."""

    power: Array  # kW
    minimum: Array  # kW, least power while it runs
    ramp: Array  # kW/h, of its set-point
    start_time: Array  # h, from the wish to the first kilowatt
    intercept: Array  # l/h of fuel per kW of rating, at no load
    slope: Array  # l/kWh
    tank: Array  # l
    start_cost: Array  # EUR per start


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Running:
    """State of generators, `[n]`."""

    on: jax.Array  # bool, synchronised at the end of the last step
    fuel: jax.Array  # l
    hours: jax.Array  # h it has run since it was last repaired
    attempts: jax.Array  # int32, starts tried
    repair: jax.Array  # h until it can be started again


class Commitment(NamedTuple):
    """What becomes of a wish in one step, `[n]`."""

    on: jax.Array  # bool, runs in this step
    fresh: jax.Array  # bool, started in this step: not there when the step begins
    tripped: jax.Array  # bool, was running and failed as the step began
    failed: jax.Array  # bool, the start failed
    lowest: jax.Array  # kW, mean over the step, 0 where it does not run
    highest: jax.Array  # kW, mean over the step, likewise


def at_rest(fuel: jax.Array) -> Running:
    """Generators that have never run, with `fuel` (l)."""
    zero = jnp.zeros_like(fuel)
    idle = jnp.zeros(fuel.shape, bool)
    return Running(on=idle, fuel=fuel, hours=zero, attempts=jnp.zeros(fuel.shape, jnp.int32), repair=zero)


def fuel_use(generator: Generator, power: jax.Array, on: jax.Array, hours: jax.Array | float) -> jax.Array:
    """Fuel (l) burnt at `power` (kW) for `hours`; 0 where not `on`."""
    return jnp.where(on, (generator.intercept * generator.power + generator.slope * power) * hours, 0.0)


def commit(
    generator: Generator,
    state: Running,
    wish: jax.Array,
    start_fails: jax.Array,
    trip_after: jax.Array,
    hours: float,
) -> Commitment:
    """Who runs in a step of `hours`.

    Args:
        wish: bool `[n]`, to run.
        start_fails: bool `[n]`, whether the next attempt fails.
        trip_after: h `[n]` of running after which it fails.

    One that fails to start may be tried again in the next step. One without fuel for its minimum over the
    whole step does not run. A start takes its time out of the step's mean power.
    """
    content = state.fuel / hours - generator.intercept * generator.power
    most = jnp.clip(content / generator.slope, 0.0, generator.power)
    able = (state.repair <= 0.0) & (most >= generator.minimum)
    tripped = state.on & (state.hours >= trip_after)
    able = able & ~tripped
    try_now = wish & able & ~state.on
    failed = try_now & start_fails
    fresh = try_now & ~start_fails
    on = (wish & able & state.on) | fresh
    share = jnp.where(fresh, jnp.clip(1.0 - generator.start_time / hours, 0.0, 1.0), 1.0)
    return Commitment(
        on=on,
        fresh=fresh,
        tripped=tripped,
        failed=failed,
        lowest=jnp.where(on, generator.minimum * share, 0.0),
        highest=jnp.where(on, most * share, 0.0),
    )


def set_point(
    generator: Generator, level: jax.Array, before: jax.Array, commitment: Commitment, hours: float
) -> jax.Array:
    """Set-point (kW): minimum at `level` 0, rating at 1, at most `ramp` away from the power `before`."""
    wanted = generator.minimum + level * (generator.power - generator.minimum)
    reach = generator.ramp * hours
    wanted = jnp.clip(wanted, before - reach, before + reach)
    return jnp.clip(wanted, commitment.lowest, commitment.highest)


def advance(
    generator: Generator,
    state: Running,
    commitment: Commitment,
    power: jax.Array,
    stopped: jax.Array,
    repair_hours: jax.Array,
    hours: float,
) -> Running:
    """State after `power` (kW) for `hours`.

    `stopped` (bool) are those that the collapse of their island took off; `repair_hours` how long a failure
    lasts. Fuel is never negative, which within the limits of `commitment` takes away rounding only.
    """
    burnt = fuel_use(generator, power, commitment.on, hours)
    repair = jnp.where(commitment.tripped, repair_hours, jnp.maximum(state.repair - hours, 0.0))
    ran = state.hours + jnp.where(commitment.on, hours, 0.0)
    return Running(
        on=commitment.on & ~stopped,
        fuel=jnp.maximum(state.fuel - burnt, 0.0),
        hours=jnp.where(commitment.tripped, 0.0, ran),
        attempts=state.attempts + (commitment.fresh | commitment.failed).astype(jnp.int32),
        repair=repair,
    )
