import numpy as np
import pytest

from gridjax.evaluation.value_error import calibration, realised_returns, telling

PAID = np.array([[1.0, 2.0, 4.0, 8.0]])
NEXT = np.array([[100.0, 200.0, 300.0, 400.0]])


def ends(*steps):
    flags = np.zeros((1, 4), bool)
    flags[0, list(steps)] = True
    return flags


@pytest.mark.parametrize(
    ("terminated", "truncated", "finite", "returns", "weights"),
    [
        # the case ends though the episode does not: half of the value that was foretold
        (ends(), ends(), False, [29.0, 56.0, 108.0, 208.0], [1 / 16, 1 / 8, 1 / 4, 1 / 2]),
        (ends(), ends(3), False, [29.0, 56.0, 108.0, 208.0], [1 / 16, 1 / 8, 1 / 4, 1 / 2]),
        (ends(), ends(3), True, [4.0, 6.0, 8.0, 8.0], [0, 0, 0, 0]),
        (ends(3), ends(), False, [4.0, 6.0, 8.0, 8.0], [0, 0, 0, 0]),
        (ends(1), ends(), False, [2.0, 2.0, 108.0, 208.0], [0, 0, 1 / 4, 1 / 2]),
        (ends(), ends(1), False, [52.0, 102.0, 108.0, 208.0], [1 / 4, 1 / 2, 1 / 4, 1 / 2]),
    ],
)
def test_returns_by_hand(terminated, truncated, finite, returns, weights):
    found, weight = realised_returns(PAID, NEXT, terminated, truncated, 0.5, finite)
    np.testing.assert_allclose(found[0], returns)
    np.testing.assert_allclose(weight[0], weights)
    # agents and streams each by themselves
    many, _ = realised_returns(
        *(np.stack([x, 2 * x], -1)[..., None] for x in (PAID, NEXT)), terminated, truncated, 0.5, finite
    )
    np.testing.assert_allclose(many[0, :, 1, 0], 2 * np.array(returns))


def test_steps_that_are_hardly_bootstrapped_tell_where_there_are_enough():
    np.testing.assert_array_equal(telling(np.array([[0.01, 0.04, 0.5, 0.9]])), [[True, True, False, False]])
    assert telling(np.array([[0.3, 0.4, 0.5, 0.9]])).all()


def test_calibration_by_hand():
    value, realised = np.array([1.0, 1.0, 3.0, 3.0]), np.array([0.0, 2.0, 4.0, 6.0])
    found = calibration(value, realised, bins=2)
    assert found["bias"] == -1.0
    assert found["root_mean_square"] == pytest.approx(np.sqrt((1 + 1 + 1 + 9) / 4))
    assert found["explained_variance"] == pytest.approx(1 - 2.0 / 5.0)  # errors 1, -1, -1, -3
    assert found["bins"]["value"] == [1.0, 3.0]
    assert found["bins"]["realised"] == [1.0, 5.0]
    np.testing.assert_allclose(found["bins"]["quartiles"], [[0.5, 1.5], [4.5, 5.5]])


def test_a_histogram_holds_the_samples_and_value_comes_first():
    value = np.linspace(0.0, 1.0, 1000)
    found = calibration(value, np.zeros(1000))
    counts = found["counts"]
    assert counts.sum() >= 980
    assert (counts[:, 1:] == 0).all()
    assert found["explained_variance"] is None
    with pytest.raises(ValueError, match="got 1000 values and 2 returns"):
        calibration(value, np.zeros(2))
