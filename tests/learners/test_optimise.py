import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners.distributions import gaussian
from gridjax.learners.optimise import _by_group, within_bounds


def test_every_group_has_diagnostics_of_its_own():
    entropies = {"a": np.array([[1.0, 3.0]]), "b": np.array([[5.0]])}
    log_ratios = {"a": np.log([[1.0, 1.5]]), "b": np.zeros((1, 1))}
    found = _by_group(entropies, log_ratios, 0.2)
    assert (found["entropy/a"], found["entropy/b"]) == (2.0, 5.0)
    assert (found["clip_fraction/a"], found["clip_fraction/b"]) == (0.5, 0.0)
    assert found["approximate_kl/a"] == pytest.approx((0.5 - np.log(1.5)) / 2, rel=1e-5)
    assert found["approximate_kl/b"] == 0.0
    assert not any("ratio_deviation" in name for name in found)


def test_a_deviation_is_kept_where_it_has_a_gradient():
    params = {"hidden": {"kernel": jnp.full(2, -9.0)}, "log_std_agent": jnp.array([-9.0, 0.3, 9.0])}
    found = within_bounds(params)
    np.testing.assert_array_equal(found["hidden"]["kernel"], -9.0)
    np.testing.assert_allclose(found["log_std_agent"], [-5.0, 0.3, 2.0])
    slope = jax.grad(lambda x: jnp.sum(gaussian.log_prob(jnp.ones(3), jnp.zeros(3), x)))
    assert np.all(np.abs(slope(found["log_std_agent"])) > 0.0)
    assert np.all(np.asarray(slope(params["log_std_agent"]))[[0, 2]] == 0.0)
