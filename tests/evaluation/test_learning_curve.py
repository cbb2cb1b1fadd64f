import numpy as np
import pytest

from gridjax.evaluation.learning_curve import goal, learning_curve, reached


def curve(rewards, seconds=10.0):
    """Of `[n_seed, n]` rewards, validated every 100 steps."""
    lines = [
        {"step": 100 * k, "seconds": seconds * k, "validation/reward": list(each)}
        for k, each in enumerate(np.transpose(rewards))
    ]
    # training is logged in between
    return learning_curve([{"step": 50, "seconds": 1.0, "reward": [0.0]}, *lines])


def test_only_validations_count():
    found = curve([[0.0, 1.0, 2.0], [0.0, 3.0, 4.0]])
    np.testing.assert_array_equal(found.steps, [0, 100, 200])
    np.testing.assert_array_equal(found.seconds, [0.0, 10.0, 20.0])
    np.testing.assert_array_equal(found.mean, [0.0, 2.0, 3.0])
    assert learning_curve([{"step": 1, "seconds": 1.0, "reward": [1.0]}]) is None
    assert learning_curve([]) is None


def test_the_band_is_that_of_the_mean_over_the_seeds():
    low, high = curve([[0.0, 1.0], [0.0, 3.0]]).band()
    np.testing.assert_array_equal(low, [0.0, 1.0])
    np.testing.assert_array_equal(high, [0.0, 3.0])


def test_the_goal_is_one_for_all_runs():
    fast, slow = curve([[-10.0, -1.0, 0.0, -2.0]]), curve([[-30.0, -9.0, -2.0, -1.0]], seconds=20.0)
    aim = goal([fast, slow])
    assert aim == (-20.0, 0.0, pytest.approx(-1.0))
    assert reached(fast, aim.level) == (100, 10.0)
    assert reached(slow, aim.level) == (300, 60.0)
    assert reached(slow, -0.5) is None


def test_the_mean_over_the_seeds_must_be_there():
    aim = goal([curve([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])])
    assert reached(curve([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]), aim.level).steps == 200


def test_without_progress_there_is_no_goal():
    assert goal([curve([[1.0, 0.5, 0.2]])]) is None
    assert goal([]) is None
    # where all begin at what they are to improve, one begins a little better than the rest
    assert goal([curve([[0.0, -0.1, -0.1]]), curve([[0.1, 0.05, 0.0]])]) is None


def test_a_reward_that_is_not_finite_is_named():
    with pytest.raises(ValueError, match="validation/reward of step 7 is"):
        learning_curve([{"step": 7, "seconds": 1.0, "validation/reward": [1.0, None]}])
