"""What a step leaves behind: devices and grid after it, and what devices used."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gridjax.devices import battery, generator, heat_pump
from gridjax.envs.resilience import observation
from gridjax.envs.resilience.grid import Grid
from gridjax.envs.resilience.state import Params, State
from gridjax.envs.resilience.supply import Supply, Wishes
from gridjax.envs.resilience.topology import NOMINAL_FREQUENCY, Layout, Parts
from gridjax.scenarios import outages


class Step(NamedTuple):
    """What was asked for in a step, and what the grid made of it."""

    wishes: Wishes
    pump_power: jax.Array  # [n_load], kW wanted
    demand: jax.Array  # [n_bus, 3], kW of each tier, heat pumps included
    present: jax.Array  # [], bool: the grid is there
    network: Parts
    given: Supply
    grid: Grid


class Used(NamedTuple):
    """What devices took and gave in a step."""

    burnt: jax.Array  # [n_generator], l
    starts: jax.Array  # [n_generator], 1 where it was started
    wasted: jax.Array  # [], kWh, in batteries
    wear: jax.Array  # [], EUR
    discharged: jax.Array  # [n_battery], kWh, negative for charging
    generated: jax.Array  # [n_generator], kWh


def aftermath(layout: Layout, state: State, step: Step, params: Params, hours: float) -> tuple[State, Used]:
    """`state` with devices and grid as they are after `step`, `hours` long, and what devices used."""
    campus, given, grid, present = params.campus, step.given, step.grid, step.present
    pile, n_battery = campus.battery, state.energy.shape[0]
    stored, engines = grid.power[:n_battery], grid.power[n_battery:]
    energy = battery.advance(pile, state.energy, stored, hours)
    commitment = step.wishes.commitment
    idle = commitment.on & ~given.online[n_battery:]
    # one whose part is dead does not run
    ran = commitment._replace(on=commitment.on & ~idle)
    running = generator.advance(
        campus.generator, state.generator, ran, engines, idle, state.timeline.generator_repair, hours
    )
    attempts = state.generator.attempts + (commitment.fresh | commitment.failed).astype(jnp.int32)
    fuel, delivery, delivered = _refuelled(running.fuel, state, params, hours)
    pumps = campus.pump_bus
    heated = given.served[pumps, 2] / jnp.maximum(step.demand[pumps, 2], 1e-9)
    of_campus = jnp.array(layout.campus)
    _, mine = observation.of_managers(params)
    total, met = (jnp.sum(part, axis=-1) @ mine for part in (step.demand, given.served))
    after = replace(
        state,
        energy=energy,
        generator=replace(running, fuel=fuel, attempts=attempts),
        power=grid.power,
        locked=jnp.where(given.tripped, params.black_start_hours, jnp.maximum(state.locked - hours, 0.0)),
        temperature=heat_pump.advance(
            campus.heat_pump, state.temperature, state.now.outdoors, step.pump_power * heated, hours
        ),
        closed=step.network.closed,
        connected=step.network.connected,
        energised=jnp.where(of_campus, given.live, present),
        voltage=grid.voltage,
        frequency=jnp.where(of_campus, given.frequency, jnp.where(present, NOMINAL_FREQUENCY, 0.0)),
        served=met / jnp.maximum(total, 1e-9),
        exchange=grid.exchange,
        dark=jnp.where(present, 0.0, state.dark + hours),
        delivery=delivery,
        delivered=delivered,
        deviation=grid.deviation,
    )
    burnt = generator.fuel_use(campus.generator, engines, ran.on, hours)
    used = Used(
        burnt=burnt,
        starts=(commitment.fresh & ran.on).astype(burnt.dtype),
        wasted=jnp.sum(battery.wasted(pile, state.energy, stored, hours)),
        wear=jnp.sum(battery.wear_cost(pile, stored, hours)),
        discharged=stored * hours,
        generated=engines * hours,
    )
    return after, used


def _refuelled(
    fuel: jax.Array, state: State, params: Params, hours: float
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Fuel (l) after what arrives, h until the next delivery, and how many there were."""
    tank = params.campus.generator.tank
    delay = outages.delivery_hours(state.timeline, state.delivered, state.step)
    orders = (state.delivery < 0.0) & jnp.any(fuel < params.order_below * tank)
    left = jnp.where(orders, delay, jnp.maximum(state.delivery - hours, 0.0))
    arrives = (orders | (state.delivery >= 0.0)) & (left <= 0.0)
    waiting = (orders | (state.delivery >= 0.0)) & ~arrives
    return (
        jnp.where(arrives, tank, fuel),
        jnp.where(waiting, left, -1.0),
        state.delivered + arrives.astype(jnp.int32),
    )
