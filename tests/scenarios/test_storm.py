"""Lines fail as often as their fragility curve says, at the moment the wind reaches their strength."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import lognorm

from gridjax.scenarios.storm import failure, gust_at, strengths


@pytest.mark.parametrize("gust", [30.0, 42.0, 60.0])
def test_share_that_fails_is_the_lognormal_distribution_function(gust):
    strength = strengths(jax.random.normal(jax.random.key(0), (20_000,)), 40.0, 0.3)
    fails, _ = failure(strength, jnp.float32(gust))
    expected = lognorm.cdf(gust, 0.3, scale=40.0)
    assert abs(float(fails.mean()) - expected) < 4 * np.sqrt(expected * (1 - expected) / 20_000)


def test_wind_reaches_the_strength_when_the_line_fails_and_not_before():
    strength = jnp.linspace(5.0, 49.9, 40)
    fails, share = failure(strength, jnp.float32(50.0))
    assert fails.all()
    assert (share <= 0.5).all()
    np.testing.assert_allclose(gust_at(jnp.float32(50.0), share), strength, rtol=1e-5)
    assert (jnp.diff(share) > 0).all()


def test_half_sine():
    share = jnp.array([0.0, 1 / 6, 0.5, 5 / 6, 1.0])
    np.testing.assert_allclose(gust_at(jnp.float32(30.0), share), [0, 15, 30, 15, 0], atol=1e-4)


def test_nothing_fails_without_wind_and_all_alike_without_spread():
    strength = strengths(jnp.array([-3.0, 0.0, 3.0]), 40.0, 0.0)
    np.testing.assert_array_equal(strength, 40.0)
    fails, share = failure(jnp.append(strength, 0.0), jnp.float32(0.0))
    assert not fails.any()
    assert (share == 0).all()
