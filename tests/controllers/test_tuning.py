"""Tuning finds a curve that serves instants it has not seen."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.controllers import CATEGORY_B, STEEP, Droop, droop, tune_droop
from gridjax.controllers.tuning import curve_from


@pytest.fixture(scope="module")
def tuned(feeder):
    env, params, _ = feeder
    return tune_droop(env, params, jax.random.key(0), 24)


def test_genes_are_centre_dead_band_ramp_and_limit():
    curve = curve_from(jnp.array([1.01, 0.02, -1.0, 0.5]))
    np.testing.assert_allclose(curve.points, [0.89, 0.99, 1.03, 1.13], rtol=1e-6)
    assert float(curve.limit) == 0.5


def test_the_curve_is_a_curve(tuned):
    assert np.all(np.diff(np.asarray(tuned.points)) >= 0.0)
    assert 0.1 <= float(tuned.limit) <= 1.0


def test_better_than_the_standard_curves_on_fresh_instants(feeder, penalty, tuned):
    env, params, states = feeder
    act = jax.jit(lambda curve: jax.vmap(lambda state: droop(curve, env, state, params))(states))
    as_arrays = [Droop(jnp.asarray(c.points), jnp.float32(c.limit)) for c in (tuned, STEEP, CATEGORY_B)]
    best, steep, standard = (float(penalty(act(curve), params).mean()) for curve in as_arrays)
    assert best < steep < standard
