import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.scenarios.noise import autoregression, lognormal, recur, with_shared

NORMAL = jax.random.normal(jax.random.key(0), (200, 2000))


def test_autoregression_is_stationary_with_the_memory_asked_for():
    hours = jnp.where(jnp.arange(2000) < 1000, 0.5, 4.0)
    paths = np.asarray(autoregression(NORMAL, hours, 0.25))
    np.testing.assert_allclose(paths[[0, 1, 50, 199]].std(1), 1, atol=0.06)
    for columns, time in ((slice(0, 1000), 0.5), (slice(1000, None), 4.0)):
        found = (paths[:-1, columns] * paths[1:, columns]).mean()
        assert found == pytest.approx(np.exp(-0.25 / time), abs=0.02)


def test_mixing_keeps_the_variance_and_sets_the_correlation():
    mixed = np.asarray(with_shared(NORMAL.T[:, :4], jnp.float32(0.3)))
    assert mixed.shape == (2000, 3)
    np.testing.assert_allclose(mixed.std(0), 1, atol=0.06)
    np.testing.assert_allclose(np.corrcoef(mixed.T)[np.triu_indices(3, 1)], 0.3, atol=0.06)


def test_lognormal_has_mean_one():
    values = np.asarray(lognormal(NORMAL, jnp.float32(0.5)))
    assert values.mean() == pytest.approx(1, abs=0.01)
    assert np.log(values).std() == pytest.approx(0.5, rel=0.01)


def test_recursion_of_an_impulse_is_a_geometric_decay():
    impulse = jnp.zeros((5, 1)).at[1].set(2.0)
    np.testing.assert_allclose(recur(impulse, jnp.float32(0.5))[:, 0], [0, 2, 1, 0.5, 0.25])
