import numpy as np
import pytest
from rliable import library, metrics

from gridjax.evaluation.improvement import improvement_over_days, probability_of_improvement

RESAMPLES = 60  # rliable takes 30 ms each


def rliable_interval(first, second, resamples):
    def chance(x, y):
        return np.array([metrics.probability_of_improvement(x, y)])

    values, intervals = library.get_interval_estimates({"xy": [first, second]}, chance, reps=resamples)
    return (*values["xy"], *intervals["xy"][:, 0])


def test_is_rliables_with_the_same_draws(scores, same_draws):
    first, second = scores
    generator = np.random.default_rng(3)
    drawn = [generator.integers(len(x), size=(RESAMPLES, *x.shape)) for x in (first, second)]
    same_draws(x for pair in zip(*drawn) for x in pair)
    expected = rliable_interval(first, second, RESAMPLES)
    found = probability_of_improvement(first, second, RESAMPLES, seed=3)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert found.low < found.value < found.high


def test_by_hand():
    # of six pairs on the first day four are won and one is tied, of those on the second day none
    first = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    second = np.array([[1.0, 1.0], [1.5, 1.0]])
    assert probability_of_improvement(first, second).value == pytest.approx(4.5 / 12)
    assert probability_of_improvement(first, first).value == 0.5


def test_whole_runs_and_days_are_drawn():
    # two runs each, one of the first better on all days, the other worse
    first, second = np.array([[0.0] * 40, [2.0] * 40]), np.array([[1.0] * 40, [1.0] * 40])
    whole, apart = improvement_over_days(first, second), probability_of_improvement(first, second)
    assert whole.value == apart.value == 0.5
    assert whole[1:] == (0.0, 1.0)  # both drawn runs are the worse one in a quarter of the draws
    assert 0.35 < apart.low < apart.high < 0.65
    # one run each, better on half of the days: only days differ
    first, second = np.tile([0.0, 2.0], (1, 20)), np.ones((1, 40))
    assert probability_of_improvement(first, second)[1:] == (0.5, 0.5)
    half = 1.96 * np.sqrt(0.25 / 40)
    assert improvement_over_days(first, second)[1:] == pytest.approx((0.5 - half, 0.5 + half), abs=0.03)


@pytest.mark.parametrize("chance", [probability_of_improvement, improvement_over_days])
def test_other_days_are_refused(chance):
    with pytest.raises(ValueError, match="2 and 3 days cannot be paired"):
        chance(np.zeros((1, 2)), np.zeros((1, 3)))
