"""What is shown is what the environment computed: the same energies, flows that obey Kirchhoff's laws."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gridjax
from gridjax.evaluation.figures.film import Film
from gridjax.evaluation.replay import Recording
from gridjax.evaluation.views import happenings, view_of
from gridjax.evaluation.views.view import status
from gridjax.live.schema import Agent, Layout, Picture
from gridjax.scenarios.events import events
from tests.envs.counter import Counter

STEPS = 24


def walk(env, params, rule, steps=STEPS, seed=0):
    """Pictures of an episode with transitions, states before and actions, all on the host."""
    view = view_of(env, params)

    @jax.jit
    def roll(key, params):
        def step(state, key):
            actions = rule(key, state)
            out = env.transition(key, state, actions, params)
            return out.state, (state, actions, out, view.look(state, actions, out, params))

        return jax.lax.scan(step, env.initial(key, params), jax.random.split(key, steps))[1]

    found = jax.tree.map(np.asarray, roll(jax.random.key(seed), params))
    return view, [jax.tree.map(lambda x, k=k: x[k], found) for k in range(steps)]


def fits(view, picture):
    """A picture is whole: valid, of the view's sizes, and JSON without NaN."""
    shown = Picture.model_validate({"policy": "x", "events": [], **picture})
    Layout.model_validate(view.grid)
    agents = [Agent.model_validate(agent) for agent in view.agents]
    assert [now.id for now in shown.agents] == [agent.id for agent in agents]
    assert len({agent.id for agent in agents}) == len(agents)
    assert len(shown.buses.voltage) == len(view.grid["buses"])
    assert len(shown.lines.kw) == len(view.grid["lines"])
    json.dumps(picture, allow_nan=False)
    return shown


def balance(view, network, look, supplied):
    """What flows into every bus from its lines, kW, is what the bus takes: `supplied` less, to rounding."""
    into = np.zeros(network.n_bus)
    sources, targets = np.asarray(network.from_bus), np.asarray(network.to_bus)
    np.add.at(into, sources, -look.lines.kw)
    np.add.at(into, targets, look.lines.kw)
    return into + supplied


def plays(view, steps):
    """A film of the episode can be drawn, and moves."""
    looks = jax.tree.map(lambda *leaves: np.stack(leaves), *(look for *_, look in steps))
    film = Film(Recording(view, 0, ("x",), (looks,), (np.zeros(len(steps), bool),)))
    assert film.steps == len(steps)
    assert (film.frame(0) != film.frame(film.steps - 1)).any(axis=-1).mean() > 1e-3


@pytest.fixture(scope="module")
def community():
    """Neighbours who help each other at random, and lose the grid for a while."""
    env, params = gridjax.make("SmartGrid-v0")
    params = replace(params, events=events(("islanded",)))

    def rule(key, state):
        return {"prosumer": jax.random.uniform(key, (env.n_agent, env.n_action), minval=-1.0)}

    return env, params, *walk(env, params, rule, 72)


@pytest.mark.slow
def test_cards_of_prosumers_show_the_energies_of_the_step(community):
    env, params, view, steps = community
    for state, _, out, look in steps:
        m, hours = out.metrics, env.hours
        shown = fits(view, view.picture(look))
        for k, card in enumerate(shown.agents):
            for shown_kw, energy in (
                (card.demand_kw, m["demand"]),
                (card.generation_kw, m["sun"] - m["curtailed"]),
                (card.exchange_kw, m["import"] - m["export"]),
                (card.transfer_kw, m["received"] - m["sent"]),
                (card.unserved_kw, m["unserved"]),
                (abs(card.battery_kw), m["throughput"]),
            ):
                assert shown_kw * hours == pytest.approx(energy[k], rel=1e-4, abs=1e-5)
            paid = sum(m[f"paid_{name}"][k] for name in ("grid", "peers", "losses")) + m["wear"][k]
            assert card.cost_eur == pytest.approx(paid, rel=1e-4, abs=1e-5)
            assert card.reward == pytest.approx(out.reward["prosumer"][k], rel=1e-4, abs=1e-5)
            # the energy balance of the agent, by the signs that the cards use
            has = card.generation_kw + card.battery_kw + card.transfer_kw + card.exchange_kw
            assert has == pytest.approx(card.demand_kw - card.unserved_kw, rel=1e-3, abs=0.02)
            capacity = float(params.households.battery.capacity[k])
            if capacity > 0:
                assert card.energy_kwh == pytest.approx(out.state.energy[k], rel=1e-4, abs=1e-5)
                assert card.charge == pytest.approx(out.state.energy[k] / capacity, abs=1e-4)
                grown = out.state.energy[k] - state.energy[k]
                assert card.battery_kw * grown <= 1e-6
            else:
                assert card.charge is None
        metrics = shown.metrics
        assert metrics["losses_kw"] * hours == pytest.approx(m["losses"], rel=1e-4)
        assert metrics["unserved_kwh"] == pytest.approx(m["unserved"].sum() + m["shed"], rel=1e-3, abs=1e-4)
        assert shown.stability == pytest.approx(m["stability"], abs=1e-5)


@pytest.mark.slow
def test_transfers_add_up_to_what_is_sent_and_received(community):
    env, _, view, steps = community
    seen = 0
    for _, _, out, look in steps:
        kw = {agent["id"]: [0.0, 0.0] for agent in view.agents}
        picture = view.picture(look)
        transfers = [flow for flow in picture["energy_flows"] if flow["kind"] == "transfer"]
        seen += len(transfers)
        for flow in transfers:
            kw[flow["source"]][0] += flow["kw"]
            kw[flow["target"]][1] += flow["kw"]
        sent, received = np.array(list(kw.values())).T * env.hours
        # crumbs below 0.01 kW are not shown
        np.testing.assert_allclose(sent, out.metrics["sent"], atol=0.01)
        np.testing.assert_allclose(received, out.metrics["received"], atol=0.01)
    assert seen > 50


@pytest.mark.slow
def test_flows_on_the_feeder_obey_kirchhoff(community):
    env, params, _, steps = community
    network = params.network
    for _, _, out, look in steps:
        m = out.metrics
        assert look.lines.loading.max() == pytest.approx(float(m["loading_max"]), rel=1e-4)
        np.testing.assert_allclose(look.voltage, out.state.voltage, rtol=1e-6)
        # at the slack bus all lines begin, or end
        (slack,) = network.slack_buses
        leaving = look.lines.kw[np.asarray(network.from_bus) == slack].sum()
        leaving -= look.lines.kw[np.asarray(network.to_bus) == slack].sum()
        expected = m["slack"] / env.hours
        assert leaving == pytest.approx(expected, rel=0.02, abs=0.5)


@pytest.mark.slow
def test_the_loss_of_the_grid_is_told_once_and_so_is_its_return(community):
    _, _, view, steps = community
    plays(view, steps)
    before, told = None, []
    for state, _, _, look in steps:
        picture = view.picture(look)
        assert picture["grid"]["connected"] == bool(state.now.connected)
        assert picture["grid"]["islanded"] != picture["grid"]["connected"]
        told += [found["kind"] for found in happenings(before, picture, view.voltage_band)]
        before = picture
    assert told.count("islanding") == 1
    assert told.count("reconnection") == 1


def test_inverters_show_the_power_flow_that_made_the_reward():
    env, params = gridjax.make("VoltageControl-v0")

    def rule(key, state):
        return {"inverter": jax.random.uniform(key, (env.n_agent, 1), minval=-1.0)}

    view, steps = walk(env, params, rule)
    plays(view, steps)
    network, base = params.network, float(params.network.base_mva) * 1e3
    n, pv = env.n_bus, np.asarray(params.pv_bus)
    for state, actions, out, look in steps:
        shown = fits(view, view.picture(look))
        live = np.array(shown.buses.voltage)
        assert live.min() == pytest.approx(float(out.metrics["voltage_min"]), abs=1e-5)
        assert live.max() == pytest.approx(float(out.metrics["voltage_max"]), abs=1e-5)
        assert shown.metrics["losses_kw"] == pytest.approx(1e3 * out.metrics["losses_mw"], rel=1e-4)
        supplied = -state.demand[:n] * base
        np.add.at(supplied, pv, state.sun * base)
        rest = balance(view, network, look, supplied)
        # what lines lose between their ends is missing where they end
        losses = shown.metrics["losses_kw"]
        inner = np.delete(rest, network.slack_buses)
        assert np.all(inner > -1.0)
        slack = look.lines.kw[np.asarray(network.from_bus) == 0].sum()
        assert inner.sum() == pytest.approx(losses, rel=0.02, abs=0.5)
        assert slack == pytest.approx(losses - supplied.sum(), rel=1e-3)
        for k, card in enumerate(shown.agents):
            assert card.generation_kw == pytest.approx(state.sun[k] * base, rel=1e-4, abs=1e-3)
            assert card.reactive_kvar == pytest.approx(out.state.reactive[k] * base, rel=1e-4, abs=1e-3)
            assert np.sign(card.reactive_kvar) in (0.0, np.sign(actions["inverter"][k, 0]))
            assert card.voltage == pytest.approx(live[pv[k]])


@pytest.mark.slow
def test_a_campus_in_an_outage_shows_its_accounts():
    from gridjax.controllers.campus import campus_rule, default_rule
    from gridjax.live.scenarios import Scenarios

    env, params = gridjax.make("Resilience-v0")
    params = Scenarios(env, params).params("outage of two hours")
    view, steps = walk(env, params, lambda key, state: campus_rule(default_rule(), env, state, params), 52)
    plays(view, steps)
    before, told, islanded = None, [], 0
    groups = list(env.groups)
    for _, _, out, look in steps:
        m, hours = out.metrics, env.hours
        picture = view.picture(look)
        shown = fits(view, picture)
        by = {group: [] for group in _NAMES.values()}
        for card, agent in zip(shown.agents, view.agents):
            by[agent["group"]].append(card)
        assert [len(by[_NAMES[group]]) for group in groups] == list(env.groups.values())
        made = sum(card.generation_kw for card in by["generator"]) * hours
        assert made == pytest.approx(float(m["generated"].sum()), rel=1e-4, abs=1e-2)
        discharged = sum(card.battery_kw for card in by["battery"]) * hours
        assert discharged == pytest.approx(float(m["discharged"].sum()), rel=1e-4, abs=1e-2)
        asked = sum(float(m[f"demand_{tier}"]) for tier in ("critical", "priority", "discretionary"))
        served = sum(float(m[f"served_{tier}"]) for tier in ("critical", "priority", "discretionary"))
        assert sum(card.demand_kw for card in by["load"]) * hours == pytest.approx(asked, rel=1e-4)
        assert sum(card.unserved_kw for card in by["load"]) * hours == pytest.approx(asked - served, abs=0.5)
        sun = sum(card.generation_kw for card in by["load"]) * hours
        assert sun == pytest.approx(float(m["sun"]), abs=0.1)
        net = sum(card.exchange_kw for card in by["switch"]) * hours
        assert net == pytest.approx(float(m["import"] - m["export"]), rel=1e-4, abs=1e-2)
        # through closed switches to the grid flows what is imported
        rows = [env.layout.switches[k] for k in range(len(env.layout.switches)) if env.layout.to_grid[k]]
        ends = [env.layout.campus[env.layout.to_bus[k]] for k in range(len(rows))]
        flow = sum((1 if end else -1) * look.lines.kw[row] for row, end in zip(rows, ends)) * hours
        assert flow == pytest.approx(net, rel=0.02, abs=1.0)
        outside = ~np.array(env.layout.campus)
        if m["grid_present"]:
            assert look.lines.loading.max() == pytest.approx(float(m["loading_max"]), rel=1e-3)
            assert (look.voltage[outside] > 0.9).all()
        else:
            assert not look.voltage[outside].any()
            assert not look.lines.kw[outside[np.asarray(params.network.from_bus)]].any()
        assert shown.grid.energised_share == pytest.approx(float(m["energised"]))
        islanded += shown.grid.islanded
        told += [found["kind"] for found in happenings(before, picture, view.voltage_band)]
        before = picture
    assert islanded == 8
    assert told.count("islanding") == 1
    assert told.count("reconnection") >= 1


_NAMES = {"generator": "generator", "battery": "battery", "load": "load", "connection": "switch"}


def test_a_task_without_a_view_is_refused():
    with pytest.raises(ValueError, match="has no view, expected SmartGrid-v0"):
        view_of(Counter(), None)


NOW = {"voltage": 1.0, "unserved_kw": 0.0, "battery_kw": 0.0, "exchange_kw": 0.0}


@pytest.mark.parametrize(
    ("group", "changes", "running", "expected"),
    [
        ("prosumer", {}, jnp.nan, "ok"),
        ("prosumer", {"exchange_kw": 2.0}, jnp.nan, "importing"),
        ("prosumer", {"exchange_kw": -2.0}, jnp.nan, "exporting"),
        ("prosumer", {"battery_kw": -3.0, "exchange_kw": 2.0}, jnp.nan, "charging"),
        ("prosumer", {"battery_kw": 3.0, "unserved_kw": 1.0}, jnp.nan, "shortage"),
        ("prosumer", {"battery_kw": 3.0, "voltage": 0.0, "unserved_kw": 1.0}, jnp.nan, "dark"),
        ("generator", {}, 1.0, "running"),
        ("generator", {}, 0.0, "off"),
        ("switch", {"voltage": None}, 0.0, "open"),
        ("switch", {"voltage": None, "exchange_kw": 5.0}, 1.0, "importing"),
    ],
)
def test_one_word_says_the_most_urgent(group, changes, running, expected):
    assert status(group, NOW | changes, running) == expected


def picture(share=1.0, connected=True, voltage=(1.0, 1.0), loading=(0.5,), unserved=0.0):
    return {
        "grid": {"connected": connected, "islanded": not connected and share > 0, "energised_share": share},
        "metrics": {"unserved_kwh": unserved, "voltage_min": min(voltage), "voltage_max": max(voltage)},
        "buses": {"voltage": list(voltage), "energised": [v > 0 for v in voltage]},
        "lines": {"loading": list(loading)},
    }


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (None, picture(), []),
        (picture(), picture(share=0.0, connected=False, voltage=(0.0, 0.0)), ["collapse"]),
        (picture(), picture(share=0.5, connected=False, voltage=(1.0, 0.0)), ["outage", "islanding"]),
        (picture(share=0.5, connected=False), picture(), ["reconnection"]),
        (picture(share=0.5), picture(share=0.75), ["reconnection"]),
        (picture(), picture(unserved=3.0), ["unserved"]),
        (picture(unserved=3.0), picture(unserved=2.0), []),
        (picture(), picture(voltage=(1.0, 0.9)), ["voltage"]),
        (picture(voltage=(1.0, 0.9)), picture(voltage=(1.0, 0.91)), []),
        (picture(), picture(loading=(1.2, None)), ["overload"]),
    ],
)
def test_what_happened_is_told_when_it_begins(before, now, expected):
    assert [found["kind"] for found in happenings(before, now, (0.95, 1.05))] == expected
