"""The four reward terms, each of order one per step and agent, so that weights compare.

- stability, shared by all: stability index - 1, in [-1, 0].
- efficiency, own: -(energy wasted by battery and curtailment + an equal share of the network's losses) over
  the mean demand of an agent.
- cost, own: what is saved against an idle battery, over the mean bill of an agent: the bill for what sun
  leaves of demand, all of it scheduled with the grid (`money.idle_bill`), less payments, wear, unserved
  energy and discomfort at their prices, plus growth of the energy stored, at its price. One unit for all
  agents: money that changes hands among them adds up to nothing in their total reward. Counting the stored
  energy makes a full battery at midnight worth something. No action moves the idle bill, so it changes
  neither who is best nor by how much; without it the weather would be most of the variance that a learner
  sees.
- cooperation, own: share of neighbours' shortage covered, see `agreement.covered_shortage`. It weighs what no
  one else could have given the receiver, and is far below what the energy costs.
"""

from __future__ import annotations

from typing import NamedTuple

import jax


class Rewards(NamedTuple):
    """Terms before weighting, `[n_agent]` each."""

    stability: jax.Array
    efficiency: jax.Array
    cost: jax.Array
    cooperation: jax.Array

    def total(self, weights) -> jax.Array:
        """Weighted sum, `[n_agent]`; `weights` has the four names."""
        return (
            weights.stability * self.stability
            + weights.efficiency * self.efficiency
            + weights.cost * self.cost
            + weights.cooperation * self.cooperation
        )
