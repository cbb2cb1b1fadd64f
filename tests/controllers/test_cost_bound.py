"""The bound by hand, and against what the environment charges."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.controllers import cost_bound, peer_to_peer, prosumer_rule
from gridjax.devices import Battery


def of(capacity=4.0, power=2.0, wear=0.01):
    return Battery(*(np.array([x]) for x in (capacity, power, 0.9, 0.8, 0.0, wear)))


def bound(**changes):
    given = {
        "demand": [[0.0], [2.0]],
        "sun": [[0.0], [0.0]],
        "buy": [0.1, 0.5],
        "sell": [0.05, 0.05],
        "battery": of(),
        "energy": [0.0],
        "stored_price": 0.0,
        "hours": 1.0,
    }
    return cost_bound(**(given | changes))


def test_arbitrage_by_hand():
    # two hours: charge 2 kW for 0.2 EUR, which gives 1.44 kWh; the other 0.56 kWh cost 0.5 each
    assert bound() == pytest.approx(0.2 + 0.56 * 0.5 + 0.01 * (2 + 1.44))


def test_without_battery_it_is_the_bill():
    assert bound(battery=of(0.0, 0.0)) == pytest.approx(1.0)
    assert bound(battery=of(0.0, 0.0), sun=[[3.0], [0.0]]) == pytest.approx(1.0 - 0.15)


def test_what_is_left_in_the_battery_is_worth_its_price():
    idle = bound(demand=[[0.0], [0.0]], energy=[3.0], stored_price=0.3)
    # sold it would bring 0.05; charging at 0.1 for 0.3 pays while there is room: 1 kWh
    assert idle == pytest.approx(-0.3 + 1 / 0.9 * 0.11, rel=1e-6)


def test_bad_prices_are_named():
    with pytest.raises(ValueError, match="sell is"):
        bound(sell=[0.2, 0.2])


def test_no_rule_passes_it(community, day):
    env, params = community
    state, keys = day

    @jax.jit
    def run(state):
        def step(state, key):
            out = env.transition(key, state, prosumer_rule(peer_to_peer(), env, state, params), params)
            m = out.metrics
            spent = m["paid_grid"] + m["wear"] - m["stored_value"]
            return out.state, (state.now, jnp.sum(spent))

        return jax.lax.scan(step, state, keys)[1]

    now, spent = run(state)
    least = cost_bound(
        now.demand,
        now.sun,
        now.buy,
        now.sell,
        params.households.battery,
        state.energy,
        float(params.stored_price),
    )
    assert least < float(spent.sum())
    assert least > float(spent.sum()) - 0.6 * float(np.abs(spent).sum())
