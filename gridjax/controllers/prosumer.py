"""Rules for prosumers: idle battery, self-consumption, time of use, peer-to-peer matching, and all in one.

A rule here plans the whole step: what the battery should do, whom to help, and then exactly the trade with
the grid that is left, so that nothing is settled at the imbalance price. An agent follows it by what it knows
of itself, prices, and forecasts; what neighbours say it does not need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from gridjax.envs.smart_grid import GROUP, Params, SmartGrid, State
from gridjax.envs.smart_grid.companding import TRADE, TRANSFER, compress

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
    give: Array  # share of what is to spare that is offered to each neighbour, above 1 as 1
    ask: Array  # share of what it can take that is asked of each neighbour, above 1 as 1
    reactive: Array  # share of reactive capability per 0.05 p.u. of last voltage below `centre`
    centre: Array  # p.u.


def _rule(
    hold=0.0, charge=0.0, target=0.0, credit=0.0, help=9.0, give=0.0, ask=0.0, reactive=0.0, centre=1.0
) -> Rule:
    return Rule(*(jnp.float32(x) for x in (hold, charge, target, credit, help, give, ask, reactive, centre)))


def time_of_use() -> Rule:
    """Charge in the night band as far as the morning's sun will leave room, hold until the day band ends."""
    return _rule(hold=0.85, charge=0.75, target=0.8, credit=1.0)


def peer_to_peer() -> Rule:
    """Self-consumption, and sun to spare goes to neighbours in need, who ask for all that they can use."""
    return _rule(give=1.0, ask=1.0)


def prosumer_rule(rule: Rule, env: SmartGrid, state: State, params: Params) -> dict[str, jax.Array]:
    """Actions `[n_agent, n_action]` of `rule` in `state`; vehicles and heat pumps as is usual.

    Every agent decides by its own state: it offers the same to all and asks the same of all. What comes of
    that need not be known to schedule the trade, since neighbours come first (`balance.settle`).
    """
    home, now = params.households, state.now
    # what vehicle and heat pump take with action 0 is part of the plan
    demand = env.usual_demand(state, params)
    able = env.ability(demand, state, params)
    price = now.buy / jnp.mean(params.tariff.bands)
    discharge = jnp.where(price < rule.hold_below, 0.0, able.discharge)
    left = demand - able.sun
    battery = jnp.clip(left, -able.charge, discharge)
    pile = home.battery
    expected = state.forecast[:, 1, -1] / jnp.maximum(pile.power, _TINY)
    target = jnp.clip(rule.target - rule.sun_credit * expected, 0.0, 1.0) * pile.capacity
    wanted = (target - state.energy) / (env.hours * pile.charge_efficiency)
    cheap = (price < rule.charge_below) & now.connected
    battery = jnp.where(cheap, jnp.minimum(battery, -jnp.clip(wanted, 0.0, able.charge)), battery)
    trade = (left - battery) / home.connection
    voltage = state.voltage[home.bus]
    lever = jnp.clip(rule.reactive * (rule.centre - voltage) / 0.05, -1.0, 1.0)

    spare = jnp.clip(-left, 0.0, able.send)
    help = jnp.where(price > rule.help_above, jnp.clip(discharge - left, 0.0, able.send), spare)
    asked = jnp.where((help > 0.0) | (able.take <= 0.0), 0.0, 1.0)
    given = jnp.clip(rule.give, 0.0, 1.0) * help / jnp.maximum(able.send, _TINY)
    offer = given - jnp.clip(rule.ask, 0.0, 1.0) * asked
    return _actions(env, jnp.where(params.neighbour >= 0, offer[:, None], 0.0), trade, lever)


def idle_battery(env: SmartGrid, state: State, params: Params) -> dict[str, jax.Array]:
    """The battery rests: each agent trades with the grid exactly what sun leaves of its demand.

    Actions `[n_agent, n_action]` in [-1, 1], shares of ratings.
    """
    home = params.households
    demand = env.usual_demand(state, params)
    sun = jnp.minimum(state.now.sun, home.inverter)
    rest = jnp.zeros_like(demand)
    return _actions(
        env, jnp.zeros((env.n_agent, env.n_slot), demand.dtype), (demand - sun) / home.connection, rest
    )


def self_consumption(env: SmartGrid, state: State, params: Params) -> dict[str, jax.Array]:
    """Zero action: the battery takes what sun leaves of demand, the rest is imbalance.

    Actions `[n_agent, n_action]` in [-1, 1], shares of ratings.
    """
    del params
    return {GROUP: jnp.zeros((env.n_agent, env.n_action), state.energy.dtype)}


def _actions(env: SmartGrid, offer: jax.Array, trade: jax.Array, lever: jax.Array) -> dict[str, jax.Array]:
    usual = jnp.zeros((env.n_agent, env.n_action - env.n_slot - 2), offer.dtype)
    given = compress(jnp.clip(offer, -1.0, 1.0), TRANSFER)
    bought = compress(jnp.clip(trade, -1.0, 1.0), TRADE)[:, None]
    return {GROUP: jnp.concatenate([given, bought, jnp.clip(lever, -1.0, 1.0)[:, None], usual], axis=-1)}
