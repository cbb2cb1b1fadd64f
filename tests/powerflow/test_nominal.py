import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.powerflow.nominal import admittance_matrix, real_form, solve_nominal
from tests.powerflow.conftest import meshed


def test_admittance_matrix_by_hand():
    net = meshed()
    matrix = admittance_matrix(net)
    y = 1 / (0.002 + 0.06j)  # branch 3: bus 0 to bus 3 through the transformer
    tap = 0.975 * np.exp(0.03j)
    assert matrix[0, 3] == pytest.approx(-y / np.conj(tap), rel=1e-14)
    assert matrix[3, 0] == pytest.approx(-y / tap, rel=1e-14)
    assert matrix[5, 5] == pytest.approx(1 / (0.03 + 0.02j), rel=1e-14)
    # bus 0: branch 0 and the transformer, whose charging is behind the tap
    expected = 1 / (0.01 + 0.04j) + (y + 0.001 - 0.004j) / 0.975**2
    assert matrix[0, 0] == pytest.approx(expected, rel=1e-14)


def test_admittance_matrix_in_a_trace_equals_that_on_the_host(float64):
    net = meshed()
    traced = jax.jit(admittance_matrix)(net)
    np.testing.assert_allclose(traced, admittance_matrix(net), rtol=1e-14)


def test_real_form_is_the_map_it_says():
    rng = np.random.default_rng(0)
    linear = rng.normal(size=(5, 5)) + 1j * rng.normal(size=(5, 5))
    conjugate, x = rng.normal(size=(2, 5)) + 1j * rng.normal(size=(2, 5))
    out = real_form(linear, conjugate) @ np.concatenate([x.real, x.imag])
    np.testing.assert_allclose(out[:5] + 1j * out[5:], linear @ x + conjugate * np.conj(x), atol=1e-12)


def test_nominal_state_is_a_solution(shipped):
    admittance = admittance_matrix(shipped)
    nominal = solve_nominal(shipped, admittance)
    drawn = nominal.voltage * np.conj(admittance @ nominal.voltage)
    free = shipped.free_buses
    np.testing.assert_allclose(drawn[free], shipped.nominal_injection[free], atol=1e-9)
    np.testing.assert_array_equal(nominal.voltage[list(shipped.slack_buses)], shipped.slack_voltage)


def test_a_network_that_cannot_carry_its_load_starts_from_a_lighter_one():
    net = meshed()
    heavy = dataclasses.replace(net, nominal_injection=net.nominal_injection * 30)
    nominal = solve_nominal(heavy, admittance_matrix(heavy))
    assert np.isfinite(nominal.voltage).all()
    assert np.abs(nominal.voltage).min() > 0.5
    drawn = nominal.voltage * np.conj(admittance_matrix(heavy) @ nominal.voltage)
    np.testing.assert_allclose(drawn[net.free_buses], nominal.injection[net.free_buses], atol=1e-10)


def test_in_a_trace_too(float64):
    net = meshed()
    heavy = dataclasses.replace(net, nominal_injection=net.nominal_injection * 30)
    nominal = jax.jit(lambda n: solve_nominal(n, admittance_matrix(n)))(heavy)
    drawn = nominal.voltage * jnp.conj(admittance_matrix(heavy) @ nominal.voltage)
    np.testing.assert_allclose(drawn[net.free_buses], 0.0, atol=1e-9)
