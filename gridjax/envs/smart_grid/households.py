"""What each prosumer owns: ratings, drawn once on the host, in proportion to its demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.devices import Battery, HeatPump, Vehicle

Array = Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Households:
    """One entry per agent, `[n_agent]`; kW, kVA, kVAr, kWh."""

    bus: Array  # int, row of the network
    demand: Array  # kW, demand at profile 1
    reactive: Array  # kVAr, reactive demand at profile 1
    sun: Array  # kW, installed peak; 0: none
    inverter: Array  # kVA, shared by sun and battery; 0: none
    connection: Array  # kW, most that passes the connection point, either way
    demand_profile: Array  # int, column of the demand table
    sun_profile: Array  # int, column of the sun table
    lag: Array  # int, steps by which its habits are late
    battery: Battery
    vehicle: Vehicle
    heat_pump: HeatPump


@dataclass(frozen=True)
class Shares:
    """Share of the agents that own a thing, each in [0, 1]."""

    sun: float = 0.8
    battery: float = 0.8
    vehicle: float = 0.0
    heat_pump: float = 0.0


def draw_households(
    bus: np.ndarray,
    demand: np.ndarray,
    reactive: np.ndarray,
    demand_profiles: np.ndarray,
    n_sun_profile: int,
    shares: Shares,
    seed: int,
) -> Households:
    """Households at `bus` `[n]` with peaks `demand` (kW) and `reactive` (kVAr).

    Installed sun is 1.5 to 2.5 times the peak demand, the battery 0.8 to 1.4 h of installed sun, with half
    its capacity as power per hour: assumptions, of the order of what is sold with roofs of sun today. Who
    lacks sun is drawn first, who lacks a battery among the others as far as they suffice, so that few lack
    both.
    """
    rng = np.random.default_rng(seed)
    n = bus.size
    order = rng.permutation(n)
    lacks_sun, lacks_battery = (n - round(share * n) for share in (shares.sun, shares.battery))
    has_sun, has_battery = np.ones(n), np.ones(n)
    has_sun[order[:lacks_sun]] = 0.0
    has_battery[np.roll(order, -lacks_sun)[:lacks_battery]] = 0.0
    has_vehicle, has_pump = (
        (rng.permutation(n) < round(share * n)).astype(float) for share in (shares.vehicle, shares.heat_pump)
    )
    size = rng.uniform(1.5, 2.5, n) * demand
    sun = size * has_sun
    capacity = rng.uniform(0.8, 1.4, n) * size * has_battery
    power = 0.5 * capacity
    # German households: 11 kW charger on about 30 kW of connection; 5 kW of heat pump
    charger, pump = 0.4 * demand * has_vehicle, 0.25 * demand * has_pump
    array = lambda x: jnp.asarray(np.broadcast_to(x, (n,)), jnp.float32)  # noqa: E731
    return Households(
        bus=jnp.asarray(bus, jnp.int32),
        demand=array(demand),
        reactive=array(reactive),
        sun=array(sun),
        inverter=array(np.maximum(0.8 * sun, power)),
        connection=array(np.maximum(1.1 * demand, 0.7 * sun) + charger + pump),
        demand_profile=jnp.asarray(np.resize(rng.permutation(demand_profiles), n), jnp.int32),
        sun_profile=jnp.asarray(rng.integers(0, n_sun_profile, n), jnp.int32),
        lag=jnp.asarray(np.where(np.arange(n) < demand_profiles.size, 0, rng.integers(-4, 5, n)), jnp.int32),
        battery=Battery(
            capacity=array(capacity),
            power=array(power),
            charge_efficiency=array(0.95),
            discharge_efficiency=array(0.95),
            self_discharge=array(4e-5),  # 3 % a month
            wear=array(0.02),  # 200 EUR/kWh over 5000 cycles, both ways counted
        ),
        vehicle=Vehicle(
            power=array(charger),
            efficiency=array(0.9),
            trip=array(0.3 * demand * has_vehicle),
            departure=array(np.round(rng.uniform(6.0, 9.0, n) * 4) / 4),
            arrival=array(np.round(rng.uniform(16.0, 20.0, n) * 4) / 4),
        ),
        heat_pump=HeatPump(
            power=array(pump),
            performance=array(3.0),
            resistance=array(32.0 / np.maximum(0.5 * demand, 1e-6)),  # two thirds of full power at -12 C
            capacitance=array(1.5 * demand),
            lowest=array(19.0),
            highest=array(23.0),
        ),
    )
