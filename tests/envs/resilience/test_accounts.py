"""What must close, whatever happens: tiers, energy, fuel, and numbers that stay finite."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gridjax
from gridjax.devices import battery
from gridjax.scenarios import outages

TIERS = ("critical", "priority", "discretionary")
N, STEPS = 10_000, 8
EXTREME = {
    "outages_per_year": 900.0,
    "storms_per_year": 300.0,
    "storm_hours_low": 0.5,
    "storm_hours_high": 3.0,
    "gust_high": 80.0,
    "wind_fragility": 1.0,
    "line_faults_per_year": 300.0,
    "line_repair_hours": 1.0,
    "transformer_faults_per_year": 100.0,
    "start_failure": 0.5,
    "running_hours_to_failure": 1.0,
    "generator_repair_hours": 0.5,
    "sensor_losses_per_year": 1000.0,
    "delivery_hours_low": 0.0,
    "delivery_hours_high": 2.0,
}


@partial(jax.jit, static_argnums=0)
def _episodes(env, keys, params):
    """Random actions, those of one agent in three at a bound."""

    def one(key):
        reset_key, step_key = jax.random.split(key)
        space = env.action_space(params)

        def step(state, key):
            act_key, level_key, key = jax.random.split(key, 3)
            size = {g: (n, *space[g].shape) for g, n in env.groups.items()}
            number = sum(np.prod(s) for s in size.values())
            flat = jax.random.uniform(act_key, (number,), minval=-1.5, maxval=1.5)
            flat = jnp.where(jax.random.bernoulli(level_key, 0.3, flat.shape), jnp.sign(flat), flat)
            parts, first = {}, 0
            for group, shape in size.items():
                parts[group] = flat[first : first + int(np.prod(shape))].reshape(shape)
                first += int(np.prod(shape))
            out = env.transition(key, state, parts, params)
            seen = sum(jnp.sum(jnp.abs(x)) for x in jax.tree.leaves(env.observe(out.state, params)))
            kept = (
                state.energy,
                state.generator.fuel,
                out.state.energy,
                out.state.power,
                out.state.temperature,
            )
            return out.state, (out.metrics, out.cost, out.reward, kept, seen)

        return jax.lax.scan(step, env.initial(reset_key, params), jax.random.split(step_key, STEPS))[1]

    return jax.vmap(one)(keys)


@pytest.fixture(scope="module")
def extreme():
    """10,000 scenarios in one batch, in some of which everything fails at once."""
    env, params = gridjax.make("Resilience-v0", episode_length=STEPS, rates=EXTREME)
    low = jnp.float32(0.0)
    params = replace(params, initial_charge=jnp.array([low, 1.0]), initial_fuel=jnp.array([low, 1.0]))
    return (
        env,
        params,
        jax.tree.map(np.asarray, _episodes(env, jax.random.split(jax.random.key(7), N), params)),
    )


def test_no_sequence_of_events_makes_anything_that_is_not_finite(extreme):
    for leaf in jax.tree.leaves(extreme[2]):
        assert np.isfinite(leaf).all()


def test_the_scenarios_are_extreme(extreme):
    m = extreme[2][0]
    assert 0.1 < np.mean(m["grid_present"]) < 0.9
    assert np.mean(m["energised"] == 0.0) > 1e-3  # the whole campus is dark
    assert np.mean((m["energised"] > 0.0) & (m["energised"] < 1.0)) > 1e-2  # a part of it is
    assert np.mean(m["stages_shed"] == 4) > 0.001
    assert np.mean(m["nadir"] <= 47.0) > 0.001


def test_what_was_demanded_is_served_or_not(extreme):
    metrics, cost, *_ = extreme[2]
    unserved = 0.0
    for tier in TIERS:
        demand, served = metrics[f"demand_{tier}"], metrics[f"served_{tier}"]
        assert (served >= 0.0).all()
        assert (served <= demand * (1 + 1e-6)).all()
        unserved = unserved + demand - served
    np.testing.assert_allclose(cost["unserved"], unserved, rtol=1e-4, atol=1e-2)


def test_power_balances_in_every_step(extreme):
    _, params, (metrics, *_) = extreme
    scale = float(params.reference_power) * 0.25
    assert np.abs(metrics["imbalance"]).max() < 1e-4 * scale


def test_batteries_hold_what_passed_their_terminals(extreme):
    env, params, (_, _, _, (energy, _, after, power, _), _) = extreme
    pile, hours = params.campus.battery, env.hours
    assert (after >= 0.0).all()
    assert (after <= np.asarray(pile.capacity) * (1 + 1e-6)).all()
    stored = power[..., : energy.shape[-1]]
    inward = np.maximum(-stored, 0.0) * np.asarray(pile.charge_efficiency)
    outward = np.maximum(stored, 0.0) / np.asarray(pile.discharge_efficiency)
    expected = np.asarray(battery.kept(pile, energy, hours)) + (inward - outward) * hours
    # what losses take beyond the limits of a reference is bounded
    spare = 0.011 * np.asarray(pile.power)
    np.testing.assert_allclose(after, expected, atol=float(spare.max()) * hours / 0.95)
    assert (np.abs(stored) <= np.asarray(pile.power) + spare).all()


def test_fuel_burnt_matches_output(extreme):
    env, params, (metrics, *_) = extreme
    machine = params.campus.generator
    on = metrics["burnt"] > 0.0
    expected = np.asarray(machine.intercept * machine.power) * env.hours * on
    expected = expected + np.asarray(machine.slope) * metrics["generated"]
    np.testing.assert_allclose(metrics["burnt"], expected, rtol=1e-4, atol=1e-3)
    assert (metrics["generated"][~on] == 0.0).all()


def test_every_agent_gets_the_same_reward(extreme):
    reward = extreme[2][2]
    whole = np.concatenate(list(reward.values()), axis=-1)
    assert (whole == whole[..., :1]).all()


def test_scenarios_do_not_depend_on_the_batch(extreme):
    env, params, (metrics, *_) = extreme
    keys = jax.random.split(jax.random.key(7), N)[:3]
    alone = jax.tree.map(np.asarray, _episodes(env, keys, params))[0]
    for name, value in alone.items():
        np.testing.assert_allclose(value, metrics[name][:3], rtol=2e-3, atol=2e-2, err_msg=name)


def test_same_events_from_a_list(extreme):
    env, params, _ = extreme
    drawn = outages.draw(jax.random.key(3), params.rates, env.sizes, env.hours)
    scenario = type(params.scenarios)(
        day=jnp.int32(5), charge=jnp.full(2, 0.5), fuel=jnp.full(2, 0.5), timeline=drawn
    )
    listed = env.on_scenario(params, scenario)
    for seed in range(2):
        state = env.initial(jax.random.key(seed), listed)
        for a, b in zip(jax.tree.leaves(state.timeline), jax.tree.leaves(drawn)):
            np.testing.assert_array_equal(a, b)
        assert int(state.clock) == 5 * 96
