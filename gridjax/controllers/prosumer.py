"""Rules for prosumers: idle battery, self-consumption, time of use, peer-to-peer matching, and all in one.

A rule here plans the whole step: what the battery should do, who helps whom, and then exactly the trade
with the grid that is left, so that nothing is settled at the imbalance price. It knows the present
state of all agents, and of the future what their forecasts say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from gridjax.envs.smart_grid import GROUP, Params, SmartGrid, State
from gridjax.envs.smart_grid.agreement import Transfers, agree
from gridjax.envs.smart_grid.balance import Ability
from gridjax.envs.smart_grid.companding import compress

Array = Any
_TINY = 1e-6


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rule:
    """Constants of a rule, all scalars; prices relative to the mean of the import bands."""

    hold_below: Array  # price below which the battery is not discharged
    charge_below: Array  # price below which it is charged from the grid ...
    target: Array  # ... up to this share of capacity ...
    sun_credit: Array  # ... less the sun forecast in eight hours, in kW over kW of battery power, times this
    help_above: Array  # price above which the battery's energy is offered to neighbours, too
    peers: Array  # 0 or 1: whether there are transfers at all
    reactive: Array  # share of reactive capability per 0.05 p.u. of last voltage below `centre`
    centre: Array  # p.u.


def _rule(
    hold=0.0, charge=0.0, target=0.0, credit=0.0, help=9.0, peers=0.0, reactive=0.0, centre=1.0
) -> Rule:
    return Rule(*(jnp.float32(x) for x in (hold, charge, target, credit, help, peers, reactive, centre)))


def time_of_use() -> Rule:
    """Charge in the night band as far as the morning's sun will leave room, hold until the day band ends."""
    return _rule(hold=0.85, charge=0.75, target=0.8, credit=1.0)


def peer_to_peer() -> Rule:
    """Self-consumption, and sun to spare goes to neighbours in need, who ask for all that they can use."""
    return _rule(peers=1.0)


def prosumer_rule(rule: Rule, env: SmartGrid, state: State, params: Params) -> dict[str, jax.Array]:
    """Actions `[n_agent, n_action]` of `rule` in `state`; vehicles and heat pumps as is usual."""
    home, now = params.households, state.now
    # what vehicle and heat pump take with action 0 is part of the plan
    demand = env.usual_demand(state, params)
    able = env.ability(demand, state, params)
    price = now.buy / jnp.mean(params.tariff.bands)
    discharge = jnp.where(price < rule.hold_below, 0.0, able.discharge)
    offer, transfers = _match(rule, price, demand, able, discharge, params)

    left = demand - able.sun - transfers.net
    battery = jnp.clip(left, -able.charge, discharge)
    pile = home.battery
    expected = state.forecast[:, 1, -1] / jnp.maximum(pile.power, _TINY)
    target = jnp.clip(rule.target - rule.sun_credit * expected, 0.0, 1.0) * pile.capacity
    wanted = (target - state.energy) / (env.hours * pile.charge_efficiency)
    cheap = (price < rule.charge_below) & now.connected
    battery = jnp.where(cheap, jnp.minimum(battery, -jnp.clip(wanted, 0.0, able.charge)), battery)
    trade = _wish(left - battery, transfers.net) / home.connection
    voltage = state.voltage[home.bus]
    lever = jnp.clip(rule.reactive * (rule.centre - voltage) / 0.05, -1.0, 1.0)
    return _actions(env, offer, trade, lever)


def idle_battery(env: SmartGrid, state: State, params: Params) -> dict[str, jax.Array]:
    """The battery rests: each agent trades with the grid exactly what sun leaves of its demand."""
    home = params.households
    demand = env.usual_demand(state, params)
    sun = jnp.minimum(state.now.sun, home.inverter)
    rest = jnp.zeros_like(demand)
    return _actions(
        env, jnp.zeros((env.n_agent, env.n_slot), demand.dtype), (demand - sun) / home.connection, rest
    )


def self_consumption(env: SmartGrid, state: State, params: Params) -> dict[str, jax.Array]:
    """Zero action: the battery takes what sun leaves of demand, the rest is imbalance."""
    del params
    return {GROUP: jnp.zeros((env.n_agent, env.n_action), state.energy.dtype)}


def _match(
    rule: Rule, price: jax.Array, demand: jax.Array, able: Ability, discharge: jax.Array, params: Params
) -> tuple[jax.Array, Transfers]:
    """Transfer actions, and what comes of them: spare energy to those in need, most to the neediest."""
    spare = jnp.maximum(able.sun - demand, 0.0)
    helping = jnp.where(price > rule.help_above, jnp.maximum(able.sun + discharge - demand, 0.0), spare)
    spare = jnp.minimum(helping, able.send)
    need = jnp.where(spare > 0.0, 0.0, able.take)
    # who has neither sun to spare nor enough of its own comes before batteries that want to be filled
    need = jnp.where(need > 0.0, jnp.where(able.shortage > 0.0, need, 0.2 * need), 0.0)
    there, real = jnp.maximum(params.neighbour, 0), params.neighbour >= 0

    def among(amount: jax.Array) -> jax.Array:
        weight = jnp.where(real, amount[there], 0.0)
        return weight / jnp.maximum(jnp.max(weight, axis=-1, keepdims=True), _TINY)

    offered = (spare / jnp.maximum(able.send, _TINY))[:, None] * among(need)
    asked = jnp.where(need > 0.0, 1.0, 0.0)[:, None] * among(spare)
    offer = rule.peers * (offered - asked)
    return offer, agree(offer, able.send, able.take, params.neighbour, params.reverse)


def _wish(trade: jax.Array, received: jax.Array) -> jax.Array:
    """The wish to trade (kW) of which, neighbours being served first, just `trade` is left."""
    bought = jnp.where(trade > 0.0, trade + jnp.maximum(received, 0.0), 0.0)
    return bought + jnp.where(trade < 0.0, trade + jnp.minimum(received, 0.0), 0.0)


def _actions(env: SmartGrid, offer: jax.Array, trade: jax.Array, lever: jax.Array) -> dict[str, jax.Array]:
    usual = jnp.zeros((env.n_agent, env.n_action - env.n_slot - 2), offer.dtype)
    powers = compress(jnp.clip(jnp.concatenate([offer, trade[:, None]], axis=-1), -1.0, 1.0))
    return {GROUP: jnp.concatenate([powers, jnp.clip(lever, -1.0, 1.0)[:, None], usual], axis=-1)}
