"""Battery with losses, self-discharge and wear; every kilowatt hour is booked.

E' = (1 - sigma h) E + (eta_c c - d / eta_d) h, with charging power c and discharging power d at the terminals
(the usual linear storage model, as in PyPSA). Power is one number, positive for discharge, so the two never
run at once.

Functions take and give `[...]`: energy and power broadcast against the ratings. `hours` is the length of a
step, h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

Array = Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Battery:
    """Ratings `[...]`; leaves broadcast against one another and the energy. Capacity 0: no battery."""

    capacity: Array  # kWh, usable
    power: Array  # kW at the terminals, either way
    charge_efficiency: Array  # in (0, 1]
    discharge_efficiency: Array  # in (0, 1]
    self_discharge: Array  # 1/h
    wear: Array  # EUR per kWh that passes the terminals, either way


def kept(battery: Battery, energy: jax.Array, hours: float) -> jax.Array:
    """What self-discharge leaves of `energy` (kWh) after `hours`."""
    return energy * (1.0 - battery.self_discharge * hours)


def power_limits(battery: Battery, energy: jax.Array, hours: float) -> tuple[jax.Array, jax.Array]:
    """Largest charging and discharging power (kW, both >= 0) that can be held for `hours`."""
    left = kept(battery, energy, hours)
    room = jnp.maximum(battery.capacity - left, 0.0) / (battery.charge_efficiency * hours)
    content = jnp.maximum(left, 0.0) * battery.discharge_efficiency / hours
    return jnp.minimum(battery.power, room), jnp.minimum(battery.power, content)


def advance(battery: Battery, energy: jax.Array, power: jax.Array, hours: float) -> jax.Array:
    """Energy (kWh) after `power` (kW, positive for discharge, within `power_limits`) for `hours`.

    Clipped to [0, capacity], which within the limits takes away rounding only.
    """
    inward = jnp.maximum(-power, 0.0) * battery.charge_efficiency
    outward = jnp.maximum(power, 0.0) / battery.discharge_efficiency
    return jnp.clip(kept(battery, energy, hours) + (inward - outward) * hours, 0.0, battery.capacity)


def wasted(battery: Battery, energy: jax.Array, power: jax.Array, hours: float) -> jax.Array:
    """Energy lost (kWh, >= 0) in conversion and self-discharge while `power` is held for `hours`."""
    charging = jnp.maximum(-power, 0.0) * (1.0 - battery.charge_efficiency)
    discharging = jnp.maximum(power, 0.0) * (1.0 / battery.discharge_efficiency - 1.0)
    return (charging + discharging) * hours + energy - kept(battery, energy, hours)


def wear_cost(battery: Battery, power: jax.Array, hours: float) -> jax.Array:
    """Wear (EUR) of `power` (kW) held for `hours`: proportional to the throughput."""
    return battery.wear * jnp.abs(power) * hours
