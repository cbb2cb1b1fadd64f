"""Generator sets: starting, failing, ramping, and fuel that matches what they supply."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridjax.devices import generator
from gridjax.devices.generator import Generator

HOURS = 0.25


def one(**overrides) -> Generator:
    values = {
        "power": 100.0,
        "minimum": 30.0,
        "ramp": 200.0,
        "start_time": 0.05,
        "intercept": 0.08,
        "slope": 0.25,
        "tank": 500.0,
        "start_cost": 10.0,
    }
    return Generator(**{name: jnp.array([value]) for name, value in (values | overrides).items()})


def run(machine, state, wish=True, fails=False, trip=1e9, level=1.0, repair=5.0, stopped=False):
    yes = lambda flag: jnp.array([flag])  # noqa: E731
    c = generator.commit(machine, state, yes(wish), yes(fails), jnp.array([trip]), HOURS)
    power = generator.set_point(machine, jnp.array([level]), jnp.array([0.0]), c, HOURS)
    after = generator.advance(machine, state, c, power, yes(stopped), jnp.array([repair]), HOURS)
    return c, power, after


def test_a_start_takes_its_time_out_of_the_first_step():
    machine = one(ramp=1e6)
    c, power, after = run(machine, generator.at_rest(jnp.array([500.0])))
    assert c.on[0]
    assert c.fresh[0]
    assert after.on[0]
    assert power[0] == pytest.approx(100.0 * (1 - 0.05 / HOURS))
    assert after.attempts[0] == 1
    again, power, _ = run(machine, after)
    assert again.on[0]
    assert not again.fresh[0]
    assert power[0] == pytest.approx(100.0)


def test_the_ramp_bounds_the_set_point():
    machine = one()
    c = run(machine, generator.at_rest(jnp.array([500.0])))[0]
    power = generator.set_point(machine, jnp.array([1.0]), jnp.array([40.0]), c, 0.1)
    assert power[0] == pytest.approx(60.0)


def test_a_failed_start_may_be_tried_again():
    machine = one()
    c, power, after = run(machine, generator.at_rest(jnp.array([500.0])), fails=True)
    assert c.failed[0]
    assert not c.on[0]
    assert not after.on[0]
    assert power[0] == 0.0
    assert after.fuel[0] == 500.0
    assert after.attempts[0] == 1
    assert run(machine, after)[0].on[0]


def test_a_failure_while_running_is_repaired():
    machine = one()
    state = run(machine, generator.at_rest(jnp.array([500.0])))[2]
    c, _, state = run(machine, state, trip=0.25, repair=0.6)
    assert c.tripped[0]
    assert not c.on[0]
    assert not state.on[0]
    assert state.repair[0] == pytest.approx(0.6)
    steps = 0
    while not run(machine, state)[0].on[0]:
        state = run(machine, state)[2]
        steps += 1
    assert steps == 3  # 0.6 h of repair
    assert state.hours[0] == 0.0


def test_without_fuel_for_its_minimum_it_stops():
    machine = one()
    enough = HOURS * (0.08 * 100 + 0.25 * 30)
    assert run(machine, generator.at_rest(jnp.array([enough * 1.001])))[0].on[0]
    assert not run(machine, generator.at_rest(jnp.array([enough * 0.999])))[0].on[0]


@settings(max_examples=50, deadline=None)
@given(
    fuel=st.floats(0.0, 500.0),
    level=st.floats(0.0, 1.0),
    wish=st.booleans(),
    fails=st.booleans(),
    steps=st.integers(1, 5),
)
def test_fuel_burnt_matches_what_was_supplied(fuel, level, wish, fails, steps):
    machine, state = one(), generator.at_rest(jnp.array([fuel], jnp.float32))
    for _ in range(steps):
        c, power, after = run(machine, state, wish=wish, fails=fails, level=level)
        burnt = generator.fuel_use(machine, power, c.on, HOURS)
        assert float(power[0]) <= 100.0
        assert c.on[0] or power[0] == 0.0
        np.testing.assert_allclose(state.fuel - burnt, after.fuel, atol=1e-4)
        assert after.fuel[0] >= 0.0
        state = after
