"""Operations counted against hand calculation."""

import jax
import jax.numpy as jnp
import pytest

from benchmarks.operations import count

VECTOR, MATRIX = jax.ShapeDtypeStruct((8, 5), jnp.float32), jax.ShapeDtypeStruct((5, 5), jnp.float32)
PRODUCT = 2 * 8 * 5 * 5
ENDS = 4 * (8 * 5 + 5 * 5 + 8 * 5)  # bytes of arguments and result


def test_products_and_elementwise():
    found = count(lambda x, m: x @ m + 1.0, VECTOR, MATRIX, trips=1.0)
    assert found.operations == PRODUCT + 8 * 5
    assert found.moved == 2 * ENDS  # once for the product, once for arguments and result


def test_loops_go_round_as_often_as_said():
    def looped(x, m):
        return jax.lax.while_loop(lambda y: y[0, 0] < 1.0, lambda y: y @ m, x)

    def scanned(x, m):
        return jax.lax.scan(lambda y, _: (y @ m, None), x, length=4)[0]

    assert count(looped, VECTOR, MATRIX, trips=3.0).operations == 3 * PRODUCT
    assert count(scanned, VECTOR, MATRIX, trips=3.0).operations == 4 * PRODUCT


def test_what_is_not_needed_or_a_fallback_does_not_count():
    def function(x, m):
        unused = x @ m @ m
        repaired = jax.lax.while_loop(
            lambda y: jnp.isnan(y[0, 0]), lambda y: jnp.linalg.solve(m, y.T).T.astype(y.dtype), x
        )
        del unused
        return jax.lax.cond(x[0, 0] > 0.0, lambda y: y @ m, lambda y: y @ m @ m, repaired)

    found = count(jax.jit(function), VECTOR, MATRIX, trips=3.0)
    assert PRODUCT <= found.operations == pytest.approx(PRODUCT, abs=20)
