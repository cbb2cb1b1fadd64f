import jax.numpy as jnp
import numpy as np

from gridjax.learners.normalise import CLIP, empty_stats, merge, normalise


def test_merging_batches_equals_the_moments_of_all_samples():
    rng = np.random.default_rng(0)
    batches = [rng.normal(3.0, [0.1, 5.0, 100.0], size=(n, 4, 3)) for n in (1, 7, 30, 200)]
    stats = empty_stats((3,))
    for x in batches:
        stats = merge(stats, jnp.asarray(x, jnp.float32))
    samples = np.concatenate([x.reshape(-1, 3) for x in batches])
    assert stats.count == len(samples)
    np.testing.assert_allclose(stats.mean, samples.mean(0), rtol=1e-4)
    np.testing.assert_allclose(stats.variance, samples.var(0), rtol=1e-4)


def test_a_small_spread_far_from_zero_survives():
    """As squares of sums in float32 it would not."""
    rng = np.random.default_rng(1)
    samples = 1000.0 + 0.1 * rng.normal(size=(50, 100))
    stats = empty_stats()
    for x in samples.astype(np.float32):
        stats = merge(stats, jnp.asarray(x))
    np.testing.assert_allclose(stats.std, samples.std(), rtol=1e-2)


def test_no_samples_change_nothing():
    x = jnp.asarray([[-3.0, 0.5], [2.0, 9.0]])
    np.testing.assert_allclose(normalise(empty_stats((2,)), x), x, rtol=1e-6)


def test_normalised_samples_have_unit_moments_and_are_clipped():
    x = jnp.asarray(np.random.default_rng(2).normal(-7.0, 3.0, size=(5000, 2)), jnp.float32)
    stats = merge(empty_stats((2,)), x)
    z = normalise(stats, x)
    np.testing.assert_allclose(z.mean(0), 0.0, atol=1e-3)
    np.testing.assert_allclose(z.std(0), 1.0, atol=1e-3)
    assert normalise(stats, jnp.full(2, 1e9)).max() == CLIP


def test_an_entry_that_never_varies_comes_out_as_zero():
    x = jnp.full((64, 1), 0.1)
    stats = merge(merge(empty_stats((1,)), x), x)
    assert np.abs(normalise(stats, x)).max() < 1e-2


def test_memory_below_one_forgets():
    stats = merge(empty_stats(), jnp.full(100, -50.0))
    for _ in range(1000):
        stats = merge(stats, jnp.asarray([0.0, 2.0] * 50), memory=0.9)
    np.testing.assert_allclose([stats.mean, stats.std], 1.0, atol=1e-3)
    np.testing.assert_allclose(stats.count, 1000.0, rtol=1e-3)
