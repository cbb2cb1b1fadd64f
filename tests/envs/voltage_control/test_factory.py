"""Options: what is refused, and what the defaults amount to."""

import dataclasses

import numpy as np
import pytest

import gridjax
from gridjax import network as networks
from gridjax.envs.voltage_control import make
from gridjax.scenarios import load_simbench

BAD = {
    "unknown network 'case33'; did you mean case33bw": {"network": "case33"},
    "unknown split 'evaluation'": {"split": "evaluation"},
    "barrier is 'l3', expected one of l1, l2, bowl, none": {"barrier": "l3"},
    "reactive_weight is -1": {"reactive_weight": -1},
    "reactive_weight is nan": {"reactive_weight": float("nan")},
    "loss_weight is inf": {"loss_weight": float("inf")},
    "episode_length is 0": {"episode_length": 0},
    "episode_length is 481": {"episode_length": 481},
    "pv_buses is empty": {"pv_buses": []},
    r"pv_buses holds \[33\], expected rows of 'case33bw' in \[0, 33\)": {"pv_buses": [3, 33]},
    r"pv_buses holds \[0\], where the slack holds the voltage": {"pv_buses": [3, 0]},
    r"pv_buses must be distinct, got \[3, 3\]": {"pv_buses": [3, 3]},
    "zones has 1 entries, expected one per inverter, 6": {"zones": [[1]]},
    r"zones\[1\] holds \[-1\]": {"pv_buses": [3, 4], "zones": [[3], [-1]]},
    r"zones\[0\] is empty": {"pv_buses": [3], "zones": [[]]},
    "peak_load_mw is 0": {"peak_load_mw": 0},
    "peak_pv_mw is nan": {"peak_pv_mw": float("nan")},
    "action_range is 1.5": {"action_range": 1.5},
    r"voltage_band is \(1.05, 0.95\)": {"voltage_band": (1.05, 0.95)},
    "max_iterations is 1": {"max_iterations": 1},
}


@pytest.mark.parametrize("message", BAD)
def test_bad_options_are_named(message):
    with pytest.raises(ValueError, match=message):
        make(**BAD[message])


@pytest.fixture(scope="module", params=[("case33bw", 3.5, 8.75, 0.8, 6), ("case141", 20.0, 80.0, 0.6, 22)])
def protocol(request):
    return *make(request.param[0]), *request.param[1:]


def test_sizes_are_those_of_the_protocol(protocol):
    env, params, load, pv, action_range, n_agent = protocol
    base = float(params.network.base_mva)
    demand, sun = np.asarray(params.demand, np.float64), np.asarray(params.sun, np.float64)
    assert demand[:, : env.n_bus].sum(axis=1).max() * base == pytest.approx(load, rel=1e-5)
    assert sun.max(axis=0).sum() * base == pytest.approx(pv, rel=1e-5)
    assert env.n_agent == n_agent
    assert float(params.action_range) == pytest.approx(action_range)
    np.testing.assert_allclose(params.apparent, 1.2 * sun.max(axis=0), rtol=1e-6)
    assert (sun >= 0).all()
    assert demand.shape == (366 * 96 + 2, 2 * env.n_bus)


def test_a_bus_that_generates_more_than_it_uses_has_no_demand():
    network = networks.get("case33bw")
    injection = np.array(network.nominal_injection)
    injection[20] = 0.3
    with pytest.warns(UserWarning, match="1 buses generate more than they use, such as in row 20"):
        env, params = make(dataclasses.replace(network, nominal_injection=injection))
    demand = np.asarray(params.demand).reshape(-1, 2, env.n_bus)
    assert not demand[:, :, 20].any()
    assert (demand[:, 0] >= 0).all()
    assert demand[:, 0].sum(axis=1).max() * float(network.base_mva) == pytest.approx(3.5, rel=0.2)


def test_only_loaded_buses_have_demand_at_their_own_power_factor():
    env, params = make("case33bw")
    nominal = -np.asarray(params.network.nominal_injection)
    demand = np.asarray(params.demand)
    assert (demand[:, : env.n_bus].max(axis=0) > 0).tolist() == (nominal.real > 0).tolist()
    assert (np.abs(demand[:, env.n_bus :]).max(axis=0) > 0).tolist() == (nominal.imag != 0).tolist()


def test_options_reach_the_params():
    env, params = make(
        "cigre_mv",
        split="validation",
        barrier="bowl",
        reactive_weight=0.1,
        loss_weight=0.5,
        episode_length=7,
        pv_buses=[3, 5],
        zones=[[3], [4, 5, 6]],
        peak_load_mw=2.0,
        peak_pv_mw=3.0,
        action_range=0.5,
        voltage_band=(0.9, 1.1),
        max_iterations=30,
    )
    assert (env.n_agent, env.max_iterations, int(params.barrier), int(params.episode_length)) == (2, 30, 2, 7)
    assert params.pv_bus.tolist() == [3, 5]
    assert params.zone.tolist() == [[3, -1, -1], [4, 5, 6]]
    numbers = (
        params.reactive_weight,
        params.loss_weight,
        params.action_range,
        params.voltage_low,
        params.voltage_high,
    )
    np.testing.assert_allclose(numbers, (0.1, 0.5, 0.5, 0.9, 1.1), rtol=1e-6)
    assert params.days.size == 42


def test_a_network_and_profiles_of_ones_own():
    network = dataclasses.replace(networks.get("cigre_lv"), name="mine")
    profiles = load_simbench()
    env, params = gridjax.make(
        "VoltageControl-v0", network=network, profiles=profiles.select(pv_names=profiles.pv_names[:1])
    )
    assert env.n_agent == params.pv_bus.size
    sun = np.asarray(params.sun)
    np.testing.assert_array_equal(sun, np.tile(sun[:, :1], (1, env.n_agent)))


def test_the_assignment_of_profiles_follows_its_seed():
    tables = [np.asarray(make(assignment_seed=seed)[1].demand[:96]) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(tables[0], tables[1])
    assert not np.array_equal(tables[0], tables[2])
