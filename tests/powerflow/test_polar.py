import dataclasses
import functools
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pandapower.networks as cases
import pytest

from gridjax.calibration import from_pandapower
from gridjax.powerflow import newton
from gridjax.powerflow.case import Case
from gridjax.powerflow.equations import equations, residual
from gridjax.powerflow.polar import find, precondition, prepare_polar
from tests.powerflow.conftest import meshed


@functools.cache
def controlled(name: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandapower's own tables are older than its code
        return from_pandapower(getattr(cases, name)())[0]


def injections(net, number: int, seed: int = 0) -> np.ndarray:
    """Loads and generation times U[0.6, 1.3], complex `[number, n_bus]`."""
    scale = np.random.default_rng(seed).uniform(0.6, 1.3, (number, net.n_bus))
    return net.nominal_injection * scale


def solved(net, injection, tolerance=1e-11, **given):
    polar = prepare_polar(net)
    case = Case(jnp.asarray(injection), **given)
    run = jax.jit(lambda polar, case: find(polar, case, None, tolerance, 40))
    return polar, case, run(polar, case)


def left(net, polar, case, deviation) -> float:
    system = equations(net, polar.nominal, case.injection)
    return float(jnp.max(jnp.abs(jax.jit(residual)(system, deviation))))


@pytest.mark.parametrize("name", ["case14", "case_ieee30", "case118"])
def test_it_solves_the_equations(name, float64):
    net = controlled(name)
    polar, case, found = solved(net, injections(net, 20))
    assert (found.error < 1e-11).all()
    assert found.iterations.max() < 15
    assert left(net, polar, case, found.state) < 1e-8
    np.testing.assert_array_equal(found.state[:, np.array(net.slack_buses)], 0.0)


def test_at_nominal_there_is_nothing_to_do(float64):
    net = controlled("case14")
    polar = prepare_polar(net)
    found = jax.jit(lambda p, s: find(p, Case(s), None, 1e-10, 40))(
        polar, jnp.asarray(polar.nominal.injection)[None]
    )
    np.testing.assert_allclose(found.state, 0.0, atol=1e-12)
    assert found.iterations[0] == 1


def test_without_voltage_controlled_buses(float64):
    net = meshed()
    polar, case, found = solved(net, injections(net, 10))
    assert (found.error < 1e-11).all()
    assert left(net, polar, case, found.state) < 1e-9


def test_single_precision_agrees_with_double():
    net = controlled("case118")
    injection = injections(net, 20)
    with jax.enable_x64(True):
        exact = np.asarray(solved(net, injection)[2].state)
    found = solved(net, injection.astype(np.complex64), 1e-6)[2]
    assert found.state.dtype == jnp.complex64
    np.testing.assert_allclose(found.state, exact, atol=1e-6)


def test_set_points_per_scenario(float64):
    net = controlled("case14")
    injection = injections(net, 4)
    target = net.pv_voltage + np.linspace(-0.03, 0.03, 4)[:, None]
    polar, case, found = solved(net, injection, pv_voltage=jnp.asarray(target))
    rows = np.array(net.pv_buses)
    np.testing.assert_allclose(np.abs(polar.nominal.voltage * (1 + found.state))[:, rows], target, atol=1e-10)
    for k in range(4):
        moved = dataclasses.replace(net, pv_voltage=target[k])
        system = equations(moved, polar.nominal, case.injection[k : k + 1])
        assert jnp.max(jnp.abs(jax.jit(residual)(system, found.state[k : k + 1]))) < 1e-8


def test_voltage_dependent_loads(float64):
    net = controlled("case14")
    part = 0.3 * net.nominal_injection
    net = dataclasses.replace(net, constant_current=part, constant_impedance=0.5 * part)
    polar = prepare_polar(net)
    injection = jnp.asarray(injections(net, 6))
    system = equations(net, polar.nominal, injection)
    own = [jnp.broadcast_to(x, injection.shape) for x in (net.constant_current, net.constant_impedance)]
    found = jax.jit(lambda p, c: find(p, c, None, 1e-11, 40))(polar, Case(injection, *own))
    assert (found.error < 1e-11).all()
    assert jnp.max(jnp.abs(jax.jit(residual)(system, found.state))) < 1e-8


def test_a_scenario_does_not_depend_on_its_batch(float64):
    net = controlled("case14")
    injection = injections(net, 8)
    alone = solved(net, injection)[2]
    injection[3] *= 30.0
    beside = solved(net, injection)[2]
    assert not beside.error[3] < 1e-11
    others = np.arange(8) != 3
    np.testing.assert_array_equal(alone.state[others], beside.state[others])
    np.testing.assert_array_equal(alone.iterations[others], beside.iterations[others])


@pytest.mark.parametrize("scale", [1e2, 1e6, 1e30])
def test_nothing_is_infinite_whatever_the_load(scale):
    net = controlled("case14")
    injection = (scale * injections(net, 6)).astype(np.complex64)
    found = solved(net, injection, 1e-6)[2]
    assert jnp.isfinite(found.state).all()
    assert not (found.error < 1e-6).any()


def test_a_warm_start_needs_fewer_iterations(float64):
    net = controlled("case_ieee30")
    polar, case, found = solved(net, injections(net, 6))
    again = jax.jit(lambda p, c, e: find(p, c, e, 1e-11, 40))(polar, case, found.state)
    np.testing.assert_allclose(again.state, found.state, atol=1e-11)
    assert (again.iterations < found.iterations).all()


def test_in_a_trace_as_on_the_host(float64):
    net = controlled("case14")
    injection = jnp.asarray(injections(net, 3))
    host = solved(net, injection)[2]
    traced = jax.jit(lambda n, s: find(prepare_polar(n), Case(s), None, 1e-11, 40))(net, injection)
    np.testing.assert_allclose(traced.state, host.state, atol=1e-10)


def test_the_preconditioner_inverts_at_the_nominal_state(float64):
    net = controlled("case14")
    polar = prepare_polar(net)
    system = equations(net, polar.nominal, jnp.asarray(polar.nominal.injection)[None])
    rng = np.random.default_rng(0)
    free = np.isin(np.arange(net.n_bus), net.free_buses)
    x = jnp.where(
        free, jnp.asarray(rng.normal(size=(1, net.n_bus)) + 1j * rng.normal(size=(1, net.n_bus))), 0
    )
    zero = jnp.zeros_like(x)
    _, image = jax.jit(lambda x: jax.jvp(lambda e: residual(system, e), (zero,), (x,)))(x)
    answer = jax.jit(precondition)(polar, zero, image)
    np.testing.assert_allclose(answer, x, atol=1e-4)


def test_agrees_with_newton(float64):
    net = controlled("case118")
    polar, case, found = solved(net, injections(net, 5), 1e-11)
    system = equations(net, polar.nominal, case.injection)
    exact = newton.find(
        newton.around(net, polar.nominal), system, jnp.zeros_like(found.state), 1e-12, 20, False
    )
    np.testing.assert_allclose(found.state, exact.deviation, atol=1e-9)
