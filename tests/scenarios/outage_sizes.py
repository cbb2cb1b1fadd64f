"""Episodes that tests of outages share."""

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.scenarios.outages import Sizes

HOURS = 0.25
SIZES = Sizes(
    n_step=672, n_branch=5, n_generator=3, n_sensor=4, transformers=(True, False, False, False, True)
)


def over(query, timeline, steps):
    """What the query answers at each of the steps."""
    return np.asarray(jax.jit(jax.vmap(lambda step: query(timeline, step)))(jnp.asarray(steps)))
