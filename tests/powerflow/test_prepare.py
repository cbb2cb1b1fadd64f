import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.powerflow import prepare, solve
from tests.powerflow.conftest import states


def test_unknown_method_names_the_nearest(mesh):
    with pytest.raises(ValueError, match=r"unknown power flow method 'newtn'; did you mean 'newton'\?"):
        prepare(mesh, "newtn")
    with pytest.raises(ValueError, match="expected one of auto, chord, polar, newton"):
        solve(mesh, mesh.nominal_injection, "zzz")


def test_a_concrete_network_is_prepared_outside_the_program(mesh):
    jaxpr = str(jax.make_jaxpr(lambda s: solve(mesh, s).voltage)(mesh.nominal_injection))
    assert "callback" not in jaxpr


@pytest.mark.parametrize("method", ["chord", "newton"])
def test_a_traced_network_gives_the_same_flow(mesh, method):
    injection = states(mesh, 3).astype(np.complex64)
    expected = solve(mesh, injection, method)
    traced = jax.jit(solve, static_argnames="method")(mesh, injection, method=method)
    np.testing.assert_allclose(traced.voltage, expected.voltage, atol=2e-6)
    np.testing.assert_array_equal(traced.status, 0)


def test_a_traced_network_in_float64(mesh, float64):
    injection = states(mesh, 3)
    traced = jax.jit(solve)(mesh, injection)
    np.testing.assert_allclose(traced.voltage, solve(mesh, injection).voltage, atol=1e-10)


def test_vmap_over_networks(mesh, float64):
    scales = jnp.array([0.8, 1.0, 1.3])

    def voltage(scale):
        return solve(
            dataclasses.replace(mesh, resistance=mesh.resistance * scale), mesh.nominal_injection
        ).voltage

    batch = jax.vmap(voltage)(scales)
    for k, scale in enumerate(scales):
        np.testing.assert_allclose(batch[k], voltage(scale), atol=1e-9)


def test_the_wrong_solver_is_not_called_converged(mesh, float64):
    """The nominal state is checked against the branches, so a matrix of another network cannot pass."""
    other = dataclasses.replace(mesh, resistance=mesh.resistance * 2)
    flow = solve(mesh, mesh.nominal_injection * 1.2, solver=prepare(other))
    assert not flow.converged
    assert flow.mismatch > 1e-3
