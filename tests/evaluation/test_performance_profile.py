import numpy as np
import pytest
from rliable import library

from gridjax.evaluation.performance_profile import performance_profile

THRESHOLDS = np.linspace(-0.5, 1.5, 21)


def test_is_rliables_with_the_same_draws(scores, same_draws):
    first = scores[0]
    same_draws(np.random.default_rng(3).integers(len(first), size=(300, *first.shape)))
    shares, intervals = library.create_performance_profile({"x": first}, THRESHOLDS, reps=300)
    found = performance_profile(first, THRESHOLDS, resamples=300, seed=3)
    np.testing.assert_allclose(found.share, shares["x"], rtol=0, atol=1e-12)
    np.testing.assert_allclose([found.low, found.high], intervals["x"], rtol=0, atol=1e-12)


def test_by_hand():
    profile = performance_profile(np.array([[0.0, 1.0], [2.0, 1.0]]), [-1.0, 0.0, 1.0, 2.0])
    np.testing.assert_array_equal(profile.share, [1.0, 0.75, 0.25, 0.0])
    # the second day is the same in every draw; two draws of {0, 2} are both 0, or both 2, one time in four
    np.testing.assert_array_equal(profile.low, [1.0, 0.5, 0.0, 0.0])
    np.testing.assert_array_equal(profile.high, [1.0, 1.0, 0.5, 0.0])


def test_bad_scores_are_refused():
    with pytest.raises(ValueError, match="1 values"):
        performance_profile(np.array([[np.nan]]), [0.0])
