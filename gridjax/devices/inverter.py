"""Photovoltaic inverter: reactive capability and the Volt-VAR curve."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def reactive_limit(active: jax.Array, apparent: jax.Array) -> jax.Array:
    """Largest |q| that leaves `active` untouched: sqrt(s^2 - p^2), 0 where p exceeds s.

    `[...]` as `active` and `apparent`, all in one unit, such as p.u. or kVA.
    """
    squared = apparent * apparent - active * active
    positive = squared > 0.0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squared, 1.0)), 0.0)  # no NaN gradient at zero


def volt_var(voltage: jax.Array, points: jax.Array, limit: jax.Array) -> jax.Array:
    """Volt-VAR characteristic of IEEE 1547-2018, section 5.3.3.

    Args:
        voltage: |v|, p.u., any shape.
        points: (v1, v2, v3, v4), p.u.: +limit below v1, 0 between v2 and v3, -limit above v4, linear between.
        limit: reactive power at the ends, in the unit wanted, broadcast against `voltage`.

    Returns reactive power, positive for injection.
    """
    v1, v2, v3, v4 = points[0], points[1], points[2], points[3]
    low = jnp.clip((v2 - voltage) / (v2 - v1), 0.0, 1.0)
    high = jnp.clip((voltage - v3) / (v4 - v3), 0.0, 1.0)
    return limit * (low - high)
