"""Heat pump in a house of one thermal mass: C dT/dt = (T_out - T) / R + COP P.

First-order building model (1R1C) with the exact solution over a step of constant inputs (Bacher and Madsen,
Energy and Buildings 43(7), 2011).

Functions take and give `[n]`, an entry for each house; temperatures in degrees C, `outside` also as a
scalar. `hours` is the length of a step, h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

Array = Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class HeatPump:
    """Ratings `[n]`; power 0: no heat pump, and then no comfort is missed."""

    power: Array  # kW, electric
    performance: Array  # COP, heat over electricity
    resistance: Array  # K/kW
    capacitance: Array  # kWh/K
    lowest: Array  # degrees C, comfort band
    highest: Array  # degrees C


def heating_power(
    pump: HeatPump, temperature: jax.Array, outside: jax.Array, action: jax.Array, hours: float
) -> jax.Array:
    """Electric power (kW) of an action in [-1, 1].

    0 brings the house to the middle of its band by the end of the step, as far as the pump can; 1 is full
    power, -1 off, linear in between.
    """
    memory = jnp.exp(-hours / (pump.resistance * pump.capacitance))
    middle = 0.5 * (pump.lowest + pump.highest)
    settled = (middle - memory * temperature) / (1.0 - memory)  # where the inputs must lead in the end
    hold = jnp.clip((settled - outside) / (pump.resistance * pump.performance), 0.0, pump.power)
    return hold + jnp.where(action > 0.0, action * (pump.power - hold), action * hold)


def advance(
    pump: HeatPump, temperature: jax.Array, outside: jax.Array, power: jax.Array, hours: float
) -> jax.Array:
    """Indoor temperature (degrees C) after `power` (kW) for `hours`; stays put without a heat pump."""
    memory = jnp.exp(-hours / (pump.resistance * pump.capacitance))
    settled = outside + pump.resistance * pump.performance * power
    return jnp.where(pump.power > 0.0, settled + (temperature - settled) * memory, temperature)


def discomfort(pump: HeatPump, temperature: jax.Array) -> jax.Array:
    """Kelvin outside of the comfort band, >= 0."""
    beyond = jnp.maximum(pump.lowest - temperature, 0.0) + jnp.maximum(temperature - pump.highest, 0.0)
    return jnp.where(pump.power > 0.0, beyond, 0.0)
