"""Reactive capability and the Volt-VAR curve."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.devices import reactive_limit, volt_var

POINTS = jnp.array([0.92, 0.98, 1.02, 1.08])


def test_capability_is_what_the_rating_leaves():
    q = reactive_limit(jnp.array([0.0, 3.0, 5.0, 6.0]), jnp.float32(5.0))
    np.testing.assert_allclose(q, [5.0, 4.0, 0.0, 0.0], atol=1e-6)


def test_curve_of_category_b_at_its_points():
    v = jnp.array([0.5, 0.92, 0.95, 0.98, 1.0, 1.02, 1.05, 1.08, 1.5])
    expected = [0.44, 0.44, 0.22, 0.0, 0.0, 0.0, -0.22, -0.44, -0.44]
    np.testing.assert_allclose(volt_var(v, POINTS, jnp.float32(0.44)), expected, atol=1e-5)


def test_the_curve_is_the_interpolation_of_its_points():
    v = np.linspace(0.85, 1.15, 400)
    expected = np.interp(v, np.asarray(POINTS), [1.0, 0.0, 0.0, -1.0])
    np.testing.assert_allclose(
        volt_var(jnp.asarray(v, jnp.float32), POINTS, jnp.float32(1.0)), expected, atol=1e-5
    )


def test_limits_broadcast_over_inverters():
    q = volt_var(jnp.array([[0.9, 0.95, 1.1]]), POINTS, jnp.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(q, [[1.0, 1.0, -3.0]], atol=1e-5)


def test_the_reactive_limit_has_a_finite_gradient_where_there_is_no_room():
    slope = jax.grad(lambda p: reactive_limit(p, jnp.float32(1.0)))
    assert [float(slope(jnp.float32(p))) for p in (1.0, 1.5)] == [0.0, 0.0]
    assert float(slope(jnp.float32(0.6))) == pytest.approx(-0.75, rel=1e-5)
