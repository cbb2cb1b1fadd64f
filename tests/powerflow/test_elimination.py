"""Elimination against LAPACK."""

import jax
import jax.numpy as jnp
import jax.test_util
import numpy as np
import pytest

from gridjax.powerflow import elimination


@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_agrees_with_numpy(n, float64):
    keys = jax.random.split(jax.random.key(n))
    matrix = jax.random.normal(keys[0], (5, 3, n, n), jnp.float64)
    right = jax.random.normal(keys[1], (5, 3, n), jnp.float64)
    found = jax.jit(elimination.solve)(matrix, right)
    expected = np.linalg.solve(np.asarray(matrix), np.asarray(right)[..., None])[..., 0]
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


def test_pivots_where_a_diagonal_entry_is_zero():
    matrix = jnp.array([[0.0, 2.0, 0.0], [3.0, 0.0, 0.0], [0.0, 1.0, 4.0]])
    np.testing.assert_allclose(elimination.solve(matrix, jnp.array([2.0, 6.0, 9.0])), [2.0, 1.0, 2.0])


def test_a_singular_system_is_not_finite_and_alone_in_that():
    matrix = jnp.stack([jnp.eye(3), jnp.ones((3, 3)), jnp.zeros((3, 3))])
    found = elimination.solve(matrix, jnp.array([1.0, 2.0, 4.0]))
    np.testing.assert_array_equal(found[0], [1.0, 2.0, 4.0])
    assert not np.isfinite(found[1:]).all(axis=-1).any()


def test_every_system_has_the_bits_it_has_alone():
    keys = jax.random.split(jax.random.key(0))
    matrix, right = jax.random.normal(keys[0], (17, 12, 12)), jax.random.normal(keys[1], (17, 12))
    run = jax.jit(elimination.solve)
    together = run(matrix, right)
    np.testing.assert_array_equal(run(matrix[3:4], right[3:4])[0], together[3])
    np.testing.assert_array_equal(jax.jit(jax.vmap(elimination.solve))(matrix, right), together)


def test_derivatives_are_those_of_the_solution(float64):
    keys = jax.random.split(jax.random.key(1))
    matrix, right = (
        jax.random.normal(keys[0], (6, 6), jnp.float64),
        jax.random.normal(keys[1], (6,), jnp.float64),
    )
    jax.test_util.check_grads(elimination.solve, (matrix, right), order=1, modes=("fwd", "rev"), rtol=1e-5)
