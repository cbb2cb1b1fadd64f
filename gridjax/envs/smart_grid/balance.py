"""The energy balance of an agent over one step: battery, grid, then curtailment, then unserved demand.

With everything in kW at the connection point, to rounding

    sun - curtailed + battery + received + trade + imbalance = demand - unserved.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from gridjax.devices import Battery
from gridjax.devices.battery import power_limits


class Ability(NamedTuple):
    """What an agent's own devices can do in a step, kW `[n_agent]`, all >= 0."""

    sun: jax.Array  # what the inverter lets through
    charge: jax.Array
    discharge: jax.Array
    send: jax.Array  # to neighbours, once its own demand is met
    take: jax.Array  # from neighbours: what sun leaves of demand, and the battery's room
    shortage: jax.Array  # demand beyond all its sun and battery


class Balance(NamedTuple):
    """kW `[n_agent]`."""

    battery: jax.Array  # positive for discharge
    trade: jax.Array  # scheduled with the grid once neighbours are served, positive for import
    imbalance: jax.Array  # settled with the grid beyond that, same sign
    curtailed: jax.Array  # sun not used, >= 0
    unserved: jax.Array  # demand not met, >= 0
    drawn: jax.Array  # from the network at the connection point, transfers included

    @property
    def exchange(self) -> jax.Array:
        """Trade and imbalance together, positive for import."""
        return self.trade + self.imbalance


def ability(
    demand: jax.Array,
    sun: jax.Array,
    battery: Battery,
    energy: jax.Array,
    inverter: jax.Array,
    connection: jax.Array,
    hours: float,
) -> Ability:
    """Ability at `demand` and `sun` (kW) with `energy` (kWh) in the battery.

    Sun and battery share an inverter of `inverter` kVA. `connection` (kW) bounds transfers as a whole. An
    agent sends only what it has itself, never what it would buy.
    """
    usable = jnp.minimum(sun, inverter)
    charge, discharge = power_limits(battery, energy, hours)
    charge = jnp.minimum(charge, inverter + usable)
    discharge = jnp.minimum(discharge, inverter - usable)
    return Ability(
        sun=usable,
        charge=charge,
        discharge=discharge,
        send=jnp.clip(usable + discharge - demand, 0.0, connection),
        take=jnp.clip(demand + charge - usable, 0.0, connection),
        shortage=jnp.maximum(demand - usable - discharge, 0.0),
    )


def settle(
    demand: jax.Array,
    sun: jax.Array,
    able: Ability,
    received: jax.Array,
    trade: jax.Array,
    connection: jax.Array,
    connected: jax.Array,
) -> Balance:
    """Settle the step, in kW: the battery takes what is left of demand, then the grid, then nobody.

    `received` is net from neighbours (within `able`), `trade` the wish to buy (positive) or sell. Neighbours
    come first: what they give is not bought from the grid, what they take is not sold to it. Transfers are
    agreed upon in the step itself, so that nobody could know them when the wish is made. At the connection
    point |received + trade + imbalance| <= `connection`; without a grid (`connected` false) trade and
    imbalance are zero.
    """
    bought = jnp.maximum(jnp.maximum(trade, 0.0) - jnp.maximum(received, 0.0), 0.0)
    sold = jnp.maximum(jnp.maximum(-trade, 0.0) - jnp.maximum(-received, 0.0), 0.0)
    trade = bought - sold
    most = jnp.where(connected, connection - received, 0.0)
    least = jnp.where(connected, -connection - received, 0.0)
    trade = jnp.clip(trade, least, most)
    residual = demand - able.sun - received - trade
    battery = jnp.clip(residual, -able.charge, able.discharge)
    left = residual - battery
    imbalance = jnp.clip(left, least - trade, most - trade)
    beyond = left - imbalance
    curtailed = jnp.clip(-beyond, 0.0, able.sun) + (sun - able.sun)
    unserved = jnp.clip(beyond, 0.0, demand)
    return Balance(battery, trade, imbalance, curtailed, unserved, received + trade + imbalance)
