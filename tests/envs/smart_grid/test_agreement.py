"""Transfers happen as far as both agree, and what leaves one arrives at the other."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridjax.envs.smart_grid.agreement import Transfers, agree, covered_shortage
from gridjax.envs.smart_grid.neighbours import neighbour_slots

# three agents in a row: 0 - 1 - 2, the ends with one padded slot
NEIGHBOUR = jnp.array([[1, -1], [0, 2], [1, -1]])
REVERSE = jnp.array([[0, 0], [0, 0], [1, 0]])


def test_by_hand():
    action = jnp.array([[1.0, 1.0], [-0.5, -0.25], [0.5, -1.0]])
    able_to_send, able_to_take = jnp.array([3.0, 9.0, 8.0]), jnp.array([7.0, 10.0, 7.0])
    found = agree(action, able_to_send, able_to_take, NEIGHBOUR, REVERSE)
    # 0 offers 3 of which 1 asks 5; 2 offers 4 of which 1 asks 2.5; 1 takes 5 in all; padded slots do nothing
    scale = 5.0 / 5.5
    np.testing.assert_allclose(found.sent, [[3.0 * scale, 0.0], [0.0, 0.0], [2.5 * scale, 0.0]], rtol=1e-6)
    np.testing.assert_allclose(
        found.received, [[0.0, 0.0], [3.0 * scale, 2.5 * scale], [0.0, 0.0]], rtol=1e-6
    )
    np.testing.assert_allclose(found.net, [-3.0 * scale, 5.0, -2.5 * scale], rtol=1e-6)


def test_two_who_offer_or_two_who_ask_exchange_nothing():
    able = jnp.full(3, 5.0)
    for sign in (1.0, -1.0):
        found = agree(jnp.full((3, 2), sign), able, able, NEIGHBOUR, REVERSE)
        assert not found.sent.any()
        assert not found.received.any()


def test_no_more_is_given_in_all_than_the_largest_offer():
    neighbour, reverse = jnp.array([[1, 2], [0, -1], [0, -1]]), jnp.array([[0, 0], [0, 0], [1, 0]])
    action = jnp.array([[1.0, 1.0], [-1.0, 0.0], [-1.0, 0.0]])
    found = agree(action, jnp.array([4.0, 0.0, 0.0]), jnp.array([0.0, 9.0, 1.0]), neighbour, reverse)
    # 4 to the first and 1 to the second are wanted of 4
    np.testing.assert_allclose(found.sent[0], [3.2, 0.8], rtol=1e-6)
    np.testing.assert_allclose(found.received[:, 0], [0.0, 3.2, 0.8], rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_antisymmetric_to_the_last_bit_and_within_ability(seed):
    rng = np.random.default_rng(seed)
    n, slots = 12, 4
    neighbour, reverse = neighbour_slots(_distance(rng, n), slots)
    action = rng.uniform(-1, 1, (n, slots)).astype(np.float32)
    send, take = rng.uniform(0, 5, (2, n)).astype(np.float32)
    found = agree(jnp.asarray(action), jnp.asarray(send), jnp.asarray(take), neighbour, reverse)
    sent, received = np.asarray(found.sent), np.asarray(found.received)
    for i, k in np.argwhere(neighbour >= 0):
        assert sent[i, k] == received[neighbour[i, k], reverse[i, k]]
    assert (sent * received == 0).all()
    assert (sent.sum(axis=1) <= send * (1 + 1e-6)).all()
    assert (received.sum(axis=1) <= take * (1 + 1e-6)).all()
    np.testing.assert_allclose(found.net.sum(), 0.0, atol=1e-5)


def _distance(rng, n):
    point = rng.uniform(size=(n, 2))
    return np.linalg.norm(point[:, None] - point[None], axis=-1)


def test_cooperation_is_the_share_of_real_shortage_covered():
    zero = jnp.zeros((3, 2))
    transfers = Transfers(zero.at[0, 0].set(3.0).at[2, 0].set(1.0), zero.at[1, 0].set(3.0).at[1, 1].set(1.0))

    def bonus(shortage):
        found = covered_shortage(
            transfers, jnp.array([0.0, shortage, 0.0]), jnp.float32(0.5), NEIGHBOUR, REVERSE
        )
        return np.asarray(found)

    np.testing.assert_allclose(bonus(8.0), [3 / 8, 0.0, 1 / 8], rtol=1e-5)
    # more than is lacking earns no more, and shared in proportion
    np.testing.assert_allclose(bonus(2.0), [0.75, 0.0, 0.25], rtol=1e-5)
    # no shortage, no bonus; crumbs are worth crumbs
    assert not bonus(0.0).any()
    np.testing.assert_allclose(bonus(0.05).sum(), 0.1, rtol=1e-5)


def test_the_work_grows_with_slots_not_with_pairs():
    n, slots = 500, 4
    shapes = [jax.ShapeDtypeStruct(s, d) for s, d in (((n, slots), "float32"), ((n,), "float32"))]
    table = jax.ShapeDtypeStruct((n, slots), "int32")
    traced = jax.make_jaxpr(agree)(shapes[0], shapes[1], shapes[1], table, table)
    assert max(v.aval.size for e in traced.jaxpr.eqns for v in e.outvars) <= 3 * n * slots
