"""The scale of transfers and trade."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.envs.smart_grid.companding import TRADE, TRANSFER, compress, expand

ACTIONS = jnp.linspace(-1.0, 1.0, 201)
scales = pytest.mark.parametrize("k", [TRANSFER, TRADE])


@scales
def test_one_is_the_other_way_round(k):
    np.testing.assert_allclose(compress(expand(ACTIONS, k), k), ACTIONS, atol=1e-5)
    np.testing.assert_allclose(expand(compress(ACTIONS, k), k), ACTIONS, atol=1e-5)


@scales
def test_nothing_and_everything_stay_what_they_are(k):
    np.testing.assert_allclose(expand(jnp.array([-1.0, 0.0, 1.0]), k), [-1.0, 0.0, 1.0], atol=1e-6)


@scales
def test_it_is_odd_and_increases_most_at_the_ends(k):
    shares = np.asarray(expand(ACTIONS, k))
    np.testing.assert_allclose(shares, -shares[::-1], atol=1e-6)
    slope = np.asarray(jax.vmap(jax.grad(expand), (0, None))(ACTIONS, k))
    assert np.all(slope > 0.0)
    assert slope.argmin() == 100
    np.testing.assert_allclose(slope[100], k / np.sinh(k), rtol=1e-5)
