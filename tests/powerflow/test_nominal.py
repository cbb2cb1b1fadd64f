import dataclasses
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pandapower as pp
import pandapower.networks as cases
import pytest
from scipy.sparse import csr_matrix

from gridjax.calibration import from_pandapower
from gridjax.powerflow.jacobian import log_polar_jacobian, unknown_buses
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


def test_real_form_is_the_map_it_says(float64):
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


@pytest.mark.parametrize("name", ["case14", "case118", "case300"])
def test_nominal_state_with_voltage_controlled_buses_is_that_of_pandapower(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandapower's own tables are older than its code
        net = getattr(cases, name)()
        pp.runpp(net, calculate_voltage_angles=True, trafo_model="t", tolerance_mva=1e-9, numba=False)
        grid, _ = from_pandapower(net)
    nominal = solve_nominal(grid)
    buses = np.array(list(grid.bus_index))
    result = net.res_bus.loc[buses]
    expected = result.vm_pu * np.exp(1j * np.deg2rad(result.va_degree))
    np.testing.assert_allclose(nominal.voltage[grid.bus_index[buses]], expected, atol=1e-9)
    np.testing.assert_allclose(np.abs(nominal.voltage[list(grid.pv_buses)]), grid.pv_voltage, atol=1e-12)


def controlled_with_dependent_loads():
    net = meshed()
    loads = net.nominal_injection
    return dataclasses.replace(
        net,
        pv_buses=(3,),
        pv_voltage=np.array([1.01]),
        reactive_min=np.array([-np.inf]),
        reactive_max=np.array([np.inf]),
        constant_current=0.2 * loads,
        constant_impedance=0.3 * loads,
    )


def unbalanced(net, nominal):
    size = np.abs(nominal.voltage)
    given = net.nominal_injection + net.constant_current * size + net.constant_impedance * size**2
    return admittance_matrix(net) @ nominal.voltage * np.conj(nominal.voltage) - np.conj(given)


def test_voltage_dependent_loads_are_part_of_the_nominal_state():
    net = controlled_with_dependent_loads()
    nominal = solve_nominal(net)
    left = unbalanced(net, nominal)
    np.testing.assert_allclose(left[net.free_buses].real, 0.0, atol=1e-12)
    np.testing.assert_allclose(left[[1, 2, 4]], 0.0, atol=1e-12)
    assert abs(nominal.voltage[3]) == pytest.approx(1.01, abs=1e-14)


def test_in_a_trace_with_voltage_controlled_buses_too(float64):
    net = controlled_with_dependent_loads()
    host, traced = solve_nominal(net), jax.jit(solve_nominal)(net)
    np.testing.assert_allclose(traced.voltage, host.voltage, atol=1e-12)
    np.testing.assert_allclose(traced.injection, host.injection, atol=1e-11)


def test_the_sparse_jacobian_is_the_dense_one():
    net = controlled_with_dependent_loads()
    v = solve_nominal(net).voltage
    angles, magnitudes = unknown_buses(net)
    product = np.conj(v)[:, None] * admittance_matrix(net) * v
    slope = np.conj(net.constant_current)
    dense = log_polar_jacobian(product, slope, angles, magnitudes, np)
    sparse = log_polar_jacobian(csr_matrix(product), slope, angles, magnitudes, np)
    np.testing.assert_allclose(sparse.toarray(), dense, atol=1e-13)


def test_the_jacobian_is_the_derivative_of_the_powers():
    net = meshed()
    v = solve_nominal(net).voltage
    buses = net.free_buses
    admittance, h = admittance_matrix(net), 1e-6

    def drawn(exponent):
        moved = v * np.exp(exponent)
        power = np.conj(moved) * (admittance @ moved)
        return np.concatenate([power.real[buses], power.imag[buses]])

    directions = [factor * np.eye(net.n_bus)[bus] for factor in (1j, 1.0) for bus in buses]
    columns = [(drawn(h * d) - drawn(-h * d)) / (2 * h) for d in directions]
    product = np.conj(v)[:, None] * admittance * v
    jacobian = log_polar_jacobian(product, np.zeros(net.n_bus), buses, buses, np)
    np.testing.assert_allclose(jacobian, np.stack(columns, axis=1), atol=1e-7)
