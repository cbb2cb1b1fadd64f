"""The task beside its contract, its balances and its symmetries."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gridjax
from gridjax.envs.smart_grid.balance import Ability
from gridjax.envs.smart_grid.companding import TRADE, expand
from gridjax.scenarios import days
from gridjax.scenarios.events import EVENTS
from gridjax.testing import check_env

SHARES = {"vehicle": 0.6, "heat_pump": 0.6}


def random_action(env, seed, scale=1.0):
    return {
        "prosumer": jax.random.uniform(
            jax.random.key(seed), (env.n_agent, env.n_action), minval=-scale, maxval=scale
        )
    }


def test_the_contract_with_every_device_and_event():
    env, params = gridjax.make("SmartGrid-v0", episode_length=12, shares=SHARES, events=EVENTS)
    check_env(env, params, steps=30)


def play(env, params, actions, seed=0):
    """Every transition of the day: state before, metrics, reward, cost."""

    @jax.jit
    def run(params, actions):
        state = env.initial(jax.random.key(seed), params)

        def step(state, inputs):
            key, action = inputs
            out = env.transition(key, state, {"prosumer": action}, params)
            return out.state, (state, out.metrics, out.reward["prosumer"], out.cost, out.state)

        keys = jax.random.split(jax.random.key(seed + 1), actions.shape[0])
        return jax.lax.scan(step, state, (keys, actions))[1]

    return run(params, actions)


@pytest.fixture(scope="module")
def wild():
    """Two days of random actions with vehicles, heat pumps and a loss of the grid connection."""
    env, params = gridjax.make(
        "SmartGrid-v0", shares=SHARES, events=("islanded", "demand_peak"), episode_length=192
    )
    actions = jax.random.uniform(jax.random.key(7), (192, env.n_agent, env.n_action), minval=-1.0)
    return env, params, play(env, params, actions)


def test_every_agents_energy_balance_closes(wild):
    _, params, (before, metrics, _, _, after) = wild
    pile = params.households.battery
    m = {name: np.asarray(value, np.float64) for name, value in metrics.items()}
    kept = np.asarray(before.energy, np.float64) * (1 - np.asarray(pile.self_discharge, np.float64) * 0.25)
    change = np.asarray(after.energy, np.float64) - kept
    # at the terminals: what charging takes and discharging gives, by the efficiencies
    from_battery = np.where(change > 0, -change / 0.95, -change * 0.95)
    supplied = (
        m["sun"] - m["curtailed"] + from_battery + m["received"] - m["sent"] + m["import"] - m["export"]
    )
    used = m["demand"] - m["unserved"]
    no_trip_missed = np.asarray(after.clock) % 96 > 40  # what a vehicle missed is in `unserved`, too
    np.testing.assert_allclose(supplied[no_trip_missed], used[no_trip_missed], atol=2e-5)
    np.testing.assert_allclose(m["throughput"], np.abs(from_battery), atol=2e-5)


def test_the_grids_energy_balance_closes(wild):
    *_, (_, metrics, _, _, _) = wild
    m = {name: np.asarray(value, np.float64) for name, value in metrics.items()}
    drawn = (m["import"] - m["export"] + m["received"] - m["sent"]).sum(axis=1)
    np.testing.assert_allclose(m["slack"], drawn + m["others"] + m["losses"], atol=2e-3 * 0.25)
    assert (m["losses"] > 0).all()


def test_transfers_and_peer_payments_sum_to_zero(wild):
    *_, (_, metrics, _, _, _) = wild
    assert float(np.abs(metrics["sent"]).sum()) > 10.0
    np.testing.assert_allclose(np.sum(metrics["received"] - metrics["sent"], axis=1), 0.0, atol=1e-5)
    np.testing.assert_allclose(np.sum(metrics["paid_peers"], axis=1), 0.0, atol=1e-6)


def test_states_stay_within_their_limits(wild):
    _, params, (_, metrics, _, _, after) = wild
    capacity = np.asarray(params.households.battery.capacity)
    assert (np.asarray(after.energy) >= 0).all()
    assert (np.asarray(after.energy) <= capacity).all()
    assert float(np.asarray(after.energy).min(axis=0).max()) < 0.3 * capacity.max()
    assert (np.asarray(after.need) >= 0).all()
    assert ((np.asarray(metrics["stability"]) >= 0) & (np.asarray(metrics["stability"]) <= 1)).all()


def test_an_island_settles_nothing_with_the_grid_and_moves_its_frequency(wild):
    _, _, (before, metrics, _, cost, _) = wild
    island = ~np.asarray(before.now.connected)
    assert 4 <= island.sum() <= 12
    for name in ("import", "export", "paid_grid"):
        assert not np.asarray(metrics[name])[island].any()
    frequency = np.asarray(metrics["frequency"])
    assert (frequency[~island] == 50.0).all()
    assert (np.abs(frequency[island] - 50.0) > 1e-3).all()
    assert (frequency[island] > 49.0).all()
    assert np.asarray(metrics["shed"])[~island].max() == 0.0
    assert np.asarray(cost["unserved"])[island].sum() > 0.0


def test_the_peak_is_what_the_community_imports_beyond_its_contract(wild):
    env, params, (_, metrics, _, cost, _) = wild
    net = np.asarray(metrics["import"]).sum(axis=-1) - np.asarray(metrics["export"]).sum(axis=-1)
    beyond = np.maximum(net / env.hours - float(params.contracted_power), 0.0)
    assert 0 < (beyond > 0).sum() < beyond.size
    np.testing.assert_allclose(cost["peak"], beyond, rtol=1e-4, atol=1e-3)


def test_everything_is_finite(wild):
    _, _, played = wild
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(played) if leaf.dtype.kind == "f")


def test_reward_is_the_weighted_sum_of_its_terms(wild):
    _, params, (_, metrics, reward, _, _) = wild
    names = ("stability", "efficiency", "cost", "cooperation")
    total = sum(
        float(getattr(params.weights, name)) * np.asarray(metrics[f"reward_{name}"]) for name in names
    )
    np.testing.assert_allclose(reward, total, rtol=1e-4, atol=1e-4)
    # the cost term is what was saved, in bills: money among peers cancels in its sum
    spent = sum(np.asarray(metrics[name]) for name in ("paid_grid", "paid_peers", "paid_losses", "wear"))
    spent = spent + 10.0 * np.asarray(metrics["unserved"]) + np.asarray(metrics["discomfort"])
    saved = np.asarray(metrics["idle_bill"]) - spent + np.asarray(metrics["stored_value"])
    bills = saved / float(params.reference_bill)
    np.testing.assert_allclose(metrics["reward_cost"], bills, rtol=1e-4, atol=1e-3)


def test_zero_action_serves_itself(community, transition, noon):
    env, params = community
    state, key = noon
    out = transition(key, state, {"prosumer": jnp.zeros((env.n_agent, env.n_action))}, params)
    surplus = np.asarray(state.now.sun) > np.asarray(state.now.demand)
    has_battery = np.asarray(params.households.battery.capacity) > 0
    room = np.asarray(state.energy) < 0.95 * np.asarray(params.households.battery.capacity)
    assert (np.asarray(out.state.energy) > np.asarray(state.energy))[surplus & has_battery & room].all()
    assert (surplus & has_battery & room).any()
    assert not np.asarray(out.metrics["import"])[surplus].any()
    assert not np.asarray(out.metrics["sent"]).any()
    # what is not scheduled is settled at the imbalance price
    unscheduled = np.asarray(out.metrics["export"]) * 0.9 * 0.08
    np.testing.assert_allclose(
        -np.asarray(out.metrics["paid_grid"])[surplus], unscheduled[surplus], atol=1e-5
    )


def test_buying_more_charges_the_battery(community, transition, noon):
    env, params = community
    state, key = noon
    state = replace(state, energy=0.3 * params.households.battery.capacity)
    base, more = (
        transition(
            key,
            state,
            {"prosumer": jnp.zeros((env.n_agent, env.n_action)).at[:, env.n_slot].set(trade)},
            params,
        )
        for trade in (0.0, 0.6)
    )
    has_battery = np.asarray(params.households.battery.capacity) > 0
    gained = np.asarray(more.state.energy - base.state.energy)
    limited = np.asarray(more.metrics["throughput"]) >= 0.999 * 0.25 * np.asarray(
        params.households.battery.power
    )
    assert (gained[has_battery & ~limited] > 0).all()
    assert (gained[~has_battery] == 0).all()


def test_reactive_power_moves_the_voltage_and_nothing_else_of_the_agents(community, transition, noon):
    env, params = community
    state, key = noon
    zero = jnp.zeros((env.n_agent, env.n_action))
    low, high = (
        transition(key, state, {"prosumer": zero.at[:, env.n_slot + 1].set(q)}, params) for q in (-1.0, 1.0)
    )
    assert (
        np.asarray(high.state.voltage - low.state.voltage)[np.asarray(params.households.bus)] > 0.005
    ).all()
    np.testing.assert_array_equal(low.state.energy, high.state.energy)
    np.testing.assert_array_equal(low.metrics["paid_grid"], high.metrics["paid_grid"])


def permuted(env, params, state, order):
    """The same community with its agents in another `order`."""
    order = jnp.asarray(order)
    back = jnp.argsort(order)
    n = env.n_agent

    def agents(tree):
        return jax.tree.map(lambda x: x[order] if x.ndim and x.shape[0] == n else x, tree)

    neighbour = params.neighbour[order]
    params = replace(
        params,
        households=agents(params.households),
        neighbour=jnp.where(neighbour >= 0, back[neighbour], -1),
        reverse=params.reverse[order],
        loss_matrix=params.loss_matrix[order],
        agents_at=jnp.where(params.agents_at >= 0, back[params.agents_at], -1),
    )
    per_agent = ("energy", "need", "temperature", "forecast", "message", "offer")
    now = replace(state.now, demand=state.now.demand[order], sun=state.now.sun[order])
    return params, replace(state, now=now, **{name: getattr(state, name)[order] for name in per_agent})


def test_permuting_agents_permutes_everything(community, transition, noon):
    env, params = community
    state, key = noon
    order = [3, 0, 4, 1, 2]
    action = random_action(env, 1)["prosumer"]
    one = transition(key, state, {"prosumer": action}, params)
    other_params, other_state = permuted(env, params, state, order)
    other = transition(key, other_state, {"prosumer": action[jnp.asarray(order)]}, other_params)
    np.testing.assert_allclose(
        other.reward["prosumer"], one.reward["prosumer"][jnp.asarray(order)], atol=1e-4
    )
    np.testing.assert_allclose(other.state.energy, one.state.energy[jnp.asarray(order)], atol=1e-4)
    np.testing.assert_allclose(other.state.voltage, one.state.voltage, atol=1e-6)


def test_weights_and_prices_can_be_mapped_over(community, noon):
    env, params = community
    state, key = noon
    action = random_action(env, 2)

    def with_weight(weight, bands):
        changed = replace(
            params,
            weights=replace(params.weights, stability=weight),
            tariff=replace(params.tariff, bands=params.tariff.bands * bands),
        )
        return env.transition(key, state, action, changed)

    weights = jnp.array([0.0, 1.0, 2.0])
    out = jax.jit(jax.vmap(with_weight, (0, None)))(weights, jnp.float32(1.0))
    slope = np.diff(np.asarray(out.reward["prosumer"]), axis=0)
    np.testing.assert_allclose(slope, np.asarray(out.metrics["reward_stability"])[:2], atol=1e-5)


def test_days_start_at_midnight_in_their_split(community):
    env, params = community
    start = jax.jit(jax.vmap(env.initial, (0, None)))
    state = start(jax.random.split(jax.random.key(0), 500), params)
    assert set((np.asarray(state.clock) // 96).tolist()) <= set(days("train").tolist())
    assert (np.asarray(state.clock) % 96 == 0).all()
    whole = env.on_case(params, 365)
    last = env.initial(jax.random.key(0), whole)
    assert int(last.clock) == 365 * 96
    np.testing.assert_allclose(last.energy, 0.5 * params.households.battery.capacity)


def test_no_power_flow_at_reset_and_one_a_step(community, noon):
    env, params = community
    state, key = noon
    assert " while[" not in str(jax.make_jaxpr(env.reset)(key, params))
    step = str(jax.make_jaxpr(env.step)(key, state, random_action(env, 0), params))
    assert step.count(" while[") == 1


def test_an_observation_says_what_its_labels_say(community, noon):
    env, params = community
    state, _ = noon
    seen = np.asarray(env.observe(state, params)["prosumer"])
    labels = env.observation_labels(params)["prosumer"]
    home = params.households
    of = {label: seen[:, k] for k, label in enumerate(labels)}
    np.testing.assert_allclose(of["demand [own peak]"], state.now.demand / home.demand, rtol=1e-6)
    np.testing.assert_allclose(of["sun [own peak demand]"], state.now.sun / home.demand, rtol=1e-6)
    expected = np.where(
        home.battery.capacity > 0, state.energy / np.maximum(home.battery.capacity, 1e-6), 0.0
    )
    np.testing.assert_allclose(of["state of charge [capacity]"], expected, rtol=1e-5)
    volts = (np.asarray(state.voltage)[np.asarray(home.bus)] - 1.0) / 0.05
    np.testing.assert_allclose(of["last voltage less 1 [0.05 p.u.]"], volts, atol=1e-5)
    np.testing.assert_allclose(
        of["import price [mean]"], float(state.now.buy) / np.mean(params.tariff.bands), rtol=1e-5
    )
    heard = of["slot 0: heard [0 or 1]"] > 0
    said = of["slot 0: neighbour's charge [capacity]"]
    truth = expected[np.asarray(params.neighbour)[:, 0]]
    np.testing.assert_allclose(said[heard], truth[heard], atol=0.05)
    assert not said[~heard].any()


def test_silence_and_noise_are_numbers(community, noon):
    env, params = community
    silent = replace(params, message_loss=jnp.float32(1.0))
    assert not env.initial(jax.random.key(0), silent).message.any()
    clear = replace(params, message_loss=jnp.float32(0.0), message_noise=jnp.float32(0.0))
    state = env.initial(jax.random.key(0), clear)
    charge = np.asarray(state.energy / np.maximum(params.households.battery.capacity, 1e-6))
    there = np.asarray(params.neighbour)
    np.testing.assert_allclose(state.message[:, :, 0], charge[there], rtol=1e-6)
    usable = np.minimum(state.now.sun, params.households.inverter)
    spare = (usable - np.asarray(state.now.demand)) / np.mean(params.households.demand)
    np.testing.assert_allclose(state.message[:, :, 1], spare[there], rtol=1e-5, atol=1e-6)


def test_what_is_seen_in_units_of_actions_is_what_they_do(community, transition, noon):
    """To trade what is left beyond the battery leaves no imbalance, and moves the battery as usual."""
    env, params = community
    state, key = noon
    labels = env.observation_labels(params)["prosumer"]
    seen = np.asarray(env.observe(state, params)["prosumer"])
    rest = np.zeros((env.n_agent, env.n_action), np.float32)
    planned = rest.copy()
    planned[:, env.n_slot] = seen[:, labels.index("the same beyond the battery [as trade]")]
    usual, exact = (transition(key, state, {"prosumer": jnp.asarray(x)}, params) for x in (rest, planned))
    np.testing.assert_allclose(exact.state.energy, usual.state.energy, rtol=1e-4, atol=1e-4)
    bought = np.asarray(expand(jnp.asarray(planned[:, env.n_slot]), TRADE))
    trade = bought * np.asarray(params.households.connection) * env.hours
    prices = np.where(trade > 0, float(state.now.buy), float(state.now.sell))
    np.testing.assert_allclose(exact.metrics["paid_grid"], trade * prices, rtol=1e-3, atol=1e-4)


def test_a_staggered_start_is_any_hour_of_its_day(community):
    env, params = community
    states = jax.vmap(env.initial, (0, None))(jax.random.split(jax.random.key(0), 64), env.staggered(params))
    steps = np.asarray(states.step)
    assert set(steps) == set(range(int(params.episode_length)))
    assert np.isin((np.asarray(states.clock) - steps) // env.steps_per_day, params.days).all()
    assert np.asarray(env.initial(jax.random.key(0), params).step) == 0


def test_a_failing_power_flow_terminates(community, transition, noon):
    env, params = community
    state, key = noon
    broken = replace(params, background=params.background * 1e3)
    out = transition(key, state, random_action(env, 0), broken)
    assert bool(out.terminated)
    assert not bool(out.truncated)
    assert out.reward["prosumer"].tolist() == [-200.0] * env.n_agent
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((out.metrics, out.cost)))


def test_ability_is_what_devices_can_do(community, noon):
    env, params = community
    state, _ = noon
    able = env.ability(state.now.demand, state, params)
    assert isinstance(able, Ability)
    assert all((np.asarray(part) >= 0).all() for part in able)
    poor = np.asarray(params.households.battery.capacity) == 0
    assert (np.asarray(able.discharge)[poor] == 0).all()


def test_balances_close_tighter_in_float64(community):
    env, params = community
    with jax.enable_x64(True):
        wide = jax.tree.map(
            lambda x: jnp.asarray(x, {"f": jnp.float64, "c": jnp.complex128}.get(np.asarray(x).dtype.kind)),
            params,
        )
        wide = replace(wide, network=params.network, chord=params.chord)
        state = env.initial(jax.random.key(0), wide)
        out = jax.jit(env.transition)(jax.random.key(1), state, random_action(env, 3), wide)
        m = {name: np.asarray(value) for name, value in out.metrics.items()}
    assert m["losses"].dtype == np.float64
    drawn = (m["import"] - m["export"] + m["received"] - m["sent"]).sum()
    assert float(m["slack"]) == pytest.approx(float(drawn + m["others"] + m["losses"]), abs=1e-7)
    assert abs((m["received"] - m["sent"]).sum()) < 1e-12
    assert abs(m["paid_peers"].sum()) < 1e-12
