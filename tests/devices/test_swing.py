"""The swing equation against scipy's integrator, and droop's equilibrium against a root finder."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from gridjax.devices.swing import Forming, Protection, Start, settle, swing

RATING = np.array([1200.0, 400.0, 1000.0])
UNITS = Forming(
    rating=jnp.array(RATING, jnp.float32),
    inertia=jnp.array([4.0, 4.0, 1.5]),
    droop=jnp.array([0.01, 0.01, 0.03]),
    lag=jnp.array([0.1, 0.1, 0.5]),
)
RELAYS = Protection(
    nominal=jnp.float32(50.0),
    damping=jnp.float32(1.0),
    throttle_from=jnp.float32(50.2),
    throttle=jnp.float32(0.4),
    threshold=jnp.array([48.8, 48.6, 48.4, 48.2]),
    delay=jnp.float32(0.1),
    lowest=jnp.float32(47.0),
    highest=jnp.float32(52.0),
)
SHARES = np.array([1.0, 0.7, 0.4, 0.3, 0.2])  # of the load, by stages shed
ALL = np.ones((3, 3), bool)


def start(load, power, set_point, sun=0.0, together=ALL, lowest=None, highest=None, frequency=50.0) -> Start:
    row = lambda x: jnp.broadcast_to(jnp.asarray(x, jnp.float32), (3,))  # noqa: E731
    return Start(
        together=jnp.asarray(together),
        frequency=row(frequency),
        power=row(power),
        set_point=row(set_point),
        lowest=row([-1200.0, -400.0, 0.0] if lowest is None else lowest),
        highest=row(RATING if highest is None else highest),
        sun=row(sun),
        load=jnp.asarray(SHARES[:, None] * np.broadcast_to(load, (3,)), jnp.float32),
    )


run = jax.jit(partial(swing, UNITS, RELAYS), static_argnames=("seconds", "interval"))


def reference(begin: Start, seconds: float = 10.0):
    """One island of all units by scipy: frequency and power at the end, nadir, stages shed."""
    member = np.asarray(begin.together)[0]
    stored = 2.0 * float(np.sum(np.where(member, np.asarray(UNITS.inertia) * RATING, 0.0))) / 50.0
    p0, low, high = (np.asarray(x, float) for x in (begin.set_point, begin.lowest, begin.highest))
    droop, lag = np.asarray(UNITS.droop, float), np.asarray(UNITS.lag, float)
    loads = np.asarray(begin.load, float)[:, 0]
    sun0 = float(begin.sun[0])

    def rhs(_, y, load):
        f, p = y[0], y[1:]
        sun = sun0 * np.clip(1 - 0.4 * (f - 50.2), 0, 1)
        df = (p[member].sum() + sun - load * (1 + (f - 50) / 50)) / stored
        return np.append(df, (np.clip(p0 - RATING / droop * (f - 50) / 50, low, high) - p) / lag)

    exact = partial(solve_ivp, rhs, method="LSODA", rtol=1e-9, atol=1e-9, max_step=0.02)
    y, t, stage, nadir = np.append(float(begin.frequency[0]), np.asarray(begin.power, float)), 0.0, 0, 50.0
    while t < seconds:
        threshold = float(RELAYS.threshold[stage]) if stage < 4 else -np.inf

        def falls(_, y, load, threshold=threshold):
            return y[0] - threshold

        falls.terminal, falls.direction = True, -1
        if y[0] >= threshold:
            part = exact((t, seconds), y, args=(loads[stage],), events=falls)
        else:  # below: the relay's delay runs, unless frequency returns
            part = exact((t, min(t + 0.1, seconds)), y, args=(loads[stage],))
        nadir = min(nadir, part.y[0].min())
        was_below = y[0] < threshold
        y, t = part.y[:, -1], part.t[-1]
        if was_below and y[0] < threshold and t < seconds:
            stage += 1
        elif not was_below and part.status == 1:
            y = y.copy()
            y[0] -= 1e-12
    return y[0], y[1:], nadir, stage


CASES = {
    "load step": start(load=1500.0, power=[600.0, 200.0, 400.0], set_point=[600.0, 200.0, 400.0]),
    "generator trip": start(
        load=1300.0,
        power=[300.0, 100.0, 0.0],
        set_point=[300.0, 100.0, 0.0],
        together=ALL & np.array([True, True, False]) & np.array([True, True, False])[:, None],
    ),
    "islanding": start(load=1100.0, power=[-300.0, 0.0, 300.0], set_point=[-300.0, 0.0, 300.0], sun=200.0),
    "loss of load": start(
        load=200.0, power=[300.0, 100.0, 500.0], set_point=[300.0, 100.0, 500.0], sun=400.0
    ),
    "units at their limits": start(
        load=1500.0,
        power=[500.0, 300.0, 300.0],
        set_point=[500.0, 300.0, 300.0],
        highest=[700.0, 350.0, 900.0],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_scipy(name):
    begin = CASES[name]
    frequency, power, nadir, stage = reference(begin)
    found = run(begin)
    assert stage == 0
    assert int(found.stage[0]) == 0
    assert float(found.frequency[0]) == pytest.approx(frequency, abs=1e-3)
    assert float(found.nadir[0]) == pytest.approx(nadir, abs=5e-3)
    online = np.asarray(begin.together).any(axis=-1)
    np.testing.assert_allclose(np.asarray(found.power)[online], power[online], atol=0.5)


@pytest.mark.parametrize(("load", "stages"), [(3100.0, 1), (4000.0, 2), (4900.0, 3), (5400.0, 4)])
def test_load_shedding_agrees_with_scipy(load, stages):
    begin = start(load=load, power=[800.0, 300.0, 900.0], set_point=[800.0, 300.0, 900.0])
    frequency, _, nadir, stage = reference(begin)
    assert stage == stages
    fine = run(begin, interval=0.005)
    assert int(fine.stage[0]) == stages
    assert float(fine.nadir[0]) == pytest.approx(nadir, abs=0.05)
    assert float(fine.frequency[0]) == pytest.approx(frequency, abs=5e-3)
    # relays trip at the end of an interval: at the usual one a stage may be spared or added
    coarse = run(begin)
    assert abs(int(coarse.stage[0]) - stages) <= 1
    assert float(coarse.nadir[0]) == pytest.approx(nadir, abs=0.2)


def test_the_first_rate_of_change_is_that_of_the_imbalance():
    begin = CASES["load step"]
    stored = 2.0 * float(np.sum(np.asarray(UNITS.inertia) * RATING)) / 50.0
    assert float(run(begin).rate[0]) == pytest.approx(300.0 / stored, rel=1e-4)


def test_beyond_all_relays_the_island_collapses_and_stays_finite():
    begin = start(load=40_000.0, power=[0.0, 0.0, 0.0], set_point=0.0)
    found = run(begin)
    assert bool(found.collapsed.all())
    assert all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(found))
    assert float(found.frequency[0]) == 47.0
    assert bool(run(start(load=0.0, power=RATING, set_point=RATING, lowest=RATING)).collapsed.all())


def test_islands_do_not_feel_one_another():
    apart = np.array([[True, True, False], [True, True, False], [False, False, True]])
    loads = np.array([700.0, 700.0, 300.0])
    both = run(
        start(load=loads, power=[300.0, 100.0, 200.0], set_point=[300.0, 100.0, 200.0], together=apart)
    )
    alone = np.zeros((3, 3), bool)
    alone[2, 2] = True
    third = run(start(load=300.0, power=[0.0, 0.0, 200.0], set_point=[0.0, 0.0, 200.0], together=alone))
    assert float(both.frequency[2]) == pytest.approx(float(third.frequency[2]), abs=1e-5)
    assert float(both.frequency[0]) == float(both.frequency[1]) != float(both.frequency[2])
    assert float(third.frequency[0]) == 50.0  # no island: at rest


@pytest.mark.parametrize("load", [-900.0, 0.0, 150.0, 700.0, 1300.0, 2400.0])
def test_settled_frequency_is_the_root_of_the_balance(load):
    begin = start(
        load=load, power=0.0, set_point=[100.0, -50.0, 400.0], sun=300.0, lowest=[-1200.0, -400.0, 300.0]
    )
    found = settle(UNITS, RELAYS, begin, begin.load[:1])
    p0, low = np.array([100.0, -50.0, 400.0]), np.array([-1200.0, -400.0, 300.0])
    droop = np.asarray(UNITS.droop, float)

    def surplus(f):
        p = np.clip(p0 - RATING / droop * (f / 50 - 1), low, RATING)
        return p.sum() + 300.0 * np.clip(1 - 0.4 * (f - 50.2), 0, 1) - load

    f = brentq(surplus, 40.0, 60.0, xtol=1e-10)
    assert float(found.frequency[0, 0]) == pytest.approx(np.clip(f, 47.0, 52.0), abs=2e-4)
    supplied = float(found.power[0].sum() + found.sun[0, 0])
    assert supplied == pytest.approx(load, abs=0.5)
    assert float(found.short[0, 0]) == 0.0
    assert float(found.surplus[0, 0]) == pytest.approx(0.0, abs=1e-2)


def test_what_cannot_be_balanced_is_said():
    begin = start(load=4000.0, power=0.0, set_point=0.0, sun=100.0)
    found = settle(UNITS, RELAYS, begin, begin.load[:1])
    assert float(found.short[0, 0]) == pytest.approx(4000.0 - 2600.0 - 100.0, rel=1e-5)
    begin = start(load=100.0, power=0.0, set_point=300.0, lowest=[0.0, 0.0, 300.0])
    found = settle(UNITS, RELAYS, begin, begin.load[:1])
    assert float(found.surplus[0, 0]) == pytest.approx(200.0, rel=1e-5)
    assert float(found.short[0, 0]) == 0.0
