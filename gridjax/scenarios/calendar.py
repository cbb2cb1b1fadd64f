"""Where in the year a step lies."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def day_and_hour(clock: jax.Array, steps_per_day: int) -> tuple[jax.Array, jax.Array]:
    """Day of the year and hour in [0, 24) of a step; the year begins again after its last day."""
    hour = (clock % steps_per_day).astype(jnp.float32) * (24.0 / steps_per_day)
    return clock // steps_per_day, hour
