from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import numpy as np

from gridjax.learners.batch import _value_metrics, shared_reward, whiten
from gridjax.learners.layout import Group, Layout


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


def test_values_are_judged_by_group_and_by_cost():
    layout = Layout((Group("a", 2, 1, 1), Group("b", 1, 1, 1)), 1)
    learner: Any = SimpleNamespace(layout=layout, cost_bounds={"heat": 1.0})
    # two steps of three agents, of a reward and a cost
    returns = np.zeros((2, 3, 2))
    returns[..., 0] = [[1.0, 3.0, 10.0], [1.0, 3.0, 20.0]]
    returns[..., 1] = [[4.0, 4.0, 4.0], [8.0, 8.0, 8.0]]
    value = np.copy(returns)
    value[:, :2, 0] += 1.0  # of the first group: only a bias
    value[:, 2, 0] = 15.0
    value[..., 1] = 6.0
    found = _value_metrics(learner, value, returns)
    expected = {
        "value_error": np.sqrt((4 * 1 + 2 * 25) / 6),
        "value_error/a": 1.0,
        "value_error/b": 5.0,
        "explained_variance/a": 1.0,
        "explained_variance/b": 0.0,
        "cost_value_error/heat": 2.0,
        "cost_explained_variance/heat": 0.0,
    }
    for name, number in expected.items():
        np.testing.assert_allclose(found[name], number, rtol=1e-5, atol=1e-6, err_msg=name)
    assert set(found) == {*expected, "explained_variance"}
