"""Outdoor temperature of a year."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def outdoors(day: jax.Array, hour: jax.Array) -> jax.Array:
    """Outdoor temperature (degrees C) of a Central European year, coldest in January and at 3 h."""
    season = 10.0 - 9.5 * jnp.cos(2 * jnp.pi * (day - 15) / 366)
    return season - 4.0 * jnp.cos(2 * jnp.pi * (hour - 3.0) / 24)
