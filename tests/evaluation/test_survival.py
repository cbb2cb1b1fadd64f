"""How one outage goes, by hand."""

from typing import Any

import numpy as np
import pytest

from gridjax.evaluation.survival import survival, trapezoid

NAN = float("nan")
FRACTION: Any = 0.5


def test_survival_of_outages_as_long_as_the_axis():
    served = np.array([[1, 1, 1, 1], [1, 1, 0, 1], [0, 1, 1, 1], [1, 1, 1, 0]], bool)
    # what is served again after a failure is no survival
    np.testing.assert_allclose(survival(served), [0.75, 0.75, 0.5, 0.25])
    np.testing.assert_allclose(survival(served, [4, 4, 4, 4]), survival(served))
    np.testing.assert_array_equal(survival(np.ones((3, 2))), [1.0, 1.0])
    np.testing.assert_array_equal(survival(np.zeros((3, 2))), [0.0, 0.0])
    np.testing.assert_array_equal(survival([[True]], [1]), [1.0])


def test_survival_of_outages_of_different_length():
    # fails in step 1; over after 1; fails in step 3; over after 3
    served = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]], bool)
    # 1 of 4 fails, then 0 of 2, then 1 of 2; nobody gets to a fourth
    np.testing.assert_allclose(survival(served, [4, 1, 4, 3]), [3 / 4, 3 / 4, 3 / 8, NAN])
    # what comes after the end of an outage is not looked at
    np.testing.assert_allclose(
        survival(served | (np.arange(4) >= 3), [3, 1, 3, 3])[:3], [3 / 4, 3 / 4, 3 / 8]
    )
    # once all have failed it stays at 0
    np.testing.assert_array_equal(survival([[1, 0, 0], [1, 0, 0]], [3, 2]), [1.0, 0.0, 0.0])
    # a last step of an outage that fails is a failure, not an end
    np.testing.assert_array_equal(survival([[1, 0], [1, 1]], [2, 2]), [1.0, 0.5])


def test_survival_recovers_a_known_hazard():
    # a failure in each step with probability 0.1, whatever the length
    generator = np.random.default_rng(0)
    served = generator.random((40_000, 8)) >= 0.1
    length = generator.integers(1, 9, 40_000)
    np.testing.assert_allclose(survival(served, length), 0.9 ** np.arange(1, 9), atol=0.015)


def test_trapezoid_by_hand():
    # event from step 2, grid back at step 8, full again at step 10; half an hour each
    performance = [1, 1, 1, 0.75, 0.5, 0.25, 0.25, 0.25, 0.5, 0.75, 1, 1]
    found = trapezoid(performance, 0.5, 2, 8)
    assert found.depth == 0.75
    assert found.drop_speed == pytest.approx(0.75 / 2.0)  # the fourth step is the first of the lowest
    assert found.hours == pytest.approx(3.5)
    assert found.recovery_speed == pytest.approx(0.75 / 1.5)  # full in the third after the last of the lowest
    assert found.area == pytest.approx(0.5 * (0.25 + 0.5 + 3 * 0.75 + 0.5 + 0.25))


def test_trapezoid_of_a_blackout():
    found = trapezoid([1, 0, 0, 0, 1], 1.0, 1, 4)
    assert found == pytest.approx((1.0, 1.0, 3.0, 1.0, 3.0))


def test_trapezoid_rides_through_for_a_while():
    slow, fast = trapezoid([1, 1, 1, 0, 1], 1.0, 0, 4), trapezoid([0, 0, 0, 0, 1], 1.0, 0, 4)
    assert (slow.drop_speed, fast.drop_speed) == (0.25, 1.0)
    assert (slow.hours, fast.hours) == (1.0, 4.0)


def test_trapezoid_ends_with_the_recovery_after_the_grid_is_back():
    # full in between, and a loss long after the event, which is another's
    found = trapezoid([0.5, 1, 0.75, 1, 0], 1.0, 0, 3)
    assert found == pytest.approx((0.5, 0.5, 2.0, 0.5 / 3, 0.75))


def test_trapezoid_at_the_edges():
    assert trapezoid(np.ones(4), 0.5, 1, 3) == (0, 0, 0, 0, 0)
    assert trapezoid(np.ones(4, np.float32) - 1e-7, 0.5, 1, 3) == (0, 0, 0, 0, 0)
    assert trapezoid([0.0], 0.5, 0, 1) == (2.0, 1.0, 0.5, 0.0, 0.5)
    # the series ends before the recovery
    assert trapezoid([1, 0, 0.5], 1.0, 1, 2).recovery_speed == 0.0
    # recovered by itself though the grid never was back
    assert trapezoid([1, 0, 1], 1.0, 1, 3).recovery_speed == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: survival([True, False]), "critical_served has shape"),
        (lambda: survival([[0.5]]), "critical_served holds 0.5"),
        (lambda: survival([[True]], [1, 1]), "length is .* shape"),
        (lambda: survival([[True]], [1.0]), "length is float64"),
        (lambda: survival([[True, True]], [3]), "length is 3 to 3, expected 1 to 2"),
        (lambda: survival([[True, True]], [0]), "length is 0 to 0"),
        (lambda: trapezoid([[1.0]], 1.0, 0, 1), "performance has shape"),
        (lambda: trapezoid([1.0, 1.1], 1.0, 0, 1), "performance is 1.0 to 1.1"),
        (lambda: trapezoid([1.0, NAN], 1.0, 0, 1), "performance is nan"),
        (lambda: trapezoid([1.0], -1.0, 0, 1), "hours is -1.0"),
        (lambda: trapezoid([1.0], 1.0, 1, 1), "begin is 1 and end 1"),
        (lambda: trapezoid([1.0], 1.0, FRACTION, 1), "begin is 0.5 and end 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
