"""The scale of transfers and trade."""

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs.smart_grid.companding import STEEPNESS, compress, expand

ACTIONS = jnp.linspace(-1.0, 1.0, 201)


def test_one_is_the_other_way_round():
    np.testing.assert_allclose(compress(expand(ACTIONS)), ACTIONS, atol=1e-6)
    np.testing.assert_allclose(expand(compress(ACTIONS)), ACTIONS, atol=1e-6)


def test_nothing_and_everything_stay_what_they_are():
    np.testing.assert_allclose(expand(jnp.array([-1.0, 0.0, 1.0])), [-1.0, 0.0, 1.0], atol=1e-6)


def test_it_is_odd_and_increases_most_at_the_ends():
    shares = np.asarray(expand(ACTIONS))
    np.testing.assert_allclose(shares, -shares[::-1], atol=1e-6)
    slope = np.asarray(jax.vmap(jax.grad(expand))(ACTIONS))
    assert np.all(slope > 0.0)
    assert slope.argmin() == 100
    np.testing.assert_allclose(slope[100], STEEPNESS / np.sinh(STEEPNESS), rtol=1e-5)
