"""The plan of an outage: what it must do in cases that can be reckoned by hand, and played in the task."""

import numpy as np
import pytest

import gridjax
from gridjax.controllers.outage_plan import Foreseen, follow, plan_outage


@pytest.fixture(scope="module")
def task():
    return gridjax.make("Resilience-v0", episode_length=24)


def known(task, steps=24, **changes):
    env, params = task
    unit = float(params.reference_power)
    generators = np.full(steps, float(len(env.generator_buses)))
    given = {
        "demand": np.outer(np.ones(steps), [0.2, 0.2, 0.6]) * unit,
        "sun": np.zeros(steps),
        "buy": np.full(steps, 0.3),
        "sell": np.full(steps, 0.08),
        "reachable": np.ones(steps, bool),
        "generators": generators,
        "delivered": np.zeros(steps),
        "energy": 0.5 * float(np.sum(np.asarray(params.campus.battery.capacity))),
        "fuel": 0.5 * float(np.sum(np.asarray(params.campus.generator.tank))),
    }
    return Foreseen(**(given | changes))


def test_beside_the_grid_at_one_price_nothing_moves(task):
    plan = plan_outage(*task, known(task))
    np.testing.assert_allclose(plan.battery.clip(max=0.0), 0.0, atol=1e-6)
    assert not plan.running.any()
    np.testing.assert_allclose(plan.served, known(task).demand, rtol=1e-6)


def test_batteries_buy_cheap_for_what_will_be_dear(task):
    price = np.where(np.arange(24) < 12, 0.05, 0.6)
    plan = plan_outage(*task, known(task, buy=price, sell=np.full(24, 0.04)))
    assert plan.battery[:12].sum() < 0.0 < plan.battery[12:].sum()


def test_scarce_energy_goes_to_critical_load_first(task):
    env, params = task
    nothing = known(task, reachable=np.zeros(24, bool), fuel=0.0, generators=np.zeros(24), energy=500.0)
    plan = plan_outage(env, params, nothing)
    served = plan.served.sum(axis=0)
    assert served[0] > 0.0
    assert served[2] == pytest.approx(0.0, abs=1e-3)
    # every kWh that the batteries hold, but for conversion, losses and self-discharge
    assert served.sum() * env.hours == pytest.approx(500.0 * 0.95 / 1.01, rel=0.01)


def test_generators_run_within_their_limits_and_their_fuel(task):
    env, params = task
    dark = known(task, reachable=np.zeros(24, bool), energy=0.0, fuel=800.0)
    plan = plan_outage(env, params, dark)
    machine = params.campus.generator
    rating, low = float(machine.power[0]), float(machine.minimum[0])
    assert (plan.generation <= rating * plan.running + 1e-6).all()
    assert (plan.generation >= low * plan.running - 1e-6).all()
    burnt = float(machine.intercept[0]) * rating * plan.running + float(machine.slope[0]) * plan.generation
    assert burnt.sum() * env.hours <= 800.0 + 1e-6
    assert plan.served[:, 0].sum() > 0.0


def test_a_plan_is_played_by_actions_in_bounds(task):
    env, params = task
    dark = known(task, reachable=np.arange(24) < 8)
    plan = plan_outage(env, params, dark)
    acts = follow(env, params, plan, dark)
    space = env.action_space(params)
    for group, n in env.groups.items():
        assert acts[group].shape == (24, n, *space[group].shape)
        assert np.abs(acts[group]).max() <= 1.0
    assert (acts["generator"][:, :, 0] > 0.0).sum(axis=1).tolist() == plan.running.astype(int).tolist()
