"""Options of the task: what they build, and what they refuse."""

from dataclasses import replace

import jax
import numpy as np
import pytest

import gridjax
from gridjax.envs.resilience import BUILDINGS, Building
from gridjax.scenarios import load_simbench
from tests.envs.resilience.conftest import N_STEP


def test_the_default_campus_has_several_agents_of_every_kind(task):
    env, params = task
    assert set(env.groups) == {"generator", "battery", "load", "connection"}
    assert all(n > 1 for n in env.groups.values())
    inside = np.array(env.layout.campus)
    campus = params.campus
    assert (np.asarray(campus.demand)[~inside] == 0.0).all()
    assert (np.asarray(campus.sun)[~inside] == 0.0).all()
    loaded = np.asarray(campus.demand) > 0
    assert (np.asarray(campus.manager)[loaded] >= 0).all()
    np.testing.assert_allclose(np.asarray(campus.tiers)[loaded].sum(axis=1), 1.0, rtol=1e-6)
    # the town outside stays where it was
    assert np.abs(np.asarray(params.background)[~inside]).sum() > 0
    assert loaded.sum() == len(BUILDINGS)


def test_another_network_becomes_a_campus_by_its_connection():
    # the feeder behind the first branch of case33bw that leaves the main line at bus 1
    env, params = gridjax.make("Resilience-v0", network="case33bw", connections=[17], managers=2)
    assert sum(env.layout.campus) == 4
    assert env.groups["load"] == 2
    state = jax.jit(env.initial)(jax.random.key(0), params)
    assert np.isfinite(np.asarray(state.now.demand)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": "case33bw"}, "connections is None, expected labels or rows"),
        ({"network": "case33bw", "connections": [99]}, "connections holds 99"),
        ({"connections": ["line 99"]}, "connections holds 'line 99'"),
        ({"connections": ["line 0"], "normally_open": ()}, "connections holds .* into the campus"),
        ({"ties": ["line 0"]}, "ties is .* named twice or a connection"),
        ({"ties": ["trafo 0"], "normally_open": ()}, "ties holds .* inside the campus"),
        ({"normally_open": ["line 5"]}, "normally_open is .* expected connections or ties"),
        ({"normally_open": ["line 0", "line 14"]}, "expected a connection that is closed"),
        ({"generator_buses": [0]}, r"generator_buses holds \[0\]"),
        ({"battery_buses": [99]}, r"battery_buses holds \[99\]"),
        ({"managers": 0}, "managers is 0"),
        ({"managers": 99}, "managers is 99, expected at most 9"),
        ({"delay": -1}, "delay is -1"),
        ({"memory": (1.0, 0.0)}, "memory is"),
        ({"battery_hours": 0.0}, "battery_hours is 0.0"),
        ({"noise": float("nan")}, "noise is nan"),
        ({"message_loss": 1.5}, "message_loss is 1.5"),
        ({"unserved_prices": (1.0, 2.0, -3.0)}, "unserved_prices is"),
        ({"weights": {"price": 1.0}}, r"weights holds \['price'\]"),
        ({"rates": {"outage_per_year": 1.0}}, "outage_per_year.* expected one of.*outages_per_year"),
        ({"buildings": ()}, "buildings is"),
        ({"buildings": (Building("shop", "G9-Z", (1, 0, 0)),)}, "unknown profile 'G9-Z' of 'shop'"),
        ({"split": "testing"}, "unknown split 'testing'"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        gridjax.make("Resilience-v0", **options)


def test_a_year_of_ones_own(task):
    simbench = load_simbench()
    lacking = {building.profile for building in BUILDINGS} | {"mv_comm"}
    n_own = len(simbench.load_names) - len(lacking)
    own = replace(
        simbench,
        load_p=simbench.load_p[:, :n_own],
        load_q=simbench.load_q[:, :n_own],
        load_names=tuple(f"meter {k}" for k in range(n_own)),
    )
    env, params = gridjax.make("Resilience-v0", episode_length=N_STEP, profiles=own)
    assert env == task.env
    demand = np.asarray(params.profiles.demand)
    np.testing.assert_array_equal(demand[:, :n_own], own.load_p)
    np.testing.assert_allclose(demand[:, -1], own.load_p.mean(axis=1), rtol=1e-6)  # the town
    assert (np.asarray(params.background_profile) == demand.shape[1] - 1).all()
    buildings = np.asarray(params.campus.demand_profile)[np.asarray(params.campus.demand) > 0]
    assert len(set(buildings)) == len(lacking) - 1
    np.testing.assert_array_equal(demand[:, n_own : n_own + 2], own.load_p[:, :2])
    # as many columns as SimBench: what is compiled for that runs on it
    _, out = task._replace(params=params).run(task.scenario(), task.actions())
    assert all(np.isfinite(value).all() for value in out.reward.values())
    with pytest.raises(ValueError, match=r"of 1 h, expected 35136 of 0\.25 h"):
        gridjax.make("Resilience-v0", profiles=replace(own, step_hours=1.0))
