"""Actions that are powers: fine near zero, coarse near the rating.

    share = sinh(k a) / sinh(k),  a in [-1, 1],  k = 4

A connection is rated for the hour of the year that needs it most, and carries a tenth of that in most
others. On a linear scale the action of those hours would be a few hundredths, as small as the noise a
learner explores with. As in the companding of telephony (ITU-T G.711) equal changes of the action are nearly
equal ratios of power; near zero the slope is k / sinh(k), about a seventh.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

STEEPNESS = 4.0
_MOST = float(np.sinh(STEEPNESS))


def expand(action: jax.Array) -> jax.Array:
    """Share of the rating in [-1, 1] that an action in [-1, 1] means; odd and increasing."""
    return jnp.sinh(STEEPNESS * action) / _MOST


def compress(share: jax.Array) -> jax.Array:
    """The action that means `share`: the inverse of `expand`."""
    return jnp.arcsinh(_MOST * share) / STEEPNESS
