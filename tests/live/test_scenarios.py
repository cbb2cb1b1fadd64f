"""Scenarios change numbers only: what is compiled for one serves them all."""

import jax
import numpy as np
import pytest

import gridjax
from gridjax.live.scenarios import ANY, Scenarios


def shape(params):
    return [(np.shape(x), np.asarray(x).dtype) for x in jax.tree.leaves(params)]


@pytest.mark.parametrize("name", ["VoltageControl-v0", "SmartGrid-v0", "Resilience-v0"])
def test_no_scenario_changes_a_shape_or_a_type(name):
    env, params = gridjax.make(name, split="test")
    scenarios = Scenarios(env, params)
    assert scenarios.names[0] == ANY
    begin = jax.jit(env.initial)
    first = shape(scenarios.params(ANY))
    for chosen in (*scenarios.names, 0, 200, 365):
        found = scenarios.params(chosen)
        assert shape(found) == first
        begin(jax.random.key(0), found)
    assert begin._cache_size() == 1
    for unknown in ("flood", -1, 366):
        with pytest.raises(ValueError, match="scenario is"):
            scenarios.params(unknown)


def test_a_season_has_its_days_and_a_day_is_that_day():
    env, params = gridjax.make("SmartGrid-v0", split="test")
    scenarios = Scenarios(env, params)
    begin = jax.jit(env.initial)

    def day(chosen, seed):
        return int(begin(jax.random.key(seed), scenarios.params(chosen)).clock) // env.steps_per_day

    assert {day(123, seed) for seed in range(5)} == {123}
    winter = {day("winter day", seed) for seed in range(30)}
    assert len(winter) > 5
    assert all(found < 60 or found >= 335 for found in winter)
    summer = {day("summer day", seed) for seed in range(30)}
    assert all(152 <= found < 244 for found in summer)


def test_events_happen_where_they_are_chosen():
    env, params = gridjax.make("SmartGrid-v0", split="test")
    scenarios = Scenarios(env, params)
    begin = jax.jit(env.initial)
    for name, row in (("price shock", 0), ("loss of the grid", 3)):
        drawn = begin(jax.random.key(1), scenarios.params(name)).drawn
        happens = np.asarray(drawn.end) > np.asarray(drawn.begin)
        assert happens.tolist() == [k == row for k in range(4)]
    drawn = begin(jax.random.key(1), scenarios.params("everything at once")).drawn
    assert np.all(np.asarray(drawn.end) > np.asarray(drawn.begin))
