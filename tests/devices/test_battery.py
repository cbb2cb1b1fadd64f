"""Every kilowatt hour of a battery is booked."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridjax.devices import Battery, battery

number = st.floats(0.0, 1.0, width=32)


def of(capacity=10.0, power=4.0, loss=0.0):
    return Battery(*(jnp.float32(x) for x in (capacity, power, 0.9, 0.8, loss, 0.05)))


def test_charging_and_discharging_by_hand():
    pile = of()
    assert float(battery.advance(pile, jnp.float32(5.0), jnp.float32(-2.0), 0.5)) == pytest.approx(5.9)
    assert float(battery.advance(pile, jnp.float32(5.0), jnp.float32(2.0), 0.5)) == pytest.approx(3.75)
    assert float(battery.wasted(pile, jnp.float32(5.0), jnp.float32(-2.0), 0.5)) == pytest.approx(0.1)
    assert float(battery.wasted(pile, jnp.float32(5.0), jnp.float32(2.0), 0.5)) == pytest.approx(0.25)
    assert float(battery.wear_cost(pile, jnp.float32(-2.0), 0.5)) == pytest.approx(0.05)


def test_limits_by_hand():
    charge, discharge = battery.power_limits(of(), jnp.array([9.1, 1.0, 5.0]), 0.5)
    np.testing.assert_allclose(charge, [2.0, 4.0, 4.0], rtol=1e-6)
    np.testing.assert_allclose(discharge, [4.0, 1.6, 4.0], rtol=1e-6)
    full = battery.power_limits(of(loss=0.1), jnp.float32(10.0), 1.0)
    assert float(full[0]) == pytest.approx(1.0 / 0.9, rel=1e-5)  # room that self-discharge made


@settings(max_examples=200, deadline=None)
@given(number, number, number, st.floats(0.0, 0.015625, width=32))
def test_energy_is_conserved_within_the_limits(filled, share, way, loss):
    pile, hours = of(loss=loss), 0.25
    energy = jnp.float32(10.0 * filled)
    charge, discharge = battery.power_limits(pile, energy, hours)
    power = jnp.where(way < 0.5, -share * charge, share * discharge)
    after = battery.advance(pile, energy, power, hours)
    assert 0.0 <= float(after) <= 10.0
    gone = energy - after - power * hours
    assert float(gone) == pytest.approx(float(battery.wasted(pile, energy, power, hours)), abs=5e-6)


def test_no_battery_does_nothing():
    charge, discharge = battery.power_limits(of(capacity=0.0, power=0.0), jnp.float32(0.0), 0.25)
    assert (float(charge), float(discharge)) == (0.0, 0.0)
