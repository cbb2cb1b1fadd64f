"""Options of the task: what they build, and what they refuse."""

from dataclasses import replace

import jax
import numpy as np
import pytest

import gridjax
from gridjax.envs.smart_grid.factory import SEASONS
from gridjax.envs.smart_grid.outside import AHEAD, forecast
from gridjax.scenarios import days, load_simbench, prices
from gridjax.scenarios.tables import Foretold

KERBER = "kerber_vorstadtnetz"


@pytest.mark.parametrize(
    ("agents", "network", "most"),
    [(1, "cigre_lv", 1), (15, "cigre_lv", 1), (55, KERBER, 1), (200, KERBER, 2)],
)
def test_any_number_of_agents_from_one_option(agents, network, most):
    env, params = gridjax.make("SmartGrid-v0", agents=agents)
    assert params.network.name == network
    assert env.groups == {"prosumer": agents}
    crowd = np.bincount(params.households.bus, minlength=env.n_bus)
    assert crowd.max() == most
    at = np.asarray(params.agents_at)
    assert sorted(at[at >= 0].tolist()) == list(range(agents))
    # the demand of a bus is that of its agents or of others, never of both
    others = np.asarray(params.background).real
    assert not others[crowd > 0].any()
    load = -np.real(params.network.nominal_injection) * float(params.network.base_mva) * 1e3
    own = np.bincount(params.households.bus, weights=params.households.demand, minlength=env.n_bus)
    np.testing.assert_allclose(
        (own + others * float(params.network.base_mva) * 1e3)[load > 0], load[load > 0], rtol=1e-4
    )


def test_the_default_community_is_heterogeneous():
    _, params = gridjax.make("SmartGrid-v0")
    home = params.households
    assert np.count_nonzero(home.sun == 0) == 1
    assert np.count_nonzero(home.battery.capacity == 0) == 1
    assert len(np.unique(home.demand)) == 5


def test_shares_add_devices_and_their_actions():
    env, params = gridjax.make("SmartGrid-v0", shares={"vehicle": 0.4, "heat_pump": 1.0, "sun": 0.0})
    assert env.n_action == env.n_slot + 4
    assert np.count_nonzero(params.households.vehicle.power) == 2
    assert np.all(np.asarray(params.households.heat_pump.power) > 0)
    assert not np.any(params.households.sun)
    assert gridjax.make("SmartGrid-v0")[0].n_action == 4 + 2


def test_seasons_part_the_split():
    parts = [
        set(np.asarray(gridjax.make("SmartGrid-v0", split="test", season=s)[1].days).tolist())
        for s in SEASONS
    ]
    assert set.union(*parts) == set(days("test").tolist())
    assert sum(map(len, parts)) == 168
    assert {0 <= day < 60 or day >= 335 for day in parts[0]} == {True}


def test_a_synthetic_year_is_a_function_of_the_seed():
    first, again, other = (
        gridjax.make("SmartGrid-v0", source="synthetic", seed=s)[1].profiles for s in (1, 1, 2)
    )
    assert first.demand.shape == (366 * 96, 32)
    jax.tree.map(np.testing.assert_array_equal, first, again)
    assert float(np.abs(first.demand - other.demand).max()) > 0.1


def test_own_buses_weights_and_tariff():
    env, params = gridjax.make(
        "SmartGrid-v0", agents=2, buses=(16, 20), weights={"cost": 3.0}, tariff=prices.tariff(feed_in=0.05)
    )
    assert params.households.bus.tolist() == [16, 20]
    assert env.n_slot == 1
    assert float(params.weights.cost) == 3.0
    assert float(params.weights.stability) == 0.5
    assert float(params.tariff.feed_in) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"agents": 0}, "agents is 0, expected a whole number"),
        ({"neighbours": 0}, "neighbours is 0"),
        ({"source": "wind"}, "source is 'wind', expected one of simbench, synthetic"),
        ({"season": "monsoon"}, "season is 'monsoon', expected one of winter"),
        ({"split": "all"}, "unknown split 'all'"),
        ({"events": ["hail"]}, "hail"),
        ({"weights": {"fun": 1.0}}, r"weights holds \['fun'\]"),
        ({"weights": {"cost": float("nan")}}, "weights\\['cost'\\] is nan"),
        ({"shares": {"sun": 1.2}}, r"shares\['sun'\] is 1.2"),
        ({"message_loss": 2.0}, "message_loss is 2.0"),
        ({"forecast_error": -1.0}, "forecast_error is -1.0"),
        ({"episode_length": 0}, "episode_length is 0"),
        ({"buses": (16,)}, "one row per agent"),
        ({"agents": 2, "buses": (0, 16)}, r"buses holds \[0\]"),
        ({"network": "cigre_vl"}, "cigre_lv"),
        ({"network": "case14"}, "voltage-controlled"),
    ],
)
def test_bad_options_are_named(option, message):
    with pytest.raises(ValueError, match=message):
        gridjax.make("SmartGrid-v0", **option)


def test_a_year_of_ones_own(community, transition):
    env, _ = community
    simbench = load_simbench()
    own = replace(
        simbench,
        load_p=simbench.load_p[:, ::-1].copy(),
        load_names=tuple(f"meter {k}" for k in range(len(simbench.load_names))),
    )
    same, params = gridjax.make("SmartGrid-v0", episode_length=10, profiles=own)
    assert same == env
    np.testing.assert_array_equal(params.profiles.demand, own.load_p)
    columns = np.asarray(params.households.demand_profile)
    assert ((columns >= 0) & (columns < len(own.load_names))).all()
    # as many columns as SimBench: what is compiled for that runs on it
    state = jax.jit(env.initial)(jax.random.key(0), params)
    demand = own.load_p[(int(state.clock) - np.asarray(params.households.lag)) % len(own.load_p), columns]
    np.testing.assert_allclose(state.now.demand, demand * np.asarray(params.households.demand), rtol=1e-5)
    rest = {"prosumer": np.zeros((env.n_agent, env.n_action), np.float32)}
    after = transition(jax.random.key(1), state, rest, params)
    assert np.isfinite(np.asarray(after.reward["prosumer"])).all()
    with pytest.raises(ValueError, match=r"profiles have 960 rows of 0\.25 h, expected 35136"):
        gridjax.make("SmartGrid-v0", profiles=replace(own, load_p=own.load_p[:960]))


def test_forecasts_of_ones_own_are_observed(community):
    env, usual = community
    table = jax.tree.map(np.asarray, usual.profiles)
    ahead = [np.roll(part, -4 * hours, axis=0) for hours in AHEAD for part in (table.demand, table.sun)]
    known = Foretold(np.stack(ahead[::2], axis=1), np.stack(ahead[1::2], axis=1))
    same, params = gridjax.make("SmartGrid-v0", episode_length=10, foretold=known)
    assert same == env
    noise = jax.random.normal(jax.random.key(0), (env.n_agent, 2))
    for clock in (0, 5000, 366 * 96 - 1):
        told = forecast(np.int32(clock), noise, params, 96)
        truth = forecast(np.int32(clock), 0 * noise, usual, 96)
        np.testing.assert_allclose(told, truth, rtol=1e-5, atol=1e-6)
        assert not np.allclose(forecast(np.int32(clock), noise, usual, 96), truth)
    one = replace(known, sun=known.sun[:, :2])
    with pytest.raises(ValueError, match=r"foretold.sun has shape \(35136, 2, 8\), expected \(35136, 4, 8\)"):
        gridjax.make("SmartGrid-v0", foretold=one)
    with pytest.raises(ValueError, match=r"foretold.demand holds numbers that are not finite"):
        gridjax.make("SmartGrid-v0", foretold=replace(known, demand=np.full_like(known.demand, np.nan)))
