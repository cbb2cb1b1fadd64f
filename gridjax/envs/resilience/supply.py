"""Who supplies what in a step: set-points beside the grid, droop and load shedding in islands.

A unit beside the grid follows its set-point. In an island, first the disturbance is followed through seconds
(`devices.swing`): relays shed load in stages, or frequency collapses and the island is black. Then droop
settles (`devices.settle`) with at least as many stages shed as relays shed, and as many more as the supply
asks for over the whole step. Load that was shed stays off until the step ends.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from gridjax.devices import battery
from gridjax.devices.generator import Commitment
from gridjax.devices.swing import Start, settle, swing
from gridjax.envs.resilience.state import Params, State
from gridjax.envs.resilience.topology import Parts

_SECONDS = 0.05  # h, for which a unit must be able to hold its power in a disturbance


class Wishes(NamedTuple):
    """What agents ask for."""

    commitment: Commitment  # [n_generator]
    set_point: jax.Array  # [n_unit], kW
    kept: jax.Array  # [n_bus, 3], share of each tier that the load managers serve


class Supply(NamedTuple):
    """What comes of it; `[n_unit]` where not said otherwise."""

    power: jax.Array  # kW, before losses are known
    lowest: jax.Array  # kW, what it can do over the step
    highest: jax.Array  # kW
    online: jax.Array  # bool, can form a voltage and its part is live
    islanded: jax.Array  # bool, in an island
    tripped: jax.Array  # bool, its island collapsed
    reference: jax.Array  # bool, holds the angle of its island
    live: jax.Array  # [n_bus], bool
    frequency: jax.Array  # [n_bus], Hz, 0 where dead
    served: jax.Array  # [n_bus, 3], kW of demand
    sun: jax.Array  # [n_bus], kW used
    dumped: jax.Array  # kW into a load bank, of the island, at its reference
    stage: jax.Array  # [], int32, most stages shed in an island
    nadir: jax.Array  # [], Hz, lowest frequency of any island in the step; nominal without one
    zenith: jax.Array  # [], Hz, highest
    rate: jax.Array  # [], Hz/s, largest |df/dt|


def limits(wishes: Wishes, state: State, params: Params, hours: float) -> tuple[jax.Array, jax.Array]:
    """Least and most power (kW, `[n_unit]`) that units can hold for `hours`, batteries first."""
    charge, discharge = battery.power_limits(params.campus.battery, state.energy, hours)
    lowest = jnp.concatenate([-charge, wishes.commitment.lowest])
    return lowest, jnp.concatenate([discharge, wishes.commitment.highest])


def supply(
    buses: jax.Array,
    demand: jax.Array,
    wishes: Wishes,
    parts: Parts,
    state: State,
    params: Params,
    hours: float,
) -> Supply:
    """Balance the step.

    Args:
        buses: int `[n_unit]`, of the units.
        demand: kW `[n_bus, 3]`, heat pumps included.
        hours: of the step.
    """
    campus, protection, now = params.campus, params.protection, state.now
    units, nominal = campus.forming, params.protection.nominal
    n_battery = state.energy.shape[0]
    runs = jnp.concatenate([jnp.ones(n_battery, bool), wishes.commitment.on])
    fresh = jnp.concatenate([jnp.zeros(n_battery, bool), wishes.commitment.fresh])
    label, at_unit = parts.label, parts.label[buses]
    beside = parts.connected[buses]
    able = runs & (state.locked <= 0.0) & ~beside
    together = able[:, None] & able & (at_unit[:, None] == at_unit)
    mine = able[:, None] & (at_unit[:, None] == label)  # [n_unit, n_bus]

    lowest, highest = limits(wishes, state, params, hours)
    spare = params.reserve * units.rating
    low, high = jnp.minimum(lowest + spare, 0.0), jnp.maximum(highest - spare, 0.0)
    low = jnp.where(lowest > 0.0, lowest, low)
    high = jnp.maximum(high, low)

    wanted = demand * wishes.kept
    by_stage = jnp.einsum("bt,kt->kb", wanted, params.kept) * (1.0 + params.loss_share)
    load = jnp.sum(jnp.where(mine, by_stage[:, None], 0.0), axis=-1)  # [n_stage + 1, n_unit]
    sun = jnp.sum(jnp.where(mine, now.sun, 0.0), axis=-1)

    begin = Start(
        together=together & ~fresh & ~fresh[:, None],
        frequency=jnp.where(state.frequency[buses] > 0.0, state.frequency[buses], nominal),
        power=state.power,
        set_point=wishes.set_point,
        lowest=low,
        highest=high,
        sun=sun,
        load=load,
    )
    long = settle(units, protection, begin._replace(together=together), load)

    # what was dead picks up load piece by piece: no disturbance
    was_live = state.energised[buses]
    calm = jax.tree.map(lambda x: x[0], long)
    brief_charge, brief_discharge = battery.power_limits(campus.battery, state.energy, _SECONDS)
    generators = campus.generator.power * wishes.commitment.on
    moved = swing(
        units,
        protection,
        begin._replace(
            power=jnp.where(was_live, state.power, calm.power),
            frequency=_shared(begin.together, units.inertia * units.rating, begin.frequency, nominal),
            lowest=jnp.concatenate([-brief_charge, jnp.zeros_like(generators)]),
            highest=jnp.concatenate([brief_discharge, generators]),
        ),
    )
    shaken = was_live & jnp.any(begin.together, axis=-1)
    first = jnp.where(shaken, moved.stage, 0)
    black = _any(together, shaken & moved.collapsed)

    n_stage = protection.threshold.shape[0]
    stages = jnp.arange(n_stage + 1)[:, None]
    # with one more stage left, its relay would trip in the long run
    relay = jnp.append(protection.threshold, protection.lowest)[:, None]
    fits = (long.short <= 1e-3 * (1.0 + load)) & (long.frequency >= relay) & (stages >= first)
    stage = jnp.argmax(fits, axis=0).astype(jnp.int32)
    carried = jnp.any(fits, axis=0) & ~black & able
    settled = jax.tree.map(lambda x: jnp.take_along_axis(x, stage[None], axis=0)[0], long)

    islanded = carried
    live = parts.connected | jnp.any(mine & carried[:, None], axis=0)
    of_bus = jnp.argmax(mine & carried[:, None], axis=0)  # one unit of the island, for what all share
    in_island = live & ~parts.connected
    bus_stage = jnp.where(in_island, stage[of_bus], 0)
    served = wanted * params.kept[bus_stage] * live[:, None]
    share = jnp.where(in_island, (settled.sun / jnp.maximum(sun, 1e-9))[of_bus], 1.0)
    frequency = jnp.where(in_island, settled.frequency[of_bus], jnp.where(live, nominal, 0.0))

    power = jnp.where(carried, settled.power, jnp.where(beside & runs, wishes.set_point, 0.0))
    room = jnp.where(carried, jnp.minimum(highest - power, power - jnp.minimum(lowest, 0.0)), -jnp.inf)
    best = jnp.argmax(jnp.where(together, room, -jnp.inf), axis=-1)
    reference = carried & (best == jnp.arange(best.shape[0]))
    struck = shaken & able
    return Supply(
        power=power,
        lowest=jnp.minimum(lowest, 0.0),
        highest=highest,
        online=carried | (beside & runs),
        islanded=islanded,
        tripped=able & black,
        reference=reference,
        live=live,
        frequency=frequency,
        served=served,
        sun=jnp.minimum(share, 1.0) * now.sun * live,
        dumped=jnp.where(reference, settled.surplus, 0.0),
        stage=jnp.max(jnp.where(in_island, bus_stage, 0)),
        nadir=jnp.min(
            jnp.minimum(
                jnp.where(struck, moved.nadir, nominal), jnp.where(islanded, settled.frequency, nominal)
            )
        ),
        zenith=jnp.max(
            jnp.maximum(
                jnp.where(struck, moved.zenith, nominal), jnp.where(islanded, settled.frequency, nominal)
            )
        ),
        rate=jnp.max(jnp.where(struck, moved.rate, 0.0)),
    )


def _any(together: jax.Array, flag: jax.Array) -> jax.Array:
    return jnp.any(together & flag, axis=-1)


def _shared(together: jax.Array, weight: jax.Array, frequency: jax.Array, nominal: jax.Array) -> jax.Array:
    """Frequency of parts that join: the mean by stored energy."""
    heavy = jnp.where(together, weight, 0.0)
    total = jnp.sum(heavy, axis=-1)
    mean = jnp.sum(heavy * frequency, axis=-1) / jnp.maximum(total, 1e-9)
    return jnp.where(total > 0.0, mean, nominal)
