import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.powerflow import prepare, solve
from gridjax.powerflow.branch import branch_flow, losses
from gridjax.powerflow.chord import pack
from gridjax.powerflow.equations import drawn, equations
from gridjax.powerflow.nominal import admittance_matrix
from tests.powerflow.conftest import states


def test_bus_currents_are_those_of_the_admittance_matrix(mesh, float64):
    injection = jnp.asarray(states(mesh, 4))
    flow = solve(mesh, injection)
    system = equations(mesh, prepare(mesh).nominal, injection)
    current = jnp.conj(drawn(system, flow.deviation) / flow.voltage)
    np.testing.assert_allclose(current, flow.voltage @ admittance_matrix(mesh).T, atol=1e-11)


def test_losses_are_what_enters_and_does_not_leave(mesh, float64):
    flow = solve(mesh, states(mesh, 4))
    nominal = prepare(mesh).nominal
    ends = jnp.sum(flow.power_from + flow.power_to, axis=-1).real
    np.testing.assert_allclose(flow.losses, ends, atol=1e-12)
    np.testing.assert_allclose(losses(mesh, nominal, pack(flow.deviation)), ends, atol=1e-12)


def test_currents_and_powers_agree(mesh, float64):
    flow = solve(mesh, states(mesh, 4))
    v_from = jnp.abs(flow.voltage)[:, mesh.from_bus]
    np.testing.assert_allclose(jnp.abs(flow.power_from), v_from * flow.current_from, atol=1e-12)


def test_float32_losses_keep_their_digits(shipped):
    """Counted from the nominal state, not as differences of stored voltages: POWERFLOW.md, section 4."""
    import jax

    injection = states(shipped, 8)
    with jax.enable_x64(True):
        exact = np.asarray(solve(shipped, injection).losses)
    single = solve(shipped, injection.astype(np.complex64)).losses
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, exact, rtol=5e-5, atol=1e-8)


def test_loading_is_the_worse_end(mesh):
    flow = solve(mesh, mesh.nominal_injection)
    expected = np.maximum(flow.current_from / mesh.rating_from, flow.current_to / mesh.rating_to)
    np.testing.assert_allclose(flow.loading, expected, rtol=1e-6)
    assert flow.loading[1] == 0.0  # unrated


def test_zero_current_has_a_finite_gradient(mesh):
    import jax

    nominal = prepare(mesh).nominal

    def total(e):
        return jnp.sum(branch_flow(mesh, nominal, e + 0j).losses)

    assert jnp.isfinite(jax.grad(total)(jnp.zeros(mesh.n_bus))).all()
    losses = float(solve(mesh, mesh.nominal_injection).losses)
    assert total(jnp.zeros(mesh.n_bus)) == pytest.approx(losses, rel=1e-5)
