"""Rules for a campus that rides through outages: do nothing, droop alone, and the engineer's rule.

A rule acts on what agents receive (`Reading`, late and noisy) and on what each sees of its own device, as a
policy does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from gridjax.envs.resilience import GROUPS, Params, Resilience, State
from gridjax.envs.resilience.measurement import Reading
from gridjax.envs.resilience.observation import of_managers
from gridjax.envs.resilience.topology import NOMINAL_FREQUENCY

Array = Any
_CALM = 1e-6
_APART = 0.005  # Hz, by which two islands are told apart
_BESIDE = 1e-3  # Hz, within which a bus beside the grid is


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class CampusRule:
    """Constants of the engineer's rule, all scalars; prices relative to the mean import price.

    Batteries first, generators at low charge, load shed from the lowest tier.
    """

    reserve: Array  # state of charge kept for outages while the grid is there
    charge_below: Array  # price below which batteries are charged
    discharge_above: Array  # price above which they are discharged down to the reserve
    storm: Array  # m/s of wind forecast above which batteries are charged full
    start_below: Array  # state of charge below which generators start in an outage
    stop_above: Array  # and above which they stop
    stagger: Array  # by which both are lower for each generator than for the one before it
    recharge: Array  # power into the batteries that generators aim at, share of the batteries' rating
    discretionary_hours: Array  # h that stored energy and fuel must last for discretionary load to be served
    priority_hours: Array  # the same for priority load
    fuel_credit: Array  # share of the fuel that counts as stored for that
    heat: Array  # action of heat pumps in an outage


def default_rule() -> CampusRule:
    """What an engineer would write down first."""
    values = (0.7, 0.75, 1.2, 20.0, 0.5, 0.9, 0.0, 0.2, 12.0, 4.0, 1.0, -0.5)
    return CampusRule(*(jnp.float32(value) for value in values))


def do_nothing(env: Resilience, state: State, params: Params) -> dict[str, jax.Array]:
    """Zero action: the grid only; in an outage batteries as their droop has it, till they are empty."""
    del state
    space: Any = env.action_space(params)
    return {group: jnp.zeros((n, *space[group].shape)) for group, n in env.groups.items()}


def droop(env: Resilience, state: State, params: Params) -> dict[str, jax.Array]:
    """Generators run through an outage at half their range; droop and relays do the rest."""
    actions = do_nothing(env, state, params)
    dark = _apart(env.generator_buses, state) | (env.readings(state)["generator"].present < 0.5)
    return actions | {"generator": jnp.where(dark, 0.5, 0.0)[:, None]}


def campus_rule(
    rule: CampusRule, env: Resilience, state: State, params: Params, groups: Sequence[str] = GROUPS
) -> dict[str, jax.Array]:
    """Actions of `rule` in `state` for `groups`; constants may be `[n_agents]` where it is one group."""
    heard = env.readings(state)
    acts = {
        "generator": lambda: _generators(rule, heard["generator"], env, state, params),
        "battery": lambda: _batteries(rule, heard["battery"], env, state, params),
        "load": lambda: _loads(rule, heard["load"], env, state, params),
        "connection": lambda: _connections(heard["connection"], env, state),
    }
    return {group: acts[group]() for group in groups}


def _apart(buses: Sequence[int], state: State) -> jax.Array:
    """Whether buses are dead or in an island, as their own frequency tells, bool `[n_agents]`.

    Messages are late: the grid may be back, and the island still has to become synchronous with it.
    """
    at = jnp.array(buses)
    return ~state.energised[at] | (jnp.abs(state.frequency[at] - NOMINAL_FREQUENCY) > _BESIDE)


def _generators(rule: CampusRule, heard: Reading, env: Resilience, state: State, params: Params) -> jax.Array:
    campus, unit = params.campus, params.reference_power
    charge = _mean_charge(heard, params)
    dark = _apart(env.generator_buses, state) | (heard.present < 0.5)
    dead = ~state.energised[jnp.array(env.generator_buses)]
    lower = rule.stagger * jnp.arange(dead.size)
    # where faults have split the campus, batteries may be elsewhere
    stays = state.generator.on & ((charge < rule.stop_above - lower) | (heard.faults > 0.5))
    on = dark & (dead | (charge < rule.start_below - lower) | stays)
    net = (jnp.sum(heard.demand, axis=-1) * heard.served - heard.sun) * unit
    net = net + rule.recharge * jnp.sum(campus.battery.power)
    number = jnp.maximum(jnp.sum(heard.running, axis=-1), 1.0)
    share = net / number / campus.generator.power
    low = campus.generator.minimum / campus.generator.power
    level = (share - low) / jnp.maximum(1.0 - low, _CALM)
    return jnp.where(on, jnp.clip(level, 1e-3, 1.0), 0.0)[:, None]


def _batteries(rule: CampusRule, heard: Reading, env: Resilience, state: State, params: Params) -> jax.Array:
    campus, unit, pile = params.campus, params.reference_power, params.campus.battery
    price = state.now.buy / jnp.mean(params.tariff.bands)
    charge = state.energy / pile.capacity
    total = jnp.sum(pile.power)
    demand = jnp.sum(heard.demand, axis=-1)
    net = (demand * heard.served - heard.sun) * unit
    stormy = state.warning > rule.storm
    floor = jnp.where(stormy, 1.0, rule.reserve)
    # the power that leads to the floor in one step, or else it would be passed to and fro
    reach = (charge - floor) * pile.capacity / (env.hours * pile.power)
    # no more than the campus draws
    most = jnp.clip(net / total, 0.0, 1.0)
    sold = jnp.where(price > rule.discharge_above, jnp.minimum(most, jnp.maximum(reach, 0.0)), 0.0)
    beside = jnp.where(price < rule.charge_below, -1.0, jnp.minimum(sold, reach))
    engines = jnp.sum(heard.running * campus.generator.power, axis=-1)
    island = (net - jnp.minimum(engines, jnp.maximum(net, 0.0) + rule.recharge * total)) / total
    dark = _apart(env.battery_buses, state) | (heard.present < 0.5)
    return jnp.clip(jnp.where(dark, island, beside), -1.0, 1.0)[:, None]


def _loads(rule: CampusRule, heard: Reading, env: Resilience, state: State, params: Params) -> jax.Array:
    campus, unit = params.campus, params.reference_power
    generator = campus.generator
    stored = jnp.sum(heard.charge * campus.battery.capacity, axis=-1)
    per_litre = 1.0 / (generator.intercept + generator.slope)
    fuel = jnp.sum(heard.fuel * generator.tank * per_litre, axis=-1)
    endurance = stored + jnp.clip(rule.fuel_credit, 0.0, 1.0) * fuel  # kWh
    by_tier = jnp.cumsum(heard.demand, axis=-1) * unit
    drain = jnp.maximum(by_tier - heard.sun[..., None] * unit, _CALM)
    hours = endurance[..., None] / drain
    # what to shed the campus decides, how much of a manager's load that is its own buildings
    _, mine = of_managers(params)
    own = jnp.cumsum(jnp.einsum("b,bt,bm->mt", state.now.demand, campus.tiers, mine), axis=-1)
    share = own / jnp.maximum(own[:, -1:], _CALM)
    keep = jnp.where(hours[..., 1] >= rule.priority_hours, share[:, 1], share[:, 0])
    keep = jnp.where(hours[..., 2] >= rule.discretionary_hours, 1.0, keep)
    # load may come back before it is heard that the grid has
    dark = _apart(env.load_buses, state)
    kept = jnp.where(dark, keep - 1.0, 0.0)
    return jnp.stack([kept, jnp.where(dark, jnp.clip(rule.heat, -1.0, 1.0), 0.0)], axis=-1)


def _connections(heard: Reading, env: Resilience, state: State) -> jax.Array:
    """A switch that is normally open closes where a fault has left one of its ends dead or in another island,
    and stays closed until the fault is cleared.
    """
    layout = env.layout
    near, far = jnp.array(layout.from_bus), jnp.array(layout.to_bus)
    live, frequency = state.energised, state.frequency
    useful = (live[near] != live[far]) | (jnp.abs(frequency[near] - frequency[far]) > _APART)
    needed = (heard.faults > 0.5) & (useful | state.closed)
    opened = ~jnp.array(layout.normal)
    return jnp.where(opened & needed, -1.0, 0.0)[:, None]


def _mean_charge(heard: Reading, params: Params) -> jax.Array:
    capacity = params.campus.battery.capacity
    return jnp.sum(heard.charge * capacity, axis=-1) / jnp.sum(capacity)
