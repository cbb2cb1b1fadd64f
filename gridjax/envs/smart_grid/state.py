"""Params and state of SmartGrid-v0: every number of the task, and one episode at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from gridjax.envs.smart_grid.households import Households
from gridjax.network import Network
from gridjax.powerflow import Chord
from gridjax.scenarios.events import Drawn, Events
from gridjax.scenarios.prices import Tariff
from gridjax.scenarios.tables import Foretold, Tables

Array = Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Weights:
    """Weights of the four reward terms; see `rewards`."""

    stability: Array  # []
    efficiency: Array  # []
    cost: Array  # []
    cooperation: Array  # []


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Params:
    """Every number of the task. Agents in kW and kWh, the network in p.u. on its own base."""

    network: Network
    chord: Chord
    profiles: Tables
    days: Array  # [n_day], int: days of the year an episode may start on
    households: Households
    background: Array  # [n_bus], complex p.u.: demand at profile 1 of those who are no agents
    background_profile: Array  # [n_bus], int, column of the demand table
    agents_at: Array  # [n_bus, n_share], int: agents of every bus, -1 for padding
    neighbour: Array  # [n_agent, n_slot], int, -1 for padding
    reverse: Array  # [n_agent, n_slot], int: the same pair's slot at the neighbour
    loss_matrix: Array  # [n_agent, n_bus], p.u.: dLoss/dP of active injections
    tariff: Tariff
    events: Events
    weights: Weights
    stored_price: Array  # [], EUR/kWh: what energy in a battery is worth, in the cost term
    unserved_price: Array  # [], EUR/kWh
    discomfort_price: Array  # [], EUR/(K h)
    reference_energy: Array  # [], kWh: mean demand of an agent in a step, the unit of the efficiency term
    reference_bill: Array  # [], EUR: what that costs at the mean import price, the unit of the cost term
    forecast_error: Array  # [], relative standard deviation of a forecast eight hours ahead
    message_noise: Array  # [], standard deviation of what a neighbour is heard to say
    message_loss: Array  # [], probability that a neighbour is not heard in a step
    initial_charge: Array  # [2], share of capacity: uniform between the two at the start
    contracted_power: Array  # [], kW that the community may import at once; beyond it the cost `peak`
    island_power: Array  # [], kW of the grid-forming unit that feeds an island
    island_droop: Array  # [], p.u. of frequency at that power
    voltage_low: Array  # [], p.u., the band of the metrics and of the voltage cost
    voltage_high: Array  # [], p.u.
    divergence_penalty: Array  # [], reward (negated) of a step whose power flow fails
    episode_length: Array  # [], int: steps until truncation, from midnight
    latest_start: Array  # [], int: step in which an episode begins at the latest, uniform from 0
    foretold: Foretold | None = None  # forecasts of the observation in place of the truth with errors


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Now:
    """What is given from outside in the step that begins now, events included."""

    demand: jax.Array  # [n_agent], kW, without vehicle and heat pump
    sun: jax.Array  # [n_agent], kW
    buy: jax.Array  # [], EUR/kWh
    sell: jax.Array  # [], EUR/kWh
    connected: jax.Array  # [], bool: to the grid
    demand_factor: jax.Array  # [], of the events, for those who are no agents


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """One episode at one instant. What the grid did is that of the step before, at rest after a reset."""

    clock: jax.Array  # [], int32, steps since 1 January, midnight
    step: jax.Array  # [], int32, since the midnight before the episode began
    energy: jax.Array  # [n_agent], kWh in the battery
    need: jax.Array  # [n_agent], kWh that the vehicle still needs
    temperature: jax.Array  # [n_agent], degrees C indoors
    unforeseen: jax.Array  # [], noise of the real-time price
    drawn: Drawn
    now: Now
    forecast: jax.Array  # [n_agent, 2, n_horizon], kW: demand, sun; without events to come
    message: (
        jax.Array
    )  # [n_agent, n_slot, 4]: state of charge, sun to spare, last transfer action towards us, heard (0 or 1)
    offer: jax.Array  # [n_agent, n_slot], last transfer actions
    voltage: jax.Array  # [n_bus], p.u., magnitude
    stability: jax.Array  # []
    frequency: jax.Array  # [], Hz
    deviation: jax.Array  # [2, n_bus], real and imaginary e of the last flow: the next one starts from it
