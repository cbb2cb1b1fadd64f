"""Bills by hand; nobody makes money from nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridjax.envs.smart_grid.agreement import Transfers
from gridjax.envs.smart_grid.balance import Balance
from gridjax.envs.smart_grid.money import Prices, idle_bill, payments

PRICES = Prices(jnp.float32(0.30), jnp.float32(0.10), jnp.float32(0.2))
PAIR = jnp.array([[1], [0]])


@jax.jit
def of(trade, imbalance, sent, slope):
    zero = jnp.zeros(2)
    balance = Balance(zero, trade, imbalance, zero, zero, trade + imbalance)
    transfers = Transfers(sent[:, None], sent[::-1][:, None])
    return payments(balance, transfers, PRICES, slope, PAIR, 0.5)


def bill(trade, imbalance, sent=(0.0, 0.0), slope=(0.0, 0.0)):
    return of(*(jnp.asarray(x, jnp.float32) for x in (trade, imbalance, sent, slope)))


def test_grid_by_hand():
    found = bill(trade=(4.0, -4.0), imbalance=(2.0, -2.0))
    np.testing.assert_allclose(found.grid, [0.6 + 0.36, -0.2 - 0.08], rtol=1e-6)
    np.testing.assert_allclose(found.total, found.grid)


def test_a_transfer_by_hand():
    found = bill((0.0, 0.0), (0.0, 0.0), sent=(3.0, 0.0), slope=(0.05, 0.01))
    np.testing.assert_allclose(found.peers, [-0.3, 0.3], rtol=1e-6)  # 1.5 kWh at 0.20
    # 3 kW cause 0.12 kW of losses at the margin: 0.06 kWh at 0.30, half each
    np.testing.assert_allclose(found.losses, [0.009, 0.009], rtol=1e-5)
    relief = bill((0.0, 0.0), (0.0, 0.0), sent=(3.0, 0.0), slope=(0.01, 0.05))
    np.testing.assert_allclose(relief.losses, [-0.009, -0.009], rtol=1e-5)


@settings(max_examples=100, deadline=None)
@given(*[st.floats(-9, 9, width=32)] * 4)
def test_no_schedule_beats_the_truth(first, second, wish_a, wish_b):
    """Whatever is scheduled, what is exchanged in the end costs least when it was scheduled exactly."""
    exact = bill((first, second), (0.0, 0.0)).grid
    wrong = bill((wish_a, wish_b), (first - wish_a, second - wish_b)).grid
    assert (np.asarray(wrong) >= np.asarray(exact) - 1e-5).all()


def test_neighbours_settle_between_feed_in_and_import():
    assert [float(PRICES._replace(peer_share=s).peer) for s in (0.0, 0.5, 1.0)] == pytest.approx(
        [0.1, 0.2, 0.3]
    )


def test_an_idle_bill_by_hand():
    demand, sun = jnp.array([2.0, 1.0, 1.0]), jnp.array([0.0, 3.0, 3.0])
    found = idle_bill(demand, sun, jnp.array([5.0, 5.0, 2.0]), PRICES, 0.5)
    np.testing.assert_allclose(found, [0.3, -0.1, -0.05], rtol=1e-6)  # the last inverter lets 2 kW through


def test_energy_in_a_circle_earns_nothing():
    """Buying, sending on and getting back pays the difference between import and mid-market rate twice."""
    found = bill(trade=(3.0, -3.0), imbalance=(0.0, 0.0), sent=(3.0, 0.0))
    assert float(found.peers.sum()) == pytest.approx(0.0, abs=1e-7)
    assert float(found.total.sum()) == pytest.approx((0.30 - 0.10) * 1.5, rel=1e-5)
