"""The terms of the reward: energy efficiency and cost against resilience.

    cost:       -(bill + fuel + starts + wear + discomfort - growth of what is stored) / reference bill
    resilience: -(energy not served, by the price of its tier) / reference bill
    efficiency: -(losses, conversion, curtailed and dumped energy) / reference energy
    stability:  stability index - 1, mean over live buses' extremes

All agents share them. The price of a critical kWh not served is a few hundred times that of a kWh bought, so
that no saving pays for it.
"""

from __future__ import annotations

from typing import NamedTuple

import jax

from gridjax.envs.resilience.state import Weights


class Rewards(NamedTuple):
    """Unweighted, []."""

    cost: jax.Array
    resilience: jax.Array
    efficiency: jax.Array
    stability: jax.Array

    def total(self, weights: Weights) -> jax.Array:
        """Weighted sum, []."""
        return (
            weights.cost * self.cost
            + weights.resilience * self.resilience
            + weights.efficiency * self.efficiency
            + weights.stability * self.stability
        )
