"""The line search for constants of the campus rule, on rewards known in closed form."""

from dataclasses import replace
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.controllers import campus_tuning, refine_campus_rule
from gridjax.controllers.campus import default_rule

NUMBER = 60
SCENARIOS = SimpleNamespace(day=jnp.arange(NUMBER))
jax.tree_util.register_pytree_node(
    SimpleNamespace, lambda x: ((x.day,), None), lambda _, day: SimpleNamespace(day=day[0])
)
BEST = 0.31  # of the reserve


@pytest.fixture
def refined(monkeypatch):
    """Refines the default rule where `reward(genes, days)` is what each scenario gives."""

    def refine(reward):
        def returns(env, params, genes, keys, scenarios):
            return reward(np.asarray(genes), np.asarray(scenarios.day))

        monkeypatch.setattr(campus_tuning, "_returns", returns)
        return refine_campus_rule(None, None, jax.random.key(0), [default_rule()], SCENARIOS)

    return refine


def test_it_finds_the_best_of_one_constant_and_leaves_the_others(refined):
    found = refined(lambda genes, days: -((genes[0] - BEST) ** 2) - 0.01 * days)
    assert abs(float(found.reserve) - BEST) <= 0.02
    expected = vars(default_rule()) | {"reserve": found.reserve}
    assert {name: float(x) for name, x in vars(found).items()} == {k: float(x) for k, x in expected.items()}


def test_it_begins_with_the_best_start(monkeypatch):
    better = replace(default_rule(), reserve=jnp.float32(0.4), storm=jnp.float32(25.0))

    def returns(env, params, genes, keys, scenarios):
        return -((np.asarray(genes)[0] - BEST) ** 2) + 0.0 * np.asarray(scenarios.day)

    monkeypatch.setattr(campus_tuning, "_returns", returns)
    found = refine_campus_rule(None, None, jax.random.key(0), [default_rule(), better], SCENARIOS)
    assert float(found.storm) == 25.0


def test_it_stays_within_bounds(refined):
    found = refined(lambda genes, days: genes.sum() + 0.0 * days)
    np.testing.assert_array_equal(
        [float(x) for x in vars(found).values()], np.array(campus_tuning.HIGH, np.float32)
    )


def test_what_one_scenario_gains_is_luck(refined):
    usual = np.float32(default_rule().reserve)

    def reward(genes, days):
        return np.where(days == 0, 30.0, -0.1) * (genes[0] != usual)

    assert reward(np.zeros(1), np.arange(NUMBER)).mean() > 0.0
    assert float(refined(reward).reserve) == usual
