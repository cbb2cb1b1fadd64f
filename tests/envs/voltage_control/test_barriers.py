"""The published barriers, by value."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.envs.voltage_control import BARRIERS
from gridjax.envs.voltage_control.barriers import barrier

PUBLISHED = BARRIERS[:3]
GRID = np.linspace(0.85, 1.15, 301)


def formula(kind, v):
    """As printed: Wang et al., NeurIPS 2021, section 4.1, in float64."""
    d = np.abs(v - 1.0)
    if kind == "l1":
        return d
    if kind == "l2":
        return 2.0 * d**2
    density = np.exp(-0.5 * (d / 0.1) ** 2) / (0.1 * np.sqrt(2.0 * np.pi))
    return np.where(d > 0.05, 2.0 * d - 0.095, 0.04 - 0.01 * density)


@pytest.mark.parametrize("kind", PUBLISHED)
def test_values_are_those_of_the_formula(kind):
    clear = np.abs(np.abs(GRID - 1.0) - 0.05) > 1e-6  # at the edge itself bowl jumps by 0.0002
    value = barrier(BARRIERS.index(kind), jnp.asarray(GRID, jnp.float32))
    np.testing.assert_allclose(value[clear], formula(kind, GRID)[clear], atol=3e-7)


def test_none_leaves_voltages_to_their_cost():
    values = barrier(BARRIERS.index("none"), jnp.asarray(GRID, jnp.float32))
    np.testing.assert_array_equal(values, 0.0)


@pytest.mark.parametrize(("v", "value"), [(1.0, 0.00011), (1.05001, 0.005), (1.1, 0.105), (0.9, 0.105)])
def test_published_values_of_bowl(v, value):
    assert float(barrier(2, jnp.float32(v))) == pytest.approx(value, abs=3e-5)


@pytest.mark.parametrize("kind", range(3))
def test_smallest_at_one(kind):
    values = np.asarray(barrier(kind, jnp.asarray(GRID, jnp.float32)))
    assert values.argmin() == 150
    assert values.min() >= 0.0


@pytest.mark.parametrize("kind", range(3))
def test_smoothing_fades_into_the_barrier(kind):
    v = jnp.asarray(GRID, jnp.float32)
    sharp = barrier(kind, v)
    errors = [float(jnp.max(jnp.abs(barrier(kind, v, s) - sharp))) for s in (1e-2, 1e-3, 1e-4, 1e-5)]
    assert all(error <= 1.01 * s for error, s in zip(errors, (1e-2, 1e-3, 1e-4, 1e-5)))


@pytest.mark.parametrize("kind", range(3))
@pytest.mark.parametrize("smoothing", [0.0, 1e-3])
def test_derivatives_are_finite_also_at_the_kinks(kind, smoothing):
    at = jnp.asarray([0.8, 0.95, 0.97, 1.0, 1.05, 1.2], jnp.float32)

    def f(v):
        return barrier(kind, v, smoothing)

    assert np.isfinite(jax.vmap(jax.grad(f))(at)).all()
    assert np.isfinite(jax.vmap(jax.grad(jax.grad(f)))(at)).all()
    off = jnp.asarray([0.93, 0.97, 1.02, 1.08], jnp.float32)
    numeric = (f(off + 1e-3) - f(off - 1e-3)) / 2e-3
    np.testing.assert_allclose(jax.vmap(jax.grad(f))(off), numeric, rtol=5e-3, atol=2e-3)
