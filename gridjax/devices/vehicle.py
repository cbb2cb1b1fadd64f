"""Electric vehicle at a charger: present between arrival and departure, with energy it needs by then.

Its state is the need: energy (kWh) still to be put into the vehicle before it leaves. It grows by that of a
trip at arrival, shrinks by charging, and what is left of it at departure has not been served.

Functions take and give `[n]`, an entry for each vehicle; `hour` of the day is a scalar, `hours` the length
of a step, h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

Array = Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Vehicle:
    """Ratings `[n]`; power 0: no vehicle. Arrival is later in the day than departure."""

    power: Array  # kW at the charger
    efficiency: Array  # in (0, 1], charger to vehicle
    trip: Array  # kWh that a day's trips take out of the vehicle
    departure: Array  # h of the day, whole steps
    arrival: Array  # h of the day, whole steps


def present(vehicle: Vehicle, hour: jax.Array) -> jax.Array:
    """Whether it is at the charger at `hour` of the day: bool."""
    return (hour < vehicle.departure) | (hour >= vehicle.arrival)


def hours_left(vehicle: Vehicle, hour: jax.Array) -> jax.Array:
    """Hours until the next departure, in (0, 24]."""
    return jnp.where(hour < vehicle.departure, vehicle.departure - hour, vehicle.departure - hour + 24.0)


def charging_power(
    vehicle: Vehicle, need: jax.Array, action: jax.Array, hour: jax.Array, hours: float
) -> jax.Array:
    """Charging power (kW) of an action in [-1, 1]; 0 when away.

    0 charges evenly until departure, 1 as fast as possible, -1 not at all, linear in between; never more
    than the need of the moment.
    """
    most = jnp.minimum(vehicle.power, need / (vehicle.efficiency * hours))
    even = jnp.minimum(need / (vehicle.efficiency * hours_left(vehicle, hour)), most)
    power = even + jnp.where(action > 0.0, action * (most - even), action * even)
    return jnp.where(present(vehicle, hour), power, 0.0)


def advance(
    vehicle: Vehicle, need: jax.Array, power: jax.Array, hour: jax.Array, hours: float
) -> tuple[jax.Array, jax.Array]:
    """Need after `power` for `hours` from `hour`, and what a departure then leaves unserved; kWh."""
    left = jnp.maximum(need - vehicle.efficiency * power * hours, 0.0)
    end = hour + hours
    leaves = jnp.abs(end - vehicle.departure) < 0.5 * hours
    comes = jnp.abs(end - vehicle.arrival) < 0.5 * hours
    missed = jnp.where(leaves, left, 0.0)
    left = jnp.where(leaves, 0.0, left)
    return left + jnp.where(comes & (vehicle.power > 0.0), vehicle.trip, 0.0), missed
