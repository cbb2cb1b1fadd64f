import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners import losses


def samples(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0.0, 0.3, size=(50, 3)), rng.normal(size=(50, 3))


def test_policy_loss_equals_a_plain_loop():
    log_ratio, advantage = samples()
    total = 0.0
    for r, a in zip(np.exp(log_ratio).ravel(), advantage.ravel()):
        total -= min(r * a, min(max(r, 0.8), 1.2) * a)
    np.testing.assert_allclose(losses.policy_loss(log_ratio, advantage, 0.2), total / 150, rtol=1e-5)


@pytest.mark.parametrize(
    ("log_ratio", "advantage", "moves"), [(0.5, 1, 0), (0.5, -1, 1), (-0.5, 1, 1), (-0.5, -1, 0)]
)
def test_gradient_stops_where_the_ratio_has_gone_far_enough(log_ratio, advantage, moves):
    gradient = jax.grad(losses.policy_loss)(log_ratio, float(advantage), 0.2)
    assert (gradient != 0.0) == bool(moves)


def test_policy_gradient_at_a_ratio_of_one_is_the_advantage():
    _, advantage = samples()
    gradient = jax.grad(losses.policy_loss)(jnp.zeros((50, 3)), advantage, 0.2)
    np.testing.assert_allclose(gradient, -advantage / 150, rtol=1e-5)


def test_value_losses():
    value, old, target = np.asarray([0.0, 3.0, 0.5]), np.asarray([0.0, 0.0, 0.4]), np.asarray([1.0, 1.0, 1.0])
    squared = losses.value_loss(value, old, target, "squared", 0.2, 1.0)
    np.testing.assert_allclose(squared, 0.5 * np.mean([1.0, 4.0, 0.25]), rtol=1e-6)
    huber = losses.value_loss(value, old, target, "huber", 0.2, 1.0)
    np.testing.assert_allclose(huber, np.mean([0.5, 1.5, 0.125]), rtol=1e-6)
    # Clipped: 3 is brought back to 0.2, which is nearer to the target; the larger error counts.
    clipped = losses.value_loss(value, old, target, "clipped", 0.2, 1.0)
    np.testing.assert_allclose(clipped, 0.5 * np.mean([1.0, 4.0, 0.25]), rtol=1e-6)
    # A value past the clip towards the target gives no gradient.
    gradient = jax.grad(lambda v: losses.value_loss(v, 0.0, 1.0, "clipped", 0.2, 1.0))(0.5)
    assert gradient == 0.0


@pytest.mark.parametrize("kind", losses.VALUE_LOSSES)
def test_all_are_means_not_sums(kind):
    log_ratio, advantage = samples()
    twice = [np.concatenate([x, x]) for x in (log_ratio, advantage)]
    np.testing.assert_allclose(
        losses.policy_loss(*twice, 0.2), losses.policy_loss(log_ratio, advantage, 0.2), rtol=1e-5
    )
    one = losses.value_loss(log_ratio, 0 * advantage, advantage, kind, 0.2, 1.0)
    two = losses.value_loss(twice[0], 0 * twice[1], twice[1], kind, 0.2, 1.0)
    np.testing.assert_allclose(one, two, rtol=1e-5)


def test_diagnostics():
    log_ratio = np.log(np.asarray([1.0, 1.1, 1.5, 0.5]))
    found = losses.policy_diagnostics(log_ratio, 0.2)
    np.testing.assert_allclose(found["clip_fraction"], 0.5)
    np.testing.assert_allclose(found["ratio_deviation"], 0.5, rtol=1e-6)
    np.testing.assert_allclose(found["approximate_kl"], np.mean([0.0, 0.1, 0.5, -0.5] - log_ratio), rtol=1e-4)


def test_explained_variance():
    target = jnp.asarray([1.0, 2.0, 3.0])
    assert losses.explained_variance(target, target) == 1.0
    assert losses.explained_variance(jnp.full(3, 7.0), target) == 0.0
    assert np.isfinite(losses.explained_variance(target, jnp.ones(3)))


def test_value_diagnostics():
    found = losses.value_diagnostics(np.array([1.0, 2.0, 5.0]), np.array([1.0, 3.0, 3.0]))
    np.testing.assert_allclose(found["value_error"], np.sqrt(5 / 3), rtol=1e-6)
    np.testing.assert_allclose(
        found["explained_variance"], 1 - np.var([0, 1, -2]) / np.var([1, 3, 3]), rtol=1e-5
    )
