import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from gridjax.learners.distributions import beta


def test_equals_scipy_s_density_and_entropy_on_the_action_s_scale():
    raw = jax.random.normal(jax.random.key(0), (50, 4))
    log_std = jnp.asarray([-1.0, -2.0])
    x = beta.sample(jax.random.key(1), raw, log_std)
    law = stats.beta(*(np.asarray(c, np.float64) for c in beta.concentrations(raw, log_std)), loc=-1, scale=2)
    assert x.shape == (50, 2)
    expected = law.logpdf(np.asarray(beta.action(x), np.float64)).sum(-1)
    np.testing.assert_allclose(beta.log_prob(x, raw, log_std), expected, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(beta.entropy(raw, log_std), law.entropy().sum(-1), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(beta.action(beta.mode(raw, log_std)), law.mean(), atol=1e-5)


@pytest.mark.parametrize("log_std", [-0.6, -1.5, -3.0])
def test_where_the_network_gives_zero_the_deviation_is_as_asked_for(log_std):
    x = beta.sample(jax.random.key(0), jnp.zeros((20_000, 2)), jnp.full(1, log_std))
    np.testing.assert_allclose(np.std(beta.action(x)), np.exp(log_std), rtol=0.03)
    np.testing.assert_allclose(np.mean(beta.action(x)), 0.0, atol=0.02)


@pytest.mark.parametrize("raw", [-100.0, 0.0, 100.0])
@pytest.mark.parametrize("log_std", [-20.0, -1.0, 2.0])
def test_stays_finite_with_finite_gradients(raw, log_std):
    pair = jnp.asarray([[raw, -raw]])
    x = beta.sample(jax.random.key(0), pair, jnp.full(1, max(log_std, -4.0)))

    def total(pair):
        spread = jnp.full(1, max(log_std, -4.0))
        return beta.log_prob(x, pair, spread).sum() + beta.entropy(pair, spread).sum()

    value, gradient = jax.value_and_grad(total)(pair)
    assert np.isfinite(value)
    assert np.all(np.isfinite(gradient))
    assert np.all((x > 0.0) & (x < 1.0))
