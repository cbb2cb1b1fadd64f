import jax
import jax.numpy as jnp
import numpy as np

from gridjax.powerflow import prepare, solve
from gridjax.powerflow.chord import iterate, linear_response, pack, unpack
from tests.powerflow.conftest import states


def test_pack_and_unpack_are_inverse():
    value = jnp.array([[1 + 2j, 3 - 1j]], jnp.complex64)
    np.testing.assert_array_equal(unpack(pack(value)), value)


def test_the_solution_is_a_fixed_point(mesh, float64):
    injection = states(mesh, 5)
    chord = prepare(mesh)
    flow = solve(mesh, injection, "newton")
    change = pack(jnp.asarray(injection - chord.nominal.injection))
    free = np.isin(np.arange(mesh.n_bus), mesh.free_buses)
    e = pack(jnp.where(free, flow.voltage / chord.nominal.voltage - 1.0, 0.0))
    np.testing.assert_allclose(iterate(chord, change, e), e, atol=1e-9)


def test_slack_rows_never_move(mesh):
    chord = prepare(mesh)
    change = jnp.ones(2 * mesh.n_bus)
    out = unpack(iterate(chord, change, jnp.zeros(2 * mesh.n_bus)))
    np.testing.assert_array_equal(out[jnp.array(mesh.slack_buses)], 0.0)


def test_iterates_stay_bounded_whatever_the_load(shipped):
    chord = prepare(shipped)
    change = 1e4 * pack(jnp.asarray(states(shipped, 8), jnp.complex64))
    e = jax.lax.fori_loop(0, 20, lambda _, e: iterate(chord, change, e), jnp.zeros_like(change))
    assert jnp.isfinite(e).all()
    assert jnp.abs(e).max() <= 2.0


def test_linear_response_and_its_transpose(mesh, float64):
    """The response solves the linearised equations; its transpose is the adjoint."""
    chord = prepare(mesh)
    injection = jnp.asarray(states(mesh, 1)[0])
    flow = solve(mesh, injection)
    n = mesh.n_bus

    def respond(packed):
        return pack(linear_response(chord, flow.deviation, injection, unpack(packed), 1e-14))

    matrix = jax.vmap(respond)(jnp.eye(2 * n)).T
    transposed = jax.vmap(jax.linear_transpose(respond, jnp.zeros(2 * n)))(jnp.eye(2 * n))
    np.testing.assert_allclose(matrix, jnp.stack(transposed[0]), atol=1e-10)
    # against a difference quotient of the power flow itself, in the active power of bus 2
    h, bump = 1e-6, jnp.zeros(n).at[2].set(1.0)
    above = solve(mesh, injection + h * bump).deviation
    below = solve(mesh, injection - h * bump).deviation
    moved = (above - below) / (2 * h)
    rhs = bump / (1.0 + jnp.conj(flow.deviation))
    np.testing.assert_allclose(unpack(respond(pack(rhs + 0j))), moved, atol=1e-7)
