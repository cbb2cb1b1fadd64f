"""What electricity costs a household: time of use, a real-time part, feed-in and imbalance.

The defaults are German in level: three bands of a time-variable tariff with grid fees (BNetzA, BK8-22/010-A,
module 3), feed-in about that of small roofs in 2024, and a real-time part with the daily shape of the
day-ahead market, high in the morning and evening and low at noon, more so in summer.

Functions take and give scalars, or `[...]` that broadcast: prices in EUR/kWh, `day` of the year from 0,
`hour` of the day in h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.scenarios.split import N_DAYS

Array = Any

# band of every hour: 0 night, 1 day, 2 evening peak
BANDS = np.array([0] * 6 + [1] * 11 + [2] * 4 + [1] * 1 + [0] * 2, np.int32)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Tariff:
    """Prices in EUR/kWh; every number is a leaf."""

    bands: Array  # [3] import tariff at night, by day and in the evening peak (workdays)
    band_of_hour: Array  # [24], int
    feed_in: Array  # []
    real_time: Array  # [], scale of the real-time part; 0: none
    spread: Array  # [], standard deviation of its unforeseen part, relative to `real_time`
    memory_hours: Array  # [], h, correlation time of that
    imbalance: Array  # [], m: what is not scheduled costs import (1 + m) and earns feed-in (1 - m)
    peer_share: Array  # [], neighbours pay feed-in (0) to import price (1) to one another
    margin: Array  # [], import never falls below feed-in plus this
    market: Array  # [n_day, n_step], foreseen and paid on top of the bands; its days and steps come again


def tariff(
    bands: tuple[float, float, float] = (0.20, 0.30, 0.44),
    feed_in: float = 0.08,
    real_time: float = 0.05,
    imbalance: float = 0.1,
    peer_share: float = 0.2,
    market: Array | None = None,
) -> Tariff:
    """A tariff with the default shape.

    `market`: prices of your own, EUR/kWh `[366, n_step]`, whole days of 2016, such as those of
    `gridjax.scenarios.task_prices`, on top of which `bands` are fees and taxes; `real_time=0.0` then leaves
    out the synthetic market. They may be negative: what is paid in the end stays above feed-in.

    Raises `ValueError` naming the value that is out of range.
    """
    for name, value in (("bands", min(bands)), ("feed_in", feed_in), ("real_time", real_time)):
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"{name} is {value!r}, expected EUR/kWh, finite and not negative")
    if not 0 <= imbalance < 1:
        raise ValueError(f"imbalance is {imbalance!r}, expected a share in [0, 1)")
    if not 0 <= peer_share <= 1:
        raise ValueError(f"peer_share is {peer_share!r}, expected a share in [0, 1]")
    if min(bands) <= feed_in:
        raise ValueError(
            f"bands is {bands!r}, expected all above feed_in, {feed_in!r}: else energy is resold"
        )
    if market is not None:
        given = np.asarray(market)
        if given.ndim != 2 or len(given) != N_DAYS or given.shape[1] == 0 or not np.isfinite(given).all():
            raise ValueError(
                f"market has shape {given.shape}, expected finite EUR/kWh of {N_DAYS} days, "
                f"[{N_DAYS}, n_step]"
            )
    return Tariff(
        bands=jnp.asarray(bands, jnp.float32),
        band_of_hour=jnp.asarray(BANDS),
        feed_in=jnp.float32(feed_in),
        real_time=jnp.float32(real_time),
        spread=jnp.float32(0.5),
        memory_hours=jnp.float32(6.0),
        imbalance=jnp.float32(imbalance),
        peer_share=jnp.float32(peer_share),
        margin=jnp.float32(0.02),
        market=jnp.zeros((1, 1)) if market is None else jnp.asarray(market, jnp.float32),
    )


def is_weekend(day: jax.Array) -> jax.Array:
    """Whether a day of 2016 is a Saturday or Sunday: bool (1 January was a Friday)."""
    return (day + 4) % 7 >= 5


def time_of_use(tariff: Tariff, day: jax.Array, hour: jax.Array) -> jax.Array:
    """Import tariff (EUR/kWh) at `hour` in [0, 24) of `day`; at weekends the peak is a day band."""
    band = tariff.band_of_hour[jnp.asarray(hour, jnp.int32)]
    return tariff.bands[jnp.where(is_weekend(day), jnp.minimum(band, 1), band)]


def market_shape(day: jax.Array, hour: jax.Array) -> jax.Array:
    """Foreseen day-ahead price about its mean, dimensionless: two peaks, a dip at noon that deepens in
    summer.
    """
    summer = 0.5 - 0.5 * jnp.cos(2 * jnp.pi * (day - 10) / N_DAYS)

    def bump(centre, width):
        return jnp.exp(-0.5 * ((hour - centre) / width) ** 2)

    return 0.9 * bump(8.0, 1.5) + 1.3 * bump(19.5, 2.0) - (0.4 + 1.4 * summer) * bump(13.0, 2.2)


def import_price(tariff: Tariff, day: jax.Array, hour: jax.Array, unforeseen: jax.Array | float) -> jax.Array:
    """Import price (EUR/kWh) with market and real-time part; `unforeseen` is its noise, of unit variance."""
    n_day, n_step = tariff.market.shape
    # a step that begins a rounding error early is that step
    step = jnp.asarray(hour * (n_step / 24.0) + 1e-3, jnp.int32) % n_step
    market = tariff.market[jnp.asarray(day, jnp.int32) % n_day, step]
    real_time = tariff.real_time * (market_shape(day, hour) + tariff.spread * unforeseen)
    return jnp.maximum(time_of_use(tariff, day, hour) + market + real_time, tariff.feed_in + tariff.margin)


def next_unforeseen(tariff: Tariff, unforeseen: jax.Array, normal: jax.Array, hours: float) -> jax.Array:
    """Noise of the price `hours` later: stationary, first order, from a standard normal draw."""
    memory = jnp.exp(-hours / tariff.memory_hours)
    return memory * unforeseen + jnp.sqrt(1.0 - memory**2) * normal


def expected_price(
    tariff: Tariff, day: jax.Array, hour: jax.Array, unforeseen: jax.Array, ahead: jax.Array
) -> jax.Array:
    """Import price expected at `hour`, `ahead` hours after one whose noise is `unforeseen`."""
    return import_price(tariff, day, hour, unforeseen * jnp.exp(-ahead / tariff.memory_hours))
