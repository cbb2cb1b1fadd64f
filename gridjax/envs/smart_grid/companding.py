"""Actions that are powers: fine near zero, coarse near the rating.

    share = sinh(k a) / sinh(k),  a in [-1, 1]

A connection is rated for the hour of the year that needs it most, and carries a tenth of that in most
others. On a linear scale the action of those hours would be a few hundredths, as small as the noise a
learner explores with. As in the companding of telephony (ITU-T G.711) equal changes of the action are nearly
equal ratios of power.

Where a battery serves demand by itself the best trade is none at all, with a kink: what is bought beside it
is sold again for less. Trade is therefore the steeper: near zero its slope is k / sinh(k), a two-hundredth.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

TRANSFER, TRADE = 4.0, 8.0
"""k of transfers and of trade."""


def expand(action: jax.Array, steepness: float) -> jax.Array:
    """Share of the rating in [-1, 1] that an action in [-1, 1] means; odd and increasing."""
    return jnp.sinh(steepness * action) / float(np.sinh(steepness))


def compress(share: jax.Array, steepness: float) -> jax.Array:
    """The action that means `share`: the inverse of `expand`."""
    return jnp.arcsinh(float(np.sinh(steepness)) * share) / steepness
