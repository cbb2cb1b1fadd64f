import dataclasses

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax import network
from gridjax.network import BusIndex
from gridjax.powerflow import Status, prepare, solve
from gridjax.powerflow.nominal import admittance_matrix
from tests.powerflow.conftest import meshed, states


def test_published_base_case(float64):
    """Baran and Wu 1989: lowest voltage 0.91309 p.u., losses 202.68 kW."""
    net = network.get("case33bw")
    flow = solve(net, net.nominal_injection)
    assert float(jnp.abs(flow.voltage).min()) == pytest.approx(0.91309, abs=5e-6)
    assert float(flow.losses * net.base_mva * 1e3) == pytest.approx(202.68, abs=5e-3)


def test_leading_axes_are_scenarios(mesh):
    injection = states(mesh, 6).reshape(2, 3, -1).astype(np.complex64)
    flow = solve(mesh, injection)
    assert flow.voltage.shape == (2, 3, mesh.n_bus)
    assert flow.status.shape == flow.losses.shape == (2, 3)
    assert flow.slack_power.shape == (2, 3, 2)
    alone = solve(mesh, injection[1, 2])
    np.testing.assert_allclose(flow.voltage[1, 2], alone.voltage, atol=1e-6)
    mapped = jax.vmap(jax.vmap(lambda s: solve(mesh, s).voltage))(injection)
    np.testing.assert_allclose(mapped, flow.voltage, atol=1e-6)


def test_wrong_shape_says_what_was_expected(mesh):
    with pytest.raises(ValueError, match=r"injection has shape \(5,\), expected \[\.\.\., 6\]"):
        solve(mesh, np.zeros(5))


def test_a_diverged_scenario_does_not_touch_its_batch(shipped):
    injection = np.array(states(shipped, 6), np.complex64)
    clean = solve(shipped, injection)
    injection[1] *= 100.0
    injection[2, -1] = np.nan
    injection[3, -1] = np.inf
    flow = solve(shipped, injection)
    assert flow.status[1] in (Status.COLLAPSED, Status.ITERATION_LIMIT)
    assert flow.status[2] == flow.status[3] == Status.NOT_FINITE
    for leaf in jax.tree.leaves(flow):
        assert np.isfinite(leaf).all()
    kept = np.array([0, 4, 5])
    np.testing.assert_array_equal(flow.status[kept], Status.CONVERGED)
    np.testing.assert_array_equal(flow.voltage[kept], clean.voltage[kept])


@pytest.mark.parametrize("method", ["chord", "newton"])
def test_no_iteration_reports_a_limit(mesh, method):
    flow = solve(mesh, mesh.nominal_injection * 1.3, method, max_iterations=1)
    assert flow.status == Status.ITERATION_LIMIT
    assert flow.iterations == 1


def test_a_warm_start_saves_iterations(mesh, float64):
    first = solve(mesh, mesh.nominal_injection * 2.5)
    again = solve(mesh, mesh.nominal_injection * 2.501, start=first.deviation)
    cold = solve(mesh, mesh.nominal_injection * 2.501)
    assert again.iterations < cold.iterations
    np.testing.assert_allclose(again.voltage, cold.voltage, atol=1e-9)


@pytest.fixture(scope="module")
def solved():
    net = meshed()
    solver = prepare(net)
    return net, jax.jit(lambda s: solve(net, s, solver=solver)), admittance_matrix(net)


@hypothesis.settings(max_examples=40, deadline=None)
@hypothesis.given(st.integers(0, 2**31), st.floats(0.0, 2.0))
def test_power_balances_at_every_bus(solved, seed, scale):
    net, run, admittance = solved
    rng = np.random.default_rng(seed)
    injection = scale * 0.3 * (rng.normal(size=net.n_bus) + 1j * rng.normal(size=net.n_bus))
    with jax.enable_x64(True):
        flow = run(injection)
        hypothesis.assume(bool(flow.converged))
    voltage = np.asarray(flow.voltage)
    drawn = voltage * np.conj(admittance @ voltage)
    slack = list(net.slack_buses)
    expected = injection.copy()
    expected[slack] += np.asarray(flow.slack_power)
    np.testing.assert_allclose(drawn, expected, atol=1e-8)
    losses = float(np.asarray(flow.losses))
    assert losses >= 0.0
    shunts = np.sum(net.shunt.real * np.abs(voltage) ** 2)
    np.testing.assert_allclose(losses + shunts, expected.real.sum(), atol=1e-8)


def test_the_order_of_buses_does_not_matter(mesh, float64):
    order = np.array([3, 0, 5, 1, 4, 2])  # new row k is old row order[k]
    place = np.argsort(order)
    shuffled = dataclasses.replace(
        mesh,
        **{
            name: getattr(mesh, name)[order]
            for name in ("base_kv", "shunt", "nominal_injection", "coordinates")
        },
        from_bus=place[mesh.from_bus],
        to_bus=place[mesh.to_bus],
        slack_buses=tuple(int(place[bus]) for bus in mesh.slack_buses),
        bus_index=BusIndex({k: int(place[k]) for k in range(6)}),
    )
    injection = states(mesh, 4)
    expected, flow = solve(mesh, injection), solve(shuffled, injection[:, order])
    np.testing.assert_allclose(flow.voltage, expected.voltage[:, order], atol=1e-10)
    np.testing.assert_allclose(flow.slack_power, expected.slack_power, atol=1e-9)


LEAVES = ("resistance", "reactance", "tap_ratio", "phase_shift")


@pytest.mark.parametrize("method", ["chord", "newton"])
@pytest.mark.parametrize("name", ["meshed", "case33bw"])
def test_gradients_of_losses_match_finite_differences(name, method, float64):
    """In injections and line parameters, reverse and forward, relative 1e-6."""
    net = meshed() if name == "meshed" else network.get(name)
    injection = jnp.asarray(states(net, 1, seed=3)[0])
    rng = np.random.default_rng(1)

    def total(active, reactive, leaves, slack):
        changed = dataclasses.replace(net, slack_voltage=slack, **leaves)
        return solve(changed, active + 1j * reactive, method, tolerance=1e-13).losses

    at = (
        injection.real,
        injection.imag,
        {leaf: jnp.asarray(getattr(net, leaf)) for leaf in LEAVES},
        jnp.asarray(net.slack_voltage.real),
    )
    value = jax.jit(total)
    gradient = jax.jit(jax.grad(total, argnums=(0, 1, 2, 3)))(*at)
    for k, part in enumerate(jax.tree.leaves(at)):
        scale = np.where(np.abs(part) > 0, np.abs(part), 0.1)
        direction = scale * rng.uniform(0.5, 1.5, part.shape)
        h = 1e-4

        def moved(step, k=k, direction=direction):
            leaves = jax.tree.leaves(at)
            leaves[k] = leaves[k] + step * direction
            return value(*jax.tree.unflatten(jax.tree.structure(at), leaves))

        # fourth-order central difference
        difference = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)
        slope = jnp.vdot(jax.tree.leaves(gradient)[k], direction)
        np.testing.assert_allclose(slope, difference, rtol=1e-6, atol=1e-10)
    ones = jax.tree.map(jnp.ones_like, at)
    forward = jax.jit(lambda *p: jax.jvp(total, p, ones)[1])(*at)
    reverse = sum(jnp.sum(g) for g in jax.tree.leaves(gradient))
    np.testing.assert_allclose(forward, reverse, rtol=1e-8)


def test_gradients_under_vmap_and_in_a_batch(mesh, float64):
    injection = jnp.asarray(states(mesh, 5))
    solver = prepare(mesh)

    def total(s_re, s_im):
        return solve(mesh, s_re + 1j * s_im, solver=solver).losses

    single = jnp.stack([jax.grad(total)(s.real, s.imag) for s in injection])
    mapped = jax.jit(jax.vmap(jax.grad(total)))(injection.real, injection.imag)
    batched = jax.grad(lambda p: jnp.sum(total(p, injection.imag)))(injection.real)
    np.testing.assert_allclose(mapped, single, rtol=1e-9)
    np.testing.assert_allclose(batched, single, rtol=1e-9)


def test_second_derivatives(mesh, float64):
    injection = jnp.asarray(states(mesh, 1)[0])
    solver = prepare(mesh)

    def total(active):
        return solve(mesh, active + 1j * injection.imag, solver=solver, tolerance=1e-13).losses

    hessian = jax.jit(jax.hessian(total))(injection.real)
    h, bump = 1e-4, jnp.zeros(6).at[2].set(1.0)
    grad = jax.jit(jax.grad(total))
    difference = (grad(injection.real + h * bump) - grad(injection.real - h * bump)) / (2 * h)
    np.testing.assert_allclose(hessian[2], difference, rtol=1e-5, atol=1e-8)


def test_a_diverged_scenario_has_finite_gradients(mesh):
    injection = np.stack([mesh.nominal_injection, mesh.nominal_injection * 100]).astype(np.complex64)
    grad = jax.grad(lambda p: jnp.sum(solve(mesh, p + 1j * injection.imag).losses))(injection.real)
    assert jnp.isfinite(grad).all()
