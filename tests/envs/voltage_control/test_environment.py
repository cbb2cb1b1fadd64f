"""The task beside its contract and its protocol."""

import collections
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import gridjax
from gridjax.scenarios import days, read_table, task_profiles
from gridjax.testing import check_env

N = 33


@pytest.fixture(scope="module")
def task():
    """Environment, params of ten-step episodes, and the compiled step and transition."""
    env, params = gridjax.make("VoltageControl-v0", episode_length=10)
    return env, params, jax.jit(env.step), jax.jit(env.transition)


def actions_of(value, n=6):
    return {"inverter": jnp.full((n, 1), value, jnp.float32)}


@pytest.mark.parametrize("network", ["case33bw", "case141", "cigre_mv", "cigre_lv"])
def test_the_contract(network):
    env, params = gridjax.make("VoltageControl-v0", network=network, episode_length=30)
    check_env(env, params, steps=70)


def primitives(jaxpr):
    """How often every primitive occurs, calls and branches included."""
    count = collections.Counter(equation.primitive.name for equation in jaxpr.eqns)
    for equation in jaxpr.eqns:
        for leaf in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda x: hasattr(x, "eqns")):
            inner = getattr(leaf, "jaxpr", leaf)
            if hasattr(inner, "eqns"):
                count += primitives(inner)
    return count


def test_one_power_flow_a_step_and_none_in_a_reset(task):
    env, params, *_ = task
    key = jax.random.key(0)
    _, state = env.reset(key, params)
    step = primitives(jax.make_jaxpr(env.step)(key, state, actions_of(0.0), params).jaxpr)
    assert step["while"] == 1
    assert primitives(jax.make_jaxpr(env.reset)(key, params).jaxpr)["while"] == 0
    assert not {"pure_callback", "io_callback"} & set(step)


def test_the_default_episode_is_truncated_after_240_steps():
    env, params = gridjax.make("VoltageControl-v0")

    def episode(key):
        _, state = env.reset(key, params)

        def step(state, key):
            _, state, _, terminated, truncated, _ = env.step(key, state, actions_of(0.0), params)
            return state, (state.step, state.day, state.step_of_day, terminated, truncated)

        return state, jax.lax.scan(step, state, jax.random.split(key, 481))[1]

    first, (count, day, clock, terminated, truncated) = jax.jit(episode)(jax.random.key(2))
    assert np.flatnonzero(truncated).tolist() == [239, 479]
    assert not terminated.any()
    assert count.tolist() == [*range(1, 240), 0, *range(1, 240), 0, 1]
    assert set(day[:239].tolist()) == {int(first.day)}
    assert clock[:239].tolist() == list(range(int(first.step_of_day) + 1, int(first.step_of_day) + 240))


def test_an_episode_stays_in_its_day_and_the_day_in_its_split():
    start = None
    for split in ("train", "validation", "test"):
        env, params = gridjax.make("VoltageControl-v0", split=split)
        start = start or jax.jit(jax.vmap(env.initial, (0, None)))
        state = start(jax.random.split(jax.random.key(1), 2000), params)
        assert set(state.day.tolist()) <= set(days(split).tolist())
        assert len(set(state.day.tolist())) > 0.9 * len(days(split))
        assert int(state.step_of_day.min()) == 0
        assert 235 <= int(state.step_of_day.max()) <= 240


def test_a_whole_day_from_midnight(task):
    env, params, *_ = task
    for day in (0, 365):
        whole = env.on_case(params, day)
        state = env.initial(jax.random.key(3), whole)
        assert (int(state.day), int(state.step_of_day), int(whole.episode_length)) == (day, 0, 480)
        demand, _ = env.exogenous(jnp.int32(day), jnp.int32(480), whole)
        table = np.asarray(params.demand)
        # midnight is the first row of the next day; the year ends on its last row, held
        np.testing.assert_allclose(demand, table[(day + 1) * 96], rtol=1e-6)


def test_demand_and_sun_are_linear_between_quarter_hours(task):
    env, params, *_ = task
    demand, sun = jax.vmap(env.exogenous, (None, 0, None))(jnp.int32(100), jnp.arange(240, 251), params)
    for got, table in ((demand, params.demand), (sun, params.sun)):
        rows = np.asarray(table, np.float64)[100 * 96 + 48 :][:3]
        exact = np.stack([np.interp(np.arange(11) / 5, [0, 1, 2], column) for column in rows.T], axis=1)
        np.testing.assert_allclose(got, exact, rtol=2e-6, atol=1e-8)


def test_a_scenario_is_the_same_bits_on_any_batch_size(task):
    env, params, *_ = task
    keys = jax.random.split(jax.random.key(9), 64)
    alone = jax.jit(env.initial)(keys[5], params)
    for size in (6, 64):
        batch = jax.jit(jax.vmap(env.initial, (0, None)))(keys[:size], params)
        for name in ("day", "step_of_day", "demand", "sun", "reactive"):
            np.testing.assert_array_equal(getattr(batch, name)[5], getattr(alone, name), err_msg=name)
        np.testing.assert_allclose(batch.deviation[5], alone.deviation, atol=1e-6)


def test_an_observation_says_what_its_labels_say(task):
    env, params, step, _ = task
    key = jax.random.key(4)
    _, state = env.reset(key, params)
    obs, state, *_ = step(key, state, actions_of(0.7), params)
    base, width = 10.0, params.zone.shape[1]
    magnitude, angle = env.voltage(state.deviation, params)
    per_bus = {
        "demand p [MW]": state.demand[:N] * base,
        "demand q [MVAr]": state.demand[N:] * base,
        "voltage magnitude [p.u.]": magnitude,
        "voltage angle [rad]": angle,
    }
    labels = env.observation_labels(params)["inverter"]
    zones = np.asarray(params.zone)
    for agent in range(6):
        seen = dict(zip(labels, np.asarray(obs["inverter"][agent])))
        for k in range(width):
            for what, values in per_bus.items():
                row = zones[agent, k]
                expected = values[row] if row >= 0 else 0.0
                assert seen[f"zone bus {k} {what}"] == pytest.approx(float(expected), abs=1e-6)
        assert seen["own sun p [MW]"] == pytest.approx(float(state.sun[agent] * base))
        assert seen["own reactive power q, held [MVAr]"] == pytest.approx(float(state.reactive[agent] * base))
    whole = env.global_state(state, params)
    np.testing.assert_allclose(
        whole, np.concatenate([*per_bus.values(), state.sun * base, state.reactive * base]), atol=1e-6
    )


def test_actions_are_clipped_at_one(task):
    env, params, _, transition = task
    key = jax.random.key(4)
    _, state = env.reset(key, params)
    inside, outside = (transition(key, state, actions_of(a), params) for a in (1.0, 37.0))
    jax.tree.map(np.testing.assert_array_equal, inside, outside)
    base = np.asarray(params.apparent, np.float64)
    limit = 0.8 * np.sqrt(base**2 - np.asarray(state.sun, np.float64) ** 2)
    np.testing.assert_allclose(inside.state.reactive, limit, rtol=1e-5)
    assert (limit > 0.5 * base * 0.8).all()  # there is something to act with, at full sun too


def test_a_failing_power_flow_terminates(task):
    env, params, step, _ = task
    key = jax.random.key(0)
    broken = replace(params, demand=params.demand * 50.0)
    _, state = env.reset(key, broken)
    obs, state, reward, terminated, truncated, info = step(key, state, actions_of(0.3), broken)
    assert bool(terminated)
    assert not bool(truncated)
    assert reward["inverter"].tolist() == [-200.0] * 6
    assert float(info["cost"]["voltage"]) == 1.0
    assert (float(info["metrics"]["converged"]), float(info["metrics"]["controllable"])) == (0.0, 0.0)
    assert float(info["metrics"]["out_of_band"]) == 1.0
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((obs, state, reward, info)))
    assert int(state.step) == 0


def test_a_failure_on_the_last_step_is_no_time_limit(task):
    env, params, step, _ = task
    last = replace(params, demand=params.demand * 50.0, episode_length=jnp.int32(1))
    _, state = env.reset(jax.random.key(0), last)
    *_, terminated, truncated, _ = step(jax.random.key(0), state, actions_of(0.0), last)
    assert (bool(terminated), bool(truncated)) == (True, False)


def test_a_failed_scenario_leaves_its_batch_alone(task):
    env, params, *_ = task
    keys = jax.random.split(jax.random.key(0), 4)
    state = jax.jit(jax.vmap(env.initial, (0, None)))(keys, params)
    heavy = replace(state, demand=state.demand.at[2].multiply(50.0))
    run = jax.jit(jax.vmap(env.transition, (0, 0, None, None)))
    one, other = (run(keys, s, actions_of(0.5), params) for s in (state, heavy))
    assert other.terminated.tolist() == [False, False, True, False]
    for k in (0, 1, 3):
        assert float(one.reward["inverter"][k, 0]) == float(other.reward["inverter"][k, 0])


def test_weights_and_barriers_can_be_mapped_over(task):
    env, params, _, transition = task
    key = jax.random.key(6)
    _, state = env.reset(key, params)
    weights, kinds = jnp.array([0.0, 0.01, 0.1]), jnp.array([0, 1, 2])

    def with_params(weight, kind):
        return env.transition(
            key, state, actions_of(0.8), replace(params, reactive_weight=weight, barrier=kind)
        )

    table = jax.jit(jax.vmap(jax.vmap(with_params, (0, None)), (None, 0)))(weights, kinds)
    reward = np.asarray(table.reward["inverter"][:, :, 0])
    q = float(table.metrics["reactive_mvar"][0, 0])
    np.testing.assert_allclose(reward[:, :1] - reward, q * np.tile(weights, (3, 1)), atol=1e-6)
    assert len(set(reward[:, 0].round(6).tolist())) == 3
    alone = transition(key, state, actions_of(0.8), replace(params, barrier=jnp.int32(2)))
    assert float(alone.reward["inverter"][0]) == pytest.approx(float(reward[2, 1]), rel=1e-5)


def test_losses_are_priced_in_megawatts(task):
    env, params, _, transition = task
    key = jax.random.key(6)
    _, state = env.reset(key, params)
    free = transition(key, state, actions_of(0.8), params)
    priced = transition(key, state, actions_of(0.8), replace(params, loss_weight=jnp.float32(2.0)))
    cost = float(free.reward["inverter"][0] - priced.reward["inverter"][0])
    assert cost == pytest.approx(2.0 * float(free.metrics["losses_mw"]), rel=1e-4)


def test_neighbours_are_those_who_observe_some_of_the_same_buses(task):
    env, params, *_ = task
    zones = [set(row[row >= 0].tolist()) for row in np.asarray(params.zone)]
    expected = [[bool(mine & others) for others in zones] for mine in zones]
    assert np.asarray(env.neighbours(params)).tolist() == expected
    assert 6 < np.sum(expected) < 36


def test_a_table_of_ones_own(task):
    """From rows by the clock on the wall of another year to a step of the task."""
    env, params, _, transition = task
    times = pd.date_range("2023-01-01", "2024-01-01", freq="15min", tz="Europe/Berlin", inclusive="left")
    hour, day = times.hour + times.minute / 60, np.asarray(times.dayofyear)
    frame = pd.DataFrame(
        {
            "time": times.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "house [kW]": 0.3 + (times.weekday >= 5) + np.asarray(np.cos(hour / 4) ** 2),
            "shop [W]": 1000.0 * (times.weekday < 5),
            "roof [kW]": np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * (2 - np.cos(2 * np.pi * day / 365)),
        }
    )
    pack = read_table(
        frame, loads=["house [kW]", "shop [W]"], generation=["roof [kW]"], timezone="Europe/Berlin"
    )
    assert (pack.n_days, pack.notes) == (365, ())
    profiles = task_profiles(pack)
    # weekends are where the tasks take them to be: 2016 began on a Friday
    weekend = profiles.load_p[48::96, 1] == 0
    np.testing.assert_array_equal(weekend, (np.arange(366) + 4) % 7 >= 5)
    own = gridjax.make("VoltageControl-v0", episode_length=10, profiles=profiles)
    assert own[0] == env
    day = int(own[1].days[20])
    state = jax.jit(env.initial)(jax.random.key(0), env.on_case(own[1], day))
    out = transition(jax.random.key(1), state, actions_of(0.0), own[1])
    assert np.isfinite(float(out.reward["inverter"][0]))
    assert not np.array_equal(np.asarray(own[1].demand), np.asarray(params.demand))
