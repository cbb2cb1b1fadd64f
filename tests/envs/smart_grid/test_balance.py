"""Settlement by hand, and the energy balance whatever is asked for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridjax.devices import Battery
from gridjax.envs.smart_grid.balance import ability, settle

HOURS = 0.25


def pile(capacity, power=4.0):
    return Battery(*(jnp.asarray(x, jnp.float32) for x in (capacity, power, 1.0, 1.0, 0.0, 0.0)))


@jax.jit
def outcome(demand, sun, energy, received, trade, connection, inverter, connected):
    able = ability(demand, sun, pile(10.0), energy, inverter, connection, HOURS)
    received = jnp.clip(received, -able.send, able.take)
    return able, received, settle(demand, sun, able, received, trade, connection, connected)


def case(demand, sun=0.0, energy=5.0, received=0.0, trade=0.0, connection=6.0, inverter=8.0, connected=True):
    numbers = (demand, sun, energy, received, trade, connection, inverter)
    return outcome(*(jnp.float32(x) for x in numbers), jnp.asarray(connected))


# fields of Balance: battery, trade, imbalance, curtailed, unserved
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"demand": 3.0}, [3.0, 0.0, 0.0, 0.0, 0.0]),  # the battery serves
        ({"demand": 5.0}, [4.0, 0.0, 1.0, 0.0, 0.0]),  # its power is short of it
        ({"demand": 3.0, "energy": 0.5}, [2.0, 0.0, 1.0, 0.0, 0.0]),  # its energy is
        ({"demand": 1.0, "sun": 4.0}, [-3.0, 0.0, 0.0, 0.0, 0.0]),  # the sun fills it
        ({"demand": 1.0, "sun": 4.0, "energy": 10.0}, [0.0, 0.0, -3.0, 0.0, 0.0]),  # full: fed in
        ({"demand": 3.0, "trade": 5.0}, [-2.0, 5.0, 0.0, 0.0, 0.0]),  # buying more charges
        ({"demand": 3.0, "trade": -1.0}, [4.0, -1.0, 0.0, 0.0, 0.0]),  # selling discharges
        ({"demand": 0.0, "sun": 12.0, "energy": 10.0}, [0.0, 0.0, -6.0, 6.0, 0.0]),  # inverter 8, cable 6
        ({"demand": 12.0}, [4.0, 0.0, 6.0, 0.0, 2.0]),  # cable and battery are not enough
        ({"demand": 5.0, "connected": False, "trade": 3.0}, [4.0, 0.0, 0.0, 0.0, 1.0]),  # an island
        ({"demand": 0.0, "sun": 6.0, "connected": False}, [-4.0, 0.0, 0.0, 2.0, 0.0]),
        ({"demand": 5.0, "received": 2.0}, [3.0, 0.0, 0.0, 0.0, 0.0]),
        # neighbours come first: what they give is not bought, what they take is not sold
        ({"demand": 5.0, "received": 2.0, "trade": 3.0}, [2.0, 1.0, 0.0, 0.0, 0.0]),
        ({"demand": 5.0, "received": 2.0, "trade": 1.0}, [3.0, 0.0, 0.0, 0.0, 0.0]),
        ({"demand": 1.0, "sun": 5.0, "received": -3.0, "trade": -4.0}, [0.0, -1.0, 0.0, 0.0, 0.0]),
        ({"demand": 1.0, "sun": 5.0, "received": -3.0, "trade": -2.0}, [-1.0, 0.0, 0.0, 0.0, 0.0]),
        # but a wish in the other direction stands
        ({"demand": 5.0, "received": 2.0, "trade": -1.0}, [4.0, -1.0, 0.0, 0.0, 0.0]),
    ],
)
def test_by_hand(given, expected):
    _, _, found = case(**given)
    got = [found.battery, found.trade, found.imbalance, found.curtailed, found.unserved]
    np.testing.assert_allclose([float(x) for x in got], expected, atol=1e-5)


power = st.floats(0.0, 15.0, width=32)


@settings(max_examples=300, deadline=None)
@given(
    power, power, st.floats(0.0, 10.0, width=32), st.floats(-15, 15, width=32), st.floats(-15, 15, width=32),
    power, power, st.booleans(),
)  # fmt: skip
def test_the_balance_closes(demand, sun, energy, received, trade, connection, inverter, connected):
    able, received, found = case(demand, sun, energy, received, trade, connection, inverter, connected)
    left = sun - found.curtailed + found.battery + received + found.exchange - (demand - found.unserved)
    assert abs(float(left)) < 1e-5
    assert 0.0 <= float(found.curtailed) <= sun + 1e-5
    assert 0.0 <= float(found.unserved) <= demand + 1e-5
    assert -float(able.charge) <= float(found.battery) <= float(able.discharge)
    assert abs(float(found.drawn)) <= connection + 1e-5
    assert abs(sun - float(found.curtailed) + float(found.battery)) <= inverter + 1e-5
    if not connected:
        assert float(found.exchange) == 0.0
    # nothing is unserved while there is something left to take it from
    if float(found.unserved) > 1e-4:
        assert float(found.battery) == pytest.approx(float(able.discharge), abs=1e-5)
        assert not connected or float(found.drawn) == pytest.approx(connection, abs=1e-5)
