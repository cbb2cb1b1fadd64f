"""Who pays what in a step: the grid, the neighbours, and the losses of transfers.

- Scheduled trade is paid at the import price or earns the feed-in price; what differs from the schedule costs
  import (1 + m) or earns feed-in (1 - m).
- Neighbours settle between feed-in and import price, at `Tariff.peer_share` of the way: payments sum to zero.
  Half the way is the mid-market rate (Tushar et al., Applied Energy 243, 2019). The default is a fifth: sun
  to spare, which earns the feed-in price, then pays for a neighbour who can only store it, too.
- A transfer of t kW from i to j causes t (s_i - s_j) of losses at the margin, s = dLoss/dP; each side pays
  half of that to the grid operator at the import price, or is paid, where the transfer relieves the network.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from gridjax.envs.smart_grid.agreement import Transfers
from gridjax.envs.smart_grid.balance import Balance


class Prices(NamedTuple):
    """EUR/kWh, scalars."""

    buy: jax.Array
    sell: jax.Array
    imbalance: jax.Array  # m, a share
    peer_share: jax.Array | float = 0.5

    @property
    def peer(self) -> jax.Array:
        """What neighbours pay each other."""
        return self.sell + self.peer_share * (self.buy - self.sell)


class Payments(NamedTuple):
    """EUR in a step, `[n_agent]`, positive where the agent pays."""

    grid: jax.Array
    peers: jax.Array  # sums to zero
    losses: jax.Array  # to the grid operator

    @property
    def total(self) -> jax.Array:
        """All three together."""
        return self.grid + self.peers + self.losses


def payments(
    balance: Balance,
    transfers: Transfers,
    prices: Prices,
    loss_slope: jax.Array,
    neighbour: jax.Array,
    hours: float,
) -> Payments:
    """Payments of a step. `loss_slope` is dLoss/dP at every agent's bus, kW per kW injected, `[n_agent]`."""
    scheduled = _at(balance.trade, prices.buy, prices.sell)
    short, long = prices.buy * (1.0 + prices.imbalance), prices.sell * (1.0 - prices.imbalance)
    difference = loss_slope[:, None] - loss_slope[jnp.maximum(neighbour, 0)]
    caused = jnp.sum((transfers.sent - transfers.received) * difference, axis=-1)
    return Payments(
        grid=(scheduled + _at(balance.imbalance, short, long)) * hours,
        peers=transfers.net * prices.peer * hours,
        losses=0.5 * caused * prices.buy * hours,
    )


def idle_bill(
    demand: jax.Array, sun: jax.Array, inverter: jax.Array, prices: Prices, hours: float
) -> jax.Array:
    """EUR that an agent alone pays for a step with its battery idle, all scheduled, `[n_agent]`; kW, kVA."""
    return _at(demand - jnp.minimum(sun, inverter), prices.buy, prices.sell) * hours


def _at(power: jax.Array, buy: jax.Array, sell: jax.Array) -> jax.Array:
    return jnp.maximum(power, 0.0) * buy - jnp.maximum(-power, 0.0) * sell
