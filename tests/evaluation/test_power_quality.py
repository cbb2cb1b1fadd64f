"""EN 50160 by hand."""

import numpy as np
import pytest

from gridjax.evaluation.power_quality import en50160_frequency, en50160_voltage

NAN = float("nan")


def test_voltage_by_hand():
    # weeks of 7 steps of a day, two buses
    voltage = np.ones((14, 2))
    voltage[0, 0] = 0.9  # just inside
    voltage[1, 1] = 1.1
    voltage[9, 0] = 0.89
    voltage[10, 1] = 1.12
    found = en50160_voltage(voltage, 24.0)
    assert found == (pytest.approx(5 / 7), 0.0, False)
    assert en50160_voltage(voltage, 24.0, [1]).share == pytest.approx(6 / 7)
    assert en50160_voltage(voltage[:7], 24.0) == (1.0, 0.0, True)


def test_voltage_of_a_week_needs_95_percent():
    # 168 steps of an hour: 8 are 4.8 %, 9 are 5.4 %
    voltage = np.ones((168, 1))
    voltage[:8] = 0.8
    assert en50160_voltage(voltage, 1.0).holds
    voltage[:9] = 0.8
    assert not en50160_voltage(voltage, 1.0).holds


def test_voltage_of_broken_weeks():
    voltage = np.ones((9, 1))
    voltage[-1] = 1.2
    # steps 2 to 8 are the last whole week
    assert en50160_voltage(voltage, 24.0).share == pytest.approx(6 / 7)
    assert en50160_voltage(voltage[-3:], 24.0).share == pytest.approx(2 / 3)
    assert en50160_voltage([[1.2]], 24.0) == (0.0, 0.0, False)


def test_dead_buses_are_counted_apart():
    voltage = np.array([[NAN, 1.0], [NAN, NAN], [1.0, 0.8], [1.0, 1.0]])
    found = en50160_voltage(voltage, 24.0)
    assert found == (pytest.approx(2 / 3), pytest.approx(3 / 8), False)
    dead = en50160_voltage(np.full((2, 2), NAN), 24.0)
    assert np.isnan(dead.share)
    assert (dead.dead, dead.holds) == (1.0, True)


def test_frequency_by_hand():
    frequency = [50.0, 50.5, 49.4, 50.0, 51.0, 48.9, 42.5, 42.4]
    islanded = [False] * 4 + [True] * 4
    found = en50160_frequency(frequency, islanded)
    assert found[:4] == (0.75, 0.25, 0.75, 0.0)
    assert found[4:] == (False, False, False)
    assert en50160_frequency(np.multiply(frequency, 1.2), islanded, nominal=60.0) == found


def test_frequency_shares_that_hold():
    frequency, islanded = np.full(400, 50.0), np.arange(400) < 200
    frequency[:10], frequency[200] = 52.0, 51.0
    found = en50160_frequency(frequency, islanded)
    assert found == (0.995, 0.95, 1.0, 0.0, True, True, True)
    frequency[10], frequency[201] = 58.0, 49.0
    assert en50160_frequency(frequency, islanded)[4:] == (False, False, False)


def test_frequency_at_the_edges():
    connected = en50160_frequency([50.0, NAN], [False, False])
    assert (connected.connected, connected.dead) == (1.0, 0.5)
    assert np.isnan(connected.islanded)
    assert np.isnan(connected.islanded_wide)
    assert connected[4:] == (True, True, True)
    assert np.isnan(en50160_frequency([NAN], [True]).islanded)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: en50160_voltage([1.0], 1.0), "voltage has shape"),
        (lambda: en50160_voltage([[-1.0]], 1.0), "voltage is -1.0"),
        (lambda: en50160_voltage([[1.0]], 5.0), "hours is 5.0, expected a whole number"),
        (lambda: en50160_voltage([[1.0]], 1.0, [1]), r"buses is \[1\]"),
        (lambda: en50160_voltage([[1.0]], 1.0, []), r"buses is \[\]"),
        (lambda: en50160_frequency([[50.0]], [True]), "frequency has shape"),
        (lambda: en50160_frequency([50.0], [True, False]), "islanded has shape"),
        (lambda: en50160_frequency([np.inf], [True]), "frequency is inf"),
        (lambda: en50160_frequency([50.0], [True], nominal=0.0), "nominal is 0.0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
