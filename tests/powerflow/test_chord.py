import jax
import jax.numpy as jnp
import numpy as np

from gridjax.powerflow import prepare, solve
from gridjax.powerflow.chord import iterate, pack, unpack
from tests.powerflow.conftest import states


def test_pack_and_unpack_are_inverse():
    value = jnp.array([[1 + 2j, 3 - 1j]], jnp.complex64)
    np.testing.assert_array_equal(unpack(pack(value)), value)


def test_the_solution_is_a_fixed_point(mesh, float64):
    injection = states(mesh, 5)
    chord = prepare(mesh, "chord", "dense")
    flow = solve(mesh, injection, "newton")
    change = pack(jnp.asarray(injection - chord.nominal.injection))
    free = np.isin(np.arange(mesh.n_bus), mesh.free_buses)
    e = pack(jnp.where(free, flow.voltage / chord.nominal.voltage - 1.0, 0.0))
    np.testing.assert_allclose(iterate(chord, change, e), e, atol=1e-9)


def test_slack_rows_never_move(mesh):
    chord = prepare(mesh, "chord", "dense")
    change = jnp.ones(2 * mesh.n_bus)
    out = unpack(iterate(chord, change, jnp.zeros(2 * mesh.n_bus)))
    np.testing.assert_array_equal(out[jnp.array(mesh.slack_buses)], 0.0)


def test_iterates_stay_bounded_whatever_the_load(shipped):
    chord = prepare(shipped, "chord", "dense")
    change = 1e4 * pack(jnp.asarray(states(shipped, 8), jnp.complex64))
    e = jax.lax.fori_loop(0, 20, lambda _, e: iterate(chord, change, e), jnp.zeros_like(change))
    assert jnp.isfinite(e).all()
    assert jnp.abs(e).max() <= 2.0
