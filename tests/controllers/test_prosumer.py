"""Rules for prosumers do what they are named for, and in their order."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.controllers import (
    idle_battery,
    peer_to_peer,
    plan_day,
    prosumer_rule,
    self_consumption,
    time_of_use,
    tune_rule,
)
from gridjax.controllers.prosumer_tuning import rule_from


@pytest.fixture(scope="module")
def runs(community, day):
    """States, rewards and metrics of the day by controller; one program for all."""
    env, params = community
    state, keys = day

    @jax.jit
    @jax.vmap
    def run(number):
        def step(state, key):
            acts = [idle_battery(env, state, params), self_consumption(env, state, params)]
            acts += [prosumer_rule(rule, env, state, params) for rule in (time_of_use(), peer_to_peer())]
            actions = jax.tree.map(lambda *each: jnp.stack(each)[number], *acts)
            out = env.transition(key, state, actions, params)
            return out.state, (state, jnp.mean(out.reward["prosumer"]), out.metrics)

        return jax.lax.scan(step, state, keys)[1]

    found = run(jnp.arange(4))
    names = ("idle", "zero", "time", "peers")
    return {name: jax.tree.map(lambda x, k=k: x[k], found) for k, name in enumerate(names)}


def test_an_idle_battery_rests_and_schedules_all(runs):
    state, _, metrics = runs["idle"]
    assert float(np.abs(metrics["throughput"]).max()) < 1e-4
    paid = (
        np.asarray(metrics["import"]) * np.asarray(state.now.buy)[:, None]
        - np.asarray(metrics["export"]) * 0.08
    )
    np.testing.assert_allclose(metrics["paid_grid"], paid, atol=1e-5)


def test_a_rule_leaves_nothing_to_the_imbalance_price(runs):
    for name in ("time", "peers"):
        state, _, metrics = runs[name]
        paid = np.asarray(metrics["import"]) * np.asarray(state.now.buy)[:, None]
        paid = paid - np.asarray(metrics["export"]) * 0.08
        np.testing.assert_allclose(metrics["paid_grid"], paid, atol=1e-4)


def test_time_of_use_buys_at_night_for_the_evening(runs, community):
    _, params = community
    state, _, metrics = runs["time"]
    price = np.asarray(state.now.buy) / float(np.mean(params.tariff.bands))
    charging = np.diff(np.asarray(state.energy), axis=0) > 1e-3
    from_grid = np.asarray(metrics["import"])[:-1] > np.asarray(metrics["demand"])[:-1] + 1e-3
    assert (charging & from_grid).any()
    assert not from_grid[price[:-1] > 0.75].any()
    assert not np.asarray(metrics["sent"]).any()


def test_peers_send_only_sun_to_spare(runs):
    _, _, metrics = runs["peers"]
    sent = np.asarray(metrics["sent"])
    spare = np.maximum(np.asarray(metrics["sun"]) - np.asarray(metrics["demand"]), 0.0)
    assert sent.sum() > 1.0
    assert (sent <= spare + 1e-4).all()


def test_the_order_on_a_day_of_spring(runs):
    total = {name: float(reward.mean()) for name, (_, reward, _) in runs.items()}
    assert total["idle"] < total["zero"] < total["peers"]


def test_genes_are_constants():
    rule = rule_from(jnp.arange(9.0))
    assert [float(x) for x in (rule.hold_below, rule.charge_below, rule.target, rule.sun_credit)] == [
        0,
        1,
        2,
        3,
    ]
    assert [float(x) for x in (rule.help_above, rule.give, rule.ask, rule.reactive, rule.centre)] == [
        4,
        5,
        6,
        7,
        8,
    ]


def test_tuning_beats_what_it_starts_from_and_a_plan_beats_the_rule(community, day):
    env, params = community
    tuned, value = tune_rule(env, params, jax.random.key(0), 3, 3)
    assert np.isfinite(float(value))
    assert 0.0 <= float(tuned.target) <= 1.0
    state, keys = day
    short = keys[:24]
    dear = replace(params, tariff=replace(params.tariff, bands=params.tariff.bands * 1.5))
    plan = plan_day(env, dear, state, short, tuned, 12)
    assert float(plan.reward) > float(plan.begun)
    assert plan.actions.shape == (24, env.n_agent, env.n_action)
    assert float(np.abs(plan.actions).max()) <= 1.0
