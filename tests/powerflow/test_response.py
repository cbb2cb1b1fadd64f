import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.powerflow import prepare, solve
from gridjax.powerflow.case import Case
from gridjax.powerflow.chord import precondition
from gridjax.powerflow.deviation import system_of
from gridjax.powerflow.equations import residual
from gridjax.powerflow.response import respond
from tests.powerflow.conftest import states


@pytest.fixture(scope="module")
def response():
    from tests.powerflow.conftest import meshed

    with jax.enable_x64(True):
        mesh = meshed()
        chord = prepare(mesh, "chord")
        injection = jnp.asarray(states(mesh, 1))
        deviation = solve(mesh, injection).deviation
        system = system_of(mesh, chord.nominal, Case(injection))

        def run(packed):
            rhs = jax.lax.complex(packed[:6], packed[6:])[None]
            x = respond(system, deviation, lambda r: precondition(chord, deviation, r), rhs)[0]
            return jnp.concatenate([x.real, x.imag])

        yield mesh, system, deviation, jax.jit(run)


def test_it_solves_the_linearised_equations(response, float64):
    mesh, system, deviation, run = response

    def equations(packed):
        out = residual(system, deviation + jax.lax.complex(packed[:6], packed[6:])[None])[0]
        return jnp.concatenate([out.real, out.imag])

    jacobian = jax.jacfwd(equations)(jnp.zeros(12))
    free = np.concatenate([mesh.free_buses, mesh.free_buses + 6])
    inverse = np.zeros((12, 12))
    inverse[np.ix_(free, free)] = np.linalg.inv(np.asarray(jacobian)[np.ix_(free, free)])
    found = jax.vmap(run)(jnp.eye(12)).T
    np.testing.assert_allclose(found, inverse, atol=1e-12)


def test_its_transpose_is_the_adjoint(response, float64):
    *_, run = response
    forward = jax.vmap(run)(jnp.eye(12)).T
    backward = jax.vmap(jax.linear_transpose(run, jnp.zeros(12)))(jnp.eye(12))[0]
    np.testing.assert_allclose(forward, backward, atol=1e-12)
