import jax.numpy as jnp
import numpy as np

from gridjax.learners.batch import shared_reward, whiten


def test_shared_rewards_keep_their_mean():
    reward = jnp.array([[1.0, 2.0, 6.0], [0.0, 0.0, 3.0]])
    np.testing.assert_array_equal(shared_reward(reward, 0.0), reward)
    np.testing.assert_allclose(shared_reward(reward, 1.0), [[3.0] * 3, [1.0] * 3])
    np.testing.assert_allclose(shared_reward(reward, 0.5), [[2.0, 2.5, 4.5], [0.5, 0.5, 2.0]])


def test_whitened_advantages():
    x = whiten(jnp.arange(12.0).reshape(3, 4))
    np.testing.assert_allclose([x.mean(), x.std()], [0.0, 1.0], atol=1e-6)


def test_rare_disasters_may_be_cut():
    ordinary = np.random.default_rng(0).normal(size=1000)
    rare = jnp.asarray(np.append(ordinary, 500.0), jnp.float32)
    drowned, cut = whiten(rare), whiten(rare, 4.0)
    assert np.std(drowned[:-1]) < 0.1
    assert np.std(cut[:-1]) > 0.5
    np.testing.assert_allclose([cut.mean(), cut.std()], [0.0, 1.0], atol=1e-5)
    # what is not cut keeps its order and its distances
    np.testing.assert_allclose(np.corrcoef(cut[:-1], ordinary)[0, 1], 1.0, atol=1e-3)
    assert cut[-1] == cut.max()
