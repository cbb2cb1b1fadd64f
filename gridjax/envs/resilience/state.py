"""Params and state of Resilience-v0: every number of the task, and one episode at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from gridjax.devices.generator import Running
from gridjax.devices.swing import Protection
from gridjax.envs.resilience.campus import Campus
from gridjax.network import Network
from gridjax.powerflow.newton import Newton
from gridjax.scenarios.outages import Rates, Timeline
from gridjax.scenarios.prices import Tariff
from gridjax.scenarios.tables import Tables

Array = Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Weights:
    """Weights of the reward terms; see `rewards`."""

    cost: Array  # []
    resilience: Array  # []
    efficiency: Array  # []
    stability: Array  # []


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Scenario:
    """What an episode is given: where in the year it begins, what is stored, what fails.

    A stack of them, leading axis `[n_scenario]`, is a list of events that controllers are compared on.
    """

    day: Array  # [], int, of the year
    charge: Array  # [n_battery], share of capacity
    fuel: Array  # [n_generator], share of the tank
    timeline: Timeline


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Params:
    """Every number of the task."""

    network: Network
    newton: Newton
    profiles: Tables
    days: Array  # [n_day], int: days of the year an episode may start on
    campus: Campus
    background: Array  # [n_bus], complex p.u.: demand at profile 1 of the town outside
    background_profile: Array  # [n_bus], int
    rates: Rates
    scenarios: Scenario  # [n_scenario, ...], used where `listed`
    listed: Array  # [], bool: episodes are those of `scenarios`, else drawn from `rates`
    tariff: Tariff
    protection: Protection
    kept: Array  # [n_stage + 1, 3], share of each tier that stays on with so many stages shed
    weights: Weights
    unserved_price: Array  # [3], EUR/kWh of each tier
    fuel_price: Array  # [], EUR/l
    stored_price: Array  # [], EUR/kWh: what energy in a battery is worth
    discomfort_price: Array  # [], EUR/(K h)
    reference_power: Array  # [], kW: mean demand of the campus
    reference_bill: Array  # [], EUR: what that costs in a step at the mean import price
    grid_emissions: Array  # [], kg CO2 per kWh imported
    fuel_emissions: Array  # [], kg CO2 per l
    loss_share: Array  # [], losses of an island as expected by its balance, share of the load
    reserve: Array  # [], share of a unit's rating that is kept for what the balance does not know
    black_start_hours: Array  # [], h until a unit whose island collapsed can form a voltage again
    synchronism_frequency: Array  # [], Hz between two live parts, at most, when a switch closes
    synchronism_voltage: Array  # [], p.u., likewise
    forecast_error: Array  # [], relative standard deviation eight hours ahead
    noise: Array  # [], relative standard deviation of what is measured
    message_loss: Array  # [], probability that an agent misses a message
    initial_charge: Array  # [2], share of capacity, uniform between the two
    initial_fuel: Array  # [2], share of the tank, likewise
    order_below: Array  # [], share of the tank at which fuel is ordered
    voltage_low: Array  # [], p.u., band of the metrics and of the voltage cost
    voltage_high: Array  # [], p.u.
    episode_length: Array  # [], int: steps until truncation
    latest_start: Array  # [], int: step in which an episode begins at the latest, uniform from 0


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Now:
    """What is given from outside in the step that begins now."""

    demand: jax.Array  # [n_bus], kW, without heat pumps
    reactive: jax.Array  # [n_bus], kVAr
    sun: jax.Array  # [n_bus], kW
    outdoors: jax.Array  # [], degrees C
    buy: jax.Array  # [], EUR/kWh
    sell: jax.Array  # [], EUR/kWh


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """One episode at one instant. What the grid did is that of the step before, at rest after a reset."""

    clock: jax.Array  # [], int32, steps since 1 January, midnight
    step: jax.Array  # [], int32, since the midnight before the episode began
    timeline: Timeline
    unforeseen: jax.Array  # [], noise of the real-time price
    now: Now
    forecast: jax.Array  # [2, n_horizon], kW of the campus: demand, sun
    warning: jax.Array  # [], m/s, strongest wind forecast for the hours to come
    energy: jax.Array  # [n_battery], kWh
    generator: Running
    power: jax.Array  # [n_unit], kW supplied
    locked: jax.Array  # [n_unit], h until it can form a voltage again
    temperature: jax.Array  # [n_load], degrees C
    closed: jax.Array  # [n_switch], bool
    connected: jax.Array  # [n_bus], bool: to the grid
    energised: jax.Array  # [n_bus], bool
    voltage: jax.Array  # [n_bus], p.u., 0 where dead
    frequency: jax.Array  # [n_bus], Hz, 0 where dead
    served: jax.Array  # [n_load], share of the demand of each manager's buildings
    exchange: jax.Array  # [n_switch], kW into the campus, 0 where a switch does not lead to the grid
    dark: jax.Array  # [], h since the grid was lost, 0 while it is there
    delivery: jax.Array  # [], h until fuel arrives; negative: none ordered
    delivered: jax.Array  # [], int32, deliveries so far
    sent: jax.Array  # [delay + 1, n_measured], the newest first: measurements under way
    seen: jax.Array  # [n_agent, n_measured], what each agent received last
    age: jax.Array  # [n_agent], h since it received something
    remembered: jax.Array | None  # [n_memory, n_agent, n_measured + 1], means of that; none without memory
    deviation: jax.Array  # [2, n_bus], real and imaginary e of the last flow: the next one starts from it
