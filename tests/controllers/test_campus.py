"""Rules of a campus: what they do in situations an engineer would name, and that they rank as expected."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gridjax
from gridjax.controllers import campus
from gridjax.envs.resilience import Scenario, measurement
from gridjax.scenarios import outages


@pytest.fixture(scope="module")
def task():
    env, params = gridjax.make("Resilience-v0", episode_length=48)
    state = jax.jit(env.initial)(jax.random.key(0), params)
    return env, params, state


def told(env, state, **changes):
    """The state in which every agent received the same reading but for `changes`."""
    sizes = len(env.battery_buses), len(env.generator_buses)
    reading = measurement.unpack(state.seen, *sizes)
    changed = {
        name: jnp.broadcast_to(jnp.asarray(x), getattr(reading, name).shape) for name, x in changes.items()
    }
    return replace(state, seen=measurement.vector(reading._replace(**changed)))


def test_readings_survive_the_way_into_a_vector_and_back(task):
    env, _, state = task
    sizes = len(env.battery_buses), len(env.generator_buses)
    again = measurement.vector(measurement.unpack(state.seen, *sizes))
    np.testing.assert_array_equal(again, state.seen)
    assert state.seen.shape[-1] == len(measurement.labels(*sizes))


def test_beside_the_grid_generators_rest_and_all_is_served(task):
    env, params, state = task
    acts = campus.campus_rule(campus.default_rule(), env, state, params)
    assert (acts["generator"] == 0.0).all()
    assert (acts["load"] == 0.0).all()
    assert (acts["connection"] == 0.0).all()
    nothing = campus.do_nothing(env, state, params)
    assert all((x == 0.0).all() for x in nothing.values())


def test_in_an_outage_generators_start_at_low_charge(task):
    env, params, state = task
    rule = campus.default_rule()
    full = campus.campus_rule(rule, env, told(env, state, present=0.0, charge=0.8), params)
    low = campus.campus_rule(rule, env, told(env, state, present=0.0, charge=0.2), params)
    assert (full["generator"] == 0.0).all()
    assert (low["generator"] > 0.0).all()


def test_load_is_shed_by_how_long_supply_lasts(task):
    env, params, beside = task
    state = replace(beside, frequency=jnp.full_like(beside.frequency, 49.9))
    rule = campus.default_rule()
    plenty = campus.campus_rule(rule, env, told(env, state, present=0.0, charge=1.0, fuel=1.0), params)[
        "load"
    ]
    scarce = campus.campus_rule(rule, env, told(env, state, present=0.0, charge=0.3, fuel=0.1), params)[
        "load"
    ]
    none = campus.campus_rule(rule, env, told(env, state, present=0.0, charge=0.0, fuel=0.0), params)["load"]
    assert (plenty[:, 0] == 0.0).all()
    assert (none[:, 0] < scarce[:, 0]).all()
    assert (scarce[:, 0] < 0.0).all()
    # the own bus is beside the grid again, though the message is not there yet
    back = campus.campus_rule(rule, env, told(env, beside, present=0.0, charge=0.0, fuel=0.0), params)["load"]
    assert (back[:, 0] == 0.0).all()


def test_what_is_shed_is_the_lowest_tiers_of_every_manager(task):
    """Buildings differ in what is critical in them: no manager sheds priority load for another's comfort."""
    env, params, beside = task
    state = replace(beside, frequency=jnp.full_like(beside.frequency, 49.9))
    managed = np.asarray(params.campus.manager) >= 0
    has = np.asarray(params.campus.tiers)[managed] > 0.0
    assert len(np.unique(np.asarray(params.campus.tiers)[managed], axis=0)) > 1
    for charge, fuel, kept in ((0.3, 0.1, (1.0, 1.0, 0.0)), (0.0, 0.0, (1.0, 0.0, 0.0))):
        heard = told(env, state, present=0.0, charge=charge, fuel=fuel)
        wishes, _, _ = env.wishes(
            heard, campus.campus_rule(campus.default_rule(), env, heard, params), params
        )
        # a heat pump at its least adds a little to the discretionary load
        wanted = np.broadcast_to(kept, has.shape)[has]
        np.testing.assert_allclose(np.asarray(wishes.kept)[managed][has], wanted, atol=0.12)


def test_an_island_lasts_until_the_own_bus_is_beside_the_grid(task):
    env, params, beside = task
    rule = replace(campus.default_rule(), start_below=jnp.float32(0.5))
    apart = replace(beside, frequency=jnp.full_like(beside.frequency, 49.9))
    dead = replace(beside, energised=jnp.zeros_like(beside.energised))

    def generators(state, charge):
        return campus.campus_rule(rule, env, told(env, state, present=1.0, charge=charge), params)[
            "generator"
        ]

    assert (generators(beside, 0.2) == 0.0).all()
    assert (generators(apart, 0.2) > 0.0).all()
    assert (generators(apart, 0.95) == 0.0).all()
    # black start
    assert (generators(dead, 0.95) > 0.0).all()


def test_generators_start_one_after_another(task):
    env, params, state = task
    rule = replace(campus.default_rule(), start_below=jnp.float32(0.6), stagger=jnp.float32(0.3))
    on = {
        charge: campus.campus_rule(rule, env, told(env, state, present=0.0, charge=charge), params)[
            "generator"
        ]
        for charge in (0.7, 0.5, 0.2)
    }
    assert [[bool(x > 0.0) for x in level[:, 0]] for level in on.values()] == [
        [False, False],
        [True, False],
        [True, True],
    ]


def test_batteries_follow_the_price_and_the_storm_warning(task):
    env, params, state = task
    rule = replace(campus.default_rule(), reserve=jnp.float32(0.2))
    mean = jnp.mean(params.tariff.bands)

    def at(price, charge=0.6, wind=5.0):
        given = replace(
            state,
            now=replace(state.now, buy=mean * price),
            energy=charge * params.campus.battery.capacity,
            warning=jnp.float32(wind),
        )
        return campus.campus_rule(rule, env, given, params)["battery"]

    assert (at(0.5) == -1.0).all()
    assert (at(1.5) > 0.0).all()
    assert (at(1.0) == 0.0).all()
    assert (at(1.5, charge=0.1) == -1.0).all()
    assert (at(1.5, wind=30.0) == -1.0).all()


def test_ties_close_where_a_fault_has_cut_off_a_part(task):
    env, params, state = task
    tie = env.layout.to_bus[2]
    cut = replace(state, energised=state.energised.at[tie].set(False))
    rule = campus.default_rule()
    healthy = campus.campus_rule(rule, env, told(env, cut, faults=0.0), params)["connection"]
    faulty = campus.campus_rule(rule, env, told(env, cut, faults=1.0), params)["connection"]
    assert (healthy == 0.0).all()
    np.testing.assert_array_equal(faulty[:, 0] < 0.0, [False, False, True, False])


def test_nothing_then_droop_then_the_rule(task):
    env, params, _ = task
    events = [{"grid": [(2.0, 11.0)]}, {"grid": [(4.0, 12.0)], "branches": {2: (5.0, 9.0)}}]
    timelines = outages.stack(outages.scripted(env.sizes, env.hours, **e) for e in events)
    scenarios = Scenario(
        day=jnp.array([20, 200]), charge=jnp.full((2, 2), 0.6), fuel=jnp.full((2, 2), 0.6), timeline=timelines
    )

    @jax.jit
    def score(which, scenario):
        listed = env.on_scenario(params, scenario)
        controllers = (
            campus.do_nothing,
            campus.droop,
            lambda e, s, p: campus.campus_rule(campus.default_rule(), e, s, p),
        )

        def step(state, key):
            acts = jax.lax.switch(which, [lambda s, c=c: c(env, s, listed) for c in controllers], state)
            out = env.transition(key, state, acts, listed)
            return out.state, out.reward["load"][0]

        first = env.initial(jax.random.key(0), listed)
        return jnp.mean(jax.lax.scan(step, first, jax.random.split(jax.random.key(1), env.case_steps))[1])

    rewards = [float(jnp.mean(jax.vmap(score, (None, 0))(which, scenarios))) for which in range(3)]
    assert rewards[0] < rewards[1]
    assert rewards[0] < rewards[2]
