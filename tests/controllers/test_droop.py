"""A droop is where curve and power flow agree."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax import powerflow
from gridjax.controllers import CATEGORY_B, STEEP, droop, no_control
from gridjax.devices import reactive_limit


@pytest.fixture(scope="module")
def act(feeder):
    """`act(curve)`: actions of the droop `[32, 6, 1]`."""
    env, params, states = feeder
    return jax.jit(lambda curve: jax.vmap(lambda state: droop(curve, env, state, params))(states))


def asked(curve, voltage, rating):
    """The curve once more, in NumPy."""
    points = np.asarray(curve.points, float)
    return curve.limit * rating * np.interp(voltage, points, [1.0, 0.0, 0.0, -1.0])


@pytest.mark.parametrize("curve", [CATEGORY_B, STEEP], ids=["category B", "steep"])
def test_curve_and_power_flow_agree(feeder, act, curve):
    env, params, states = feeder
    actions = act(curve)["inverter"][..., 0]
    assert bool(jnp.all(jnp.abs(actions) <= 1.0 + 1e-6))
    capability = params.action_range * reactive_limit(states.sun, params.apparent)
    reactive = actions * capability
    place = jax.nn.one_hot(params.pv_bus, env.n_bus)
    injection = states.sun @ place - states.demand[:, :33] + 1j * (reactive @ place - states.demand[:, 33:])
    flow = powerflow.solve(params.network, injection, "newton")
    assert flow.converged.all()
    voltage = np.abs(np.asarray(flow.voltage))[:, np.asarray(params.pv_bus)]
    rating = np.asarray(params.apparent)
    expected = np.clip(asked(curve, voltage, rating), -capability, capability)
    assert np.abs(expected - np.asarray(reactive)).max() < 1e-3 * rating.min()
    assert np.abs(np.asarray(actions)).max() > 0.1


def test_it_does_not_depend_on_where_it_starts(feeder, act):
    env, params, states = feeder
    rested = jax.jit(jax.vmap(partial(droop, STEEP, env), (0, None)))

    other = replace(states, reactive=-states.reactive, deviation=0.0 * states.deviation)
    first, second = act(STEEP)["inverter"], rested(other, params)["inverter"]
    np.testing.assert_allclose(first, second, atol=2e-3)


def test_droops_beat_doing_nothing_and_the_steep_one_more(feeder, act, penalty):
    env, params, states = feeder
    none = float(penalty(jax.vmap(lambda s: no_control(env, s, params))(states), params).mean())
    standard, steep = (float(penalty(act(curve), params).mean()) for curve in (CATEGORY_B, STEEP))
    assert steep < standard < none
