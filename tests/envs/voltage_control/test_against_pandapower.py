"""Episodes with random actions, step by step beside pandapower."""

import jax
import numpy as np
import pytest

import gridjax

from .pandapower_feeder import PV_BUSES, Feeder, reward

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pandapower"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pandapower"),
]
N_DAY, N_STEP = 6, 6


@pytest.fixture(scope="module")
def steps():
    """Every step of a few episodes: state before, action, transition, solved voltages, next observation."""
    env, params = gridjax.make("VoltageControl-v0")

    def episode(key):
        _, state = env.reset(key, params)

        def step(state, key):
            actions = {"inverter": jax.random.uniform(key, (env.n_agent, 1), minval=-1.0)}
            out = env.transition(key, state, actions, params)
            flow = env.flow(state.demand, state.sun, out.state.reactive, state.deviation, params)[0]
            seen = env.voltage(state.deviation, params)
            return out.state, (state, actions, out, env.voltage(flow, params), seen)

        return jax.lax.scan(step, state, jax.random.split(key, N_STEP))[1]

    taken = jax.jit(jax.vmap(episode))(jax.random.split(jax.random.key(7), N_DAY))
    flat = jax.tree.map(lambda x: np.asarray(x, np.float64).reshape(-1, *x.shape[2:]), taken)
    return env, params, flat


@pytest.fixture(scope="module")
def truth(steps):
    """pandapower's |v|, angle and losses for every step, with the set-points worked out from the actions."""
    _, params, (state, actions, _, _, _) = steps
    feeder, base, solved = Feeder(), float(params.network.base_mva), []
    for k in range(N_DAY * N_STEP):
        rating = np.asarray(params.apparent, np.float64) * base
        sun = state.sun[k] * base
        reactive = actions["inverter"][k, :, 0] * 0.8 * np.sqrt(rating**2 - sun**2)
        solved.append((*feeder.solve(state.demand[k] * base, sun, reactive), reactive))
    return [np.stack(part) for part in zip(*solved)]


def test_the_inverters_stand_where_they_are_published(steps):
    assert steps[1].pv_bus.tolist() == PV_BUSES


def test_the_states_are_worth_testing(truth):
    magnitude, _, losses, reactive = truth
    assert magnitude.min() < 0.97
    assert magnitude.max() > 1.03
    assert np.ptp(losses) > 0.05
    assert np.abs(reactive).max() > 0.5


def test_voltages(steps, truth):
    (magnitude, angle), (v, delta, *_) = steps[2][3], truth
    assert np.abs(magnitude - v).max() < 1e-5
    assert np.abs(angle - delta).max() < 1e-5


def test_losses_reward_and_metrics(steps, truth):
    (_, _, out, _, _), (v, _, losses, reactive) = steps[2], truth
    metrics = out.metrics
    np.testing.assert_allclose(metrics["losses_mw"], losses, rtol=1e-4)
    expected = np.array([reward(v[k], reactive[k], 0.01) for k in range(len(v))])
    np.testing.assert_allclose(out.reward["inverter"], np.tile(expected[:, None], 6), rtol=1e-4)
    np.testing.assert_allclose(metrics["reactive_mvar"], np.abs(reactive).mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(metrics["voltage_min"], v.min(axis=1), atol=1e-5)
    np.testing.assert_allclose(metrics["voltage_max"], v.max(axis=1), atol=1e-5)
    outside = np.maximum(v - 1.05, 0.0) + np.maximum(0.95 - v, 0.0)
    np.testing.assert_allclose(out.cost["voltage"], outside.mean(axis=1), atol=1e-5)
    clear = np.abs(np.abs(v - 1.0) - 0.05).min(axis=1) > 1e-5
    np.testing.assert_allclose(metrics["out_of_band"][clear], (outside > 0).mean(axis=1)[clear], atol=1e-6)
    np.testing.assert_array_equal(metrics["controllable"][clear], (outside == 0).all(axis=1)[clear])


def test_observed_voltages_are_nearly_those_of_the_held_set_points(steps):
    """They come from one iteration instead of a power flow: how much that costs under random actions."""
    _, params, (state, _, _, _, (magnitude, angle)) = steps
    feeder, base = Feeder(), float(params.network.base_mva)
    errors = []
    for k in range(N_DAY * N_STEP):
        v, delta, _ = feeder.solve(state.demand[k] * base, state.sun[k] * base, state.reactive[k] * base)
        errors.append([np.abs(magnitude[k] - v).max(), np.abs(angle[k] - delta).max()])
    errors = np.array(errors).reshape(N_DAY, N_STEP, 2)
    # the first of an episode is linear around the nominal state, the others around the last solved one
    assert errors[:, 0].max() < 3e-2
    assert np.median(errors[:, 0, 0]) < 4e-3
    assert errors[:, 1:].max() < 1e-3
    assert np.median(errors[:, 1:]) < 1e-4
