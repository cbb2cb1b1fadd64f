"""Quasi-steady frequency of an island whose grid-forming unit has a droop."""

from __future__ import annotations

import jax


def droop_frequency(
    power: jax.Array, rating: jax.Array | float, droop: jax.Array | float, nominal: jax.Array | float = 50.0
) -> jax.Array:
    """Frequency (Hz, `[...]`) at which a grid-forming unit supplies `power`: f0 (1 - droop power / rating).

    Kundur, Power System Stability and Control, 1994, section 11.1, settled. `power` and `rating` in one unit,
    power positive when supplied; `droop` in p.u. of frequency at rated power.
    """
    return nominal * (1.0 - droop * power / rating)
