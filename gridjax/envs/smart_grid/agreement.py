"""Transfers between neighbours: what both sides agree on, in work linear in the number of slots.

Slot k of agent i is the pair (i, neighbour[i, k]); `reverse[i, k]` is the slot of the same pair at the other
agent. Padded slots have neighbour -1.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Transfers(NamedTuple):
    """kW per slot, `[n_agent, n_slot]`, both >= 0; `sent` here is to the last bit `received` there."""

    sent: jax.Array
    received: jax.Array

    @property
    def net(self) -> jax.Array:
        """Received less sent, kW `[n_agent]`; sums to zero over the agents, to rounding."""
        return jnp.sum(self.received - self.sent, axis=-1)


def agree(
    action: jax.Array,
    able_to_send: jax.Array,
    able_to_take: jax.Array,
    neighbour: jax.Array,
    reverse: jax.Array,
) -> Transfers:
    """Transfers of `action` `[n_agent, n_slot]` in [-1, 1]: positive offers, negative asks.

    An action is a share of what the agent is able to send or to take (kW `[n_agent]`). A pair exchanges
    min(offered, asked) if one offers and the other asks, else nothing. In all, an agent sends no more than
    its largest offer and takes no more than its largest ask: where its pairs would exchange more, they are
    scaled down alike, by the more cautious of the two. To offer the same to everybody is thus to give it to
    who asks.
    """
    real = neighbour >= 0
    action = jnp.where(real, action, 0.0)
    offered = jnp.maximum(action, 0.0) * able_to_send[:, None]
    asked = jnp.maximum(-action, 0.0) * able_to_take[:, None]
    there = jnp.maximum(neighbour, 0)
    giving = jnp.where(real, jnp.minimum(offered, asked[there, reverse]), 0.0)
    taking = jnp.where(real, jnp.minimum(asked, offered[there, reverse]), 0.0)
    give, take = _scale(giving, offered), _scale(taking, asked)
    sent = giving * jnp.minimum(give[:, None], take[there])
    received = taking * jnp.minimum(take[:, None], give[there])
    return Transfers(sent, received)


def _scale(amount: jax.Array, wish: jax.Array) -> jax.Array:
    """Factor in [0, 1] that brings an agent's amounts in all to its largest wish, `[n_agent]`."""
    return jnp.minimum(1.0, jnp.max(wish, axis=-1) / jnp.maximum(jnp.sum(amount, axis=-1), 1e-6))


def covered_shortage(
    transfers: Transfers, shortage: jax.Array, floor: jax.Array, neighbour: jax.Array, reverse: jax.Array
) -> jax.Array:
    """Per giver: sum over receivers of the share of their shortage that it covered, `[n_agent]`, >= 0.

    `shortage` (kW) is what a receiver lacks even with all its sun and battery; more than that earns nothing,
    and where several give, each counts in proportion. Shortages below `floor` (kW) count as that small a
    share of it, so that crumbs are worth crumbs.
    """
    received = jnp.sum(transfers.received, axis=-1)
    useful = jnp.minimum(received, shortage) / jnp.maximum(shortage, floor)
    per_kw = useful / jnp.maximum(received, 1e-6)
    there = jnp.maximum(neighbour, 0)
    return jnp.sum(transfers.sent * jnp.where(neighbour >= 0, per_kw[there], 0.0), axis=-1)
