"""Tariffs by hand, and what is promised of their noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.scenarios import prices

FRIDAY, SATURDAY = 0, 1


def test_bands_of_workday_and_weekend():
    given = prices.tariff()
    hours = jnp.array([3.0, 10.0, 18.75, 21.0, 23.0])
    np.testing.assert_allclose(prices.time_of_use(given, FRIDAY, hours), [0.2, 0.3, 0.44, 0.3, 0.2])
    np.testing.assert_allclose(prices.time_of_use(given, SATURDAY, hours), [0.2, 0.3, 0.3, 0.3, 0.2])


def test_import_never_falls_to_feed_in():
    given = prices.tariff(real_time=0.3)
    buy = prices.import_price(given, 170, jnp.arange(24.0), -3.0)
    assert float(buy.min()) == pytest.approx(0.10)


def test_the_forecast_is_the_mean_of_what_comes():
    given = prices.tariff()
    normal = jax.random.normal(jax.random.key(0), (16, 20000))
    value = jnp.full(20000, 1.5)
    for step in normal:
        value = prices.next_unforeseen(given, value, step, 0.25)
    buy = prices.import_price(given, FRIDAY, 14.0, value)
    expected = prices.expected_price(given, FRIDAY, 14.0, jnp.float32(1.5), jnp.float32(4.0))
    assert float(buy.mean()) == pytest.approx(float(expected), abs=5e-4)


@pytest.mark.parametrize("hours", [0.25, 1 / 12])
def test_a_market_of_ones_own_is_paid_on_top_of_the_bands(hours):
    market = 0.001 * np.arange(366 * 96).reshape(366, 96) / 96.0
    given = prices.tariff(market=market, real_time=0.0)
    hour = jnp.arange(0, 24, hours)
    for day in (FRIDAY, 365):
        expected = prices.time_of_use(given, day, hour) + np.repeat(market[day], round(0.25 / hours))
        np.testing.assert_allclose(prices.import_price(given, day, hour, 1.0), expected, rtol=1e-6)
    low = prices.import_price(prices.tariff(market=market - 5.0), FRIDAY, hour, 0.0)
    np.testing.assert_allclose(low, 0.08 + 0.02, rtol=1e-6)


def test_the_noise_keeps_its_variance():
    given = prices.tariff()
    start, *normal = jax.random.normal(jax.random.key(1), (9, 40000))
    for step in normal:
        start = prices.next_unforeseen(given, start, step, 0.25)
    assert float(start.std()) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"bands": (0.2, -0.1, 0.3)}, "bands"),
        ({"feed_in": float("nan")}, "feed_in is nan"),
        ({"imbalance": 1.0}, "imbalance is 1.0"),
        ({"feed_in": 0.25}, "above feed_in"),
        ({"market": np.zeros((365, 24))}, r"shape \(365, 24\), expected finite EUR/kWh of 366 days"),
        ({"market": np.full((366, 24), np.nan)}, "expected finite"),
    ],
)
def test_bad_numbers_are_named(option, message):
    with pytest.raises(ValueError, match=message):
        prices.tariff(**option)
