import dataclasses
import warnings
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pandapower.networks as cases
import pytest

from gridjax.calibration import from_pandapower
from gridjax.calibration.reference import random_reference
from gridjax.powerflow import prepare, solve
from gridjax.powerflow.deviation import slack_deviation
from gridjax.powerflow.double import in_double, joined, lost


@pytest.fixture(scope="module")
def case39():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandapower's own tables are older than its code
        net = cases.case39()
        network = from_pandapower(net)[0]
        return network, random_reference(network, net, 48, seed=3)


def test_what_float32_loses_is_kept(float64):
    value = np.random.default_rng(0).normal(size=100) * (1.0 + 1j)
    together = joined(value.astype(np.complex64), lost(value))
    np.testing.assert_allclose(together, value, rtol=1e-13)
    np.testing.assert_array_equal(joined(value, lost(value)), value)


def test_the_work_is_done_in_float64():
    kinds = []

    def third(value):
        kinds.append(value.dtype.name)
        return (1.0 + value * 1e-10) - 1.0

    answer = jax.jit(lambda x: in_double(third, x))(jnp.float32(0.5))
    assert kinds == ["float64"]
    assert answer.dtype == jnp.float32
    assert float(answer) == pytest.approx(5e-11, rel=1e-5)


@pytest.mark.parametrize("first", [False, True])
def test_a_network_serves_programs_of_both_precisions(first, mesh):
    """In either order, while a program lives that holds the network's arrays as constants."""
    net, powers = dataclasses.replace(mesh, base_mva=np.array(10.0)), 0.7 * mesh.nominal_injection
    solver = prepare(net)

    def losses(scale):
        return solve(net, scale * powers.copy(), solver=solver).losses

    found = {}
    programs = {double: jax.jit(lambda scale: losses(scale)) for double in (False, True)}
    for double in (first, not first):
        with jax.enable_x64(double):
            found[double] = programs[double](1.0), solve(net, powers, solver=solver).losses
    for double, pair in found.items():
        for value in pair:
            assert value.dtype == (jnp.float64 if double else jnp.float32)
            assert float(value) == pytest.approx(float(found[True][1]), rel=1e-14 if double else 1e-5)


def test_float32_is_right_near_collapse(case39):
    """States of the published network of which some need thirty iterations, against pandapower's solution."""
    network, reference = case39
    flow = solve(network, reference.injection.astype(np.complex64))
    assert flow.converged.all()
    assert int(jnp.max(flow.iterations)) > 15
    assert np.abs(flow.voltage - reference.voltage).max() < 5e-7
    np.testing.assert_allclose(flow.losses, reference.losses, rtol=5e-7)
    largest = np.abs(reference.power).max()
    assert np.abs(np.stack([flow.power_from, flow.power_to], -1) - reference.power).max() < 1e-6 * largest


@pytest.mark.parametrize("outages", [False, True])
def test_it_compiles_for_accelerators(case39, outages):
    """Without float64 enabled, and without a word: lowering happens where it is not."""
    network, reference = case39
    solver = prepare(network, "polar")
    status = np.ones((48, network.n_branch), np.float32) if outages else None

    def losses(injection):
        return jnp.sum(solve(network, injection + 0j, solver=solver, branch_status=status).losses)

    program = jax.jit(jax.value_and_grad(losses)).trace(reference.injection.real.astype(np.float32))
    for platform in ("cuda", "tpu"):
        assert "f64" in program.lower(lowering_platforms=(platform,)).as_text()


def test_a_slack_bus_at_its_nominal_voltage_does_not_deviate_by_rounding():
    voltage = np.random.default_rng(0).uniform(0.9, 1.1, 500) * np.exp(1j * np.linspace(-3.0, 3.0, 500))

    @jax.jit
    def deviation(voltage):
        network = SimpleNamespace(slack_buses=range(500), slack_voltage=voltage, n_bus=500)
        return slack_deviation(network, SimpleNamespace(voltage=voltage), jnp.complex64)

    np.testing.assert_array_equal(deviation(voltage), 0.0)
