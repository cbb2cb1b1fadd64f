"""A vehicle leaves with what it needs, or what is missing is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.devices import Vehicle, vehicle

CAR = Vehicle(*(jnp.float32(x) for x in (11.0, 0.9, 12.0, 7.0, 18.0)))


def test_presence_and_time_left():
    hours = jnp.array([0.0, 6.75, 7.0, 12.0, 17.75, 18.0, 23.0])
    assert vehicle.present(CAR, hours).tolist() == [True, True, False, False, False, True, True]
    np.testing.assert_allclose(vehicle.hours_left(CAR, jnp.array([0.0, 6.75, 18.0])), [7.0, 0.25, 13.0])


def run(action, need=12.0):
    """Need, missed energy and power of every quarter hour of a day."""

    def step(need, hour):
        power = vehicle.charging_power(CAR, need, jnp.float32(action), hour, 0.25)
        need, missed = vehicle.advance(CAR, need, power, hour, 0.25)
        return need, (need, missed, power)

    return jax.lax.scan(step, jnp.float32(need), jnp.arange(96) * 0.25)[1]


def test_the_usual_action_charges_evenly_until_departure():
    need, missed, power = run(0.0)
    np.testing.assert_allclose(power[:28], 12.0 / 0.9 / 7.0, rtol=1e-3)
    assert float(missed.sum()) == pytest.approx(0.0, abs=1e-4)
    assert not power[28:72].any()
    assert float(need[71]) == pytest.approx(12.0, abs=1e-4)  # back at 18 h from a trip
    assert float(need[95]) < 12.0


def test_full_power_is_early_and_off_is_missed():
    need, missed, power = run(1.0)
    assert float(power[0]) == 11.0
    assert float(need[8]) == pytest.approx(0.0, abs=1e-5)
    assert float(missed.sum()) == 0.0
    _, missed, power = run(-1.0)
    assert not power.any()
    assert float(missed[27]) == pytest.approx(12.0)
