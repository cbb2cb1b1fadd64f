import distrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners.distributions import gaussian


def batch(seed=0, n=200):
    keys = jax.random.split(jax.random.key(seed), 2)
    mean = jax.random.uniform(keys[0], (n, 2), minval=-1.0, maxval=1.0)
    log_std = jnp.asarray([-1.5, -0.3])
    return mean, log_std, gaussian.sample(keys[1], mean, log_std)


def test_equals_the_transformed_distribution_away_from_the_edges():
    mean, log_std, u = batch()
    squashed = distrax.Transformed(distrax.Normal(mean, jnp.exp(log_std)), distrax.Tanh())
    expected = squashed.log_prob(jnp.tanh(u)).sum(-1)
    np.testing.assert_allclose(gaussian.log_prob(u, mean, log_std), expected, rtol=2e-3, atol=2e-4)


def test_is_a_density_of_the_action():
    """Its integral over (-1, 1) is one, and the share below zero is that of the samples."""
    action = jnp.linspace(-1.0, 1.0, 200_001)[1:-1]
    u = jnp.arctanh(action)[:, None]
    mean, log_std = jnp.full_like(u, 0.3), jnp.asarray([-0.5])
    density = np.exp(gaussian.log_prob(u, mean, log_std))
    np.testing.assert_allclose(np.sum(density) * 1e-5, 1.0, atol=1e-3)
    samples = gaussian.sample(jax.random.key(0), jnp.full((100_000, 1), 0.3), log_std)
    below = np.mean(gaussian.action(samples) < 0.0)
    np.testing.assert_allclose(np.sum(density[action < 0.0]) * 1e-5, below, atol=5e-3)


def test_the_jacobian_is_that_of_tanh():
    u = jnp.linspace(-4.0, 4.0, 101)
    expected = jnp.log(jax.vmap(jax.grad(jnp.tanh))(u))
    np.testing.assert_allclose(gaussian.log_det_jacobian(u), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("u", [-100.0, -10.0, 10.0, 100.0])
def test_finite_far_out_with_finite_gradients(u):
    x = jnp.full((1, 1), u)

    def total(mean, log_std, x):
        return gaussian.log_prob(x, mean, log_std).sum()

    value, gradients = jax.value_and_grad(total, argnums=(0, 1, 2))(jnp.zeros((1, 1)), jnp.zeros(1), x)
    assert np.isfinite(value)
    assert all(np.all(np.isfinite(g)) for g in gradients)


def test_stays_finite_for_an_unbounded_log_std():
    mean = jnp.zeros((1, 1))
    for log_std in (-200.0, 200.0):
        u = gaussian.sample(jax.random.key(0), mean, jnp.full(1, log_std))
        assert np.isfinite(gaussian.log_prob(u, mean, jnp.full(1, log_std))).all()
        assert np.isfinite(gaussian.entropy(mean, jnp.full(1, log_std))).all()


def test_entropy_and_mode():
    mean, log_std, _ = batch()
    expected = np.sum(0.5 * np.log(2 * np.pi * np.e) + np.asarray(log_std))
    found = gaussian.entropy(mean, log_std)
    assert found.shape == (200,)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(gaussian.action(gaussian.mode(mean, log_std)), jnp.tanh(mean))


def test_samples_have_the_moments_asked_for():
    u = gaussian.sample(jax.random.key(1), jnp.full((50_000, 2), 0.4), jnp.asarray([-1.0, 0.0]))
    np.testing.assert_allclose(u.mean(0), 0.4, atol=0.02)
    np.testing.assert_allclose(u.std(0), np.exp([-1.0, 0.0]), rtol=0.02)


def test_can_be_used_inside_jit_vmap_and_scan():
    mean, log_std, u = batch()

    @jax.jit
    def chained(mean, u):
        def step(total, pair):
            return total + jax.vmap(gaussian.log_prob, (0, 0, None))(*pair, log_std).sum(), None

        return jax.lax.scan(step, 0.0, (u.reshape(4, 50, 2), mean.reshape(4, 50, 2)))[0]

    np.testing.assert_allclose(chained(mean, u), gaussian.log_prob(u, mean, log_std).sum(), rtol=1e-4)


def test_the_divergence_from_zero_is_that_of_normals_and_pulls_the_mean_only():
    mean, log_std, _ = batch()
    normals = distrax.Normal(mean, jnp.exp(log_std)), distrax.Normal(jnp.zeros_like(mean), jnp.exp(log_std))
    np.testing.assert_allclose(
        gaussian.from_zero(mean, log_std), normals[0].kl_divergence(normals[1]).sum(-1), rtol=1e-5
    )
    pull = jax.grad(lambda m, s: gaussian.from_zero(m, s).sum(), argnums=(0, 1))(mean, log_std)
    np.testing.assert_allclose(pull[0], mean / jnp.exp(2 * log_std), rtol=1e-5)
    assert not pull[1].any()
