"""The thermal model against its differential equation, and a thermostat."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.devices import HeatPump, heat_pump

PUMP = HeatPump(*(jnp.float32(x) for x in (3.0, 3.0, 4.0, 5.0, 19.0, 23.0)))


def test_a_step_solves_the_differential_equation():
    temperature, outside, power = 20.0, -5.0, 1.2
    by_euler, small = temperature, 0.25 / 20000
    for _ in range(20000):
        by_euler += small * ((outside - by_euler) / 4.0 + 3.0 * power) / 5.0
    exact = heat_pump.advance(PUMP, jnp.float32(temperature), outside, jnp.float32(power), 0.25)
    assert float(exact) == pytest.approx(by_euler, abs=1e-4)


def test_the_usual_action_holds_the_middle_of_the_band():
    def step(temperature, _):
        power = heat_pump.heating_power(PUMP, temperature, jnp.float32(0.0), jnp.float32(0.0), 0.25)
        return heat_pump.advance(PUMP, temperature, jnp.float32(0.0), power, 0.25), power

    last, power = jax.lax.scan(step, jnp.float32(19.5), length=60)
    assert float(last) == pytest.approx(21.0, abs=1e-3)
    assert float(power[-1]) == pytest.approx(21.0 / 4.0 / 3.0, rel=1e-3)


def test_actions_span_off_to_full():
    power = heat_pump.heating_power(PUMP, jnp.float32(21.0), jnp.float32(0.0), jnp.array([-1.0, 1.0]), 0.25)
    np.testing.assert_allclose(power, [0.0, 3.0], atol=1e-6)


def test_discomfort_is_kelvin_beyond_the_band():
    got = heat_pump.discomfort(PUMP, jnp.array([17.0, 19.0, 21.0, 24.5]))
    np.testing.assert_allclose(got, [2.0, 0.0, 0.0, 1.5], atol=1e-6)
