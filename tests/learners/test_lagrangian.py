"""Costs are kept under their bounds, at no more loss of reward than that takes."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners import MAPPO
from gridjax.learners.batch import streams, weighed
from gridjax.learners.lagrangian import bounded, update

from .probes import SETTINGS, Bounded, NoParams, Probe

SLOWLY = SETTINGS | {"initial_log_std": -1.5, "learning_rate": 2e-3, "multiplier_rate": 0.1}


def train(updates, **chosen):
    learner = MAPPO.create(Bounded(), NoParams(), **(SLOWLY | chosen))
    state = learner.init(jax.random.key(0))
    metrics = {}
    costs = []
    for _ in range(updates):
        state, metrics = learner.update(state)
        costs.append(float(metrics["cost/excess"]))
    return learner, state, metrics, costs


@pytest.mark.parametrize(("sharing", "central", "twin"), [("group", True, False), ("agent", False, True)])
def test_a_cost_is_kept_under_its_bound_and_no_further(sharing, central, twin):
    """In units of its own, far from those of the reward."""
    bounds = {"excess": 300.0, "nothing": 0.0}
    learner, state, metrics, costs = train(
        120, cost_bounds=bounds, sharing=sharing, central_critic=central, twin=twin
    )
    found = float(learner.policy(state)({"agent": jnp.ones((1, 1))})["agent"][0, 0])
    assert found == pytest.approx(0.3, abs=0.05)
    assert np.mean(costs[-50:]) == pytest.approx(300.0, abs=15.0)
    assert metrics["multiplier/excess"] > 0.5
    assert metrics["multiplier/nothing"] == 0.0
    assert metrics["violation/excess"] == pytest.approx(costs[-1] - 300.0, rel=1e-3)


def test_without_a_bound_it_is_not():
    learner, state, metrics, _ = train(100)
    found = float(learner.policy(state)({"agent": jnp.ones((1, 1))})["agent"][0, 0])
    assert found == pytest.approx(0.9, abs=0.05)
    assert not any(name.startswith("multiplier") for name in metrics)
    assert state.multipliers.shape == (0,)


def test_multipliers_rise_above_the_bound_fall_below_it_and_never_under_zero():
    cost = jnp.asarray([[2.0, 0.5], [4.0, 0.1]])
    bounds = {"a": 2.0, "b": 0.6}
    after, metrics = update(bounds, jnp.asarray([0.0, 0.01]), cost, 0.1)
    np.testing.assert_allclose(after, [0.1 * 0.5, 0.0], rtol=1e-6)
    np.testing.assert_allclose([metrics["violation/a"], metrics["violation/b"]], [1.0, -0.3], rtol=1e-6)
    kept_free, told = update(bounds, jnp.asarray([0.0, 0.01]), cost, 0.1, 0.75)
    np.testing.assert_allclose(kept_free, [0.1, 0.01 + 0.1 * 0.25], rtol=1e-6)
    np.testing.assert_allclose(told["violation/b"], -0.3, rtol=1e-6)
    assert update(None, jnp.zeros(0), jnp.zeros((4, 0)), 0.1)[1] == {}


def test_advantages_are_weighed_in_deviations_of_their_returns():
    advantage = jnp.asarray([[[1.0, 8.0, 30.0], [2.0, -4.0, 0.0]]])
    std = jnp.asarray([[2.0, 4.0, 10.0]] * 2)
    found = weighed(advantage, std, jnp.asarray([0.5, 1.5]))
    np.testing.assert_allclose(found, [[(0.5 - 1.0 - 4.5) / 3.0, (1.0 + 0.5) / 3.0]], rtol=1e-6)
    np.testing.assert_array_equal(weighed(advantage[..., :1], std[:, :1], jnp.zeros(0)), advantage[..., 0])


def test_costs_are_everybody_s_and_in_the_order_of_their_names():
    cost = {"z": jnp.ones(3), "a": 2.0 * jnp.ones(3), "other": jnp.zeros(3)}
    learner_cost = bounded({"a": 1.0, "z": 1.0}, cost, cost["a"].shape)
    np.testing.assert_array_equal(learner_cost, [[2.0, 1.0]] * 3)
    paid = streams(jnp.asarray([[0.0, 4.0]] * 3), learner_cost, 0.5)
    np.testing.assert_array_equal(paid[0], [[1.0, 2.0, 1.0], [3.0, 2.0, 1.0]])


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"exces": 1.0}, r"cost_bounds: got 'exces', expected a cost of Bounded \(excess, nothing\)"),
        ({"excess": -1.0}, r"cost_bounds\['excess'\]: got -1.0, expected a finite number at least 0"),
        (3.0, r"cost_bounds: got 3.0, expected a mapping"),
    ],
)
def test_bounds_of_what_is_no_cost(bounds, message):
    with pytest.raises(ValueError, match=message):
        MAPPO.create(Bounded(), NoParams(), cost_bounds=bounds)


@dataclass(frozen=True)
class Free(Probe):
    """A task without costs."""

    def transition(self, key, state, actions, params):
        return super().transition(key, state, actions, params)._replace(cost={})


def test_a_task_may_have_no_costs():
    learner = MAPPO.create(Free(), NoParams(), twin=True, **(SETTINGS | {"num_epochs": 1}))
    _, metrics = learner.update(learner.init(jax.random.key(0)))
    assert np.isfinite(metrics["reward"])
    assert not any(name.startswith("cost/") for name in metrics)
