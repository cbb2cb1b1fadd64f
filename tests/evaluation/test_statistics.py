import numpy as np
import pytest
from rliable import library, metrics
from scipy.stats import trim_mean

from gridjax.evaluation.statistics import (
    interval_over_days,
    interval_over_runs,
    iqm,
    mean,
    optimality_gap,
    paired_difference,
    relative_excess,
)


@pytest.mark.parametrize("number", [1, 3, 4, 5, 7, 8, 120, 601])
def test_iqm_is_scipys_trimmed_mean(number):
    scores = np.random.default_rng(number).normal(size=(3, number))
    np.testing.assert_allclose(iqm(scores), trim_mean(scores, 0.25, axis=-1))


def test_iqm_by_hand():
    assert iqm([100.0, 1.0, 2.0, -50.0]) == 1.5


def test_one_run_has_no_interval_over_runs():
    estimate = interval_over_runs(np.array([[1.0, 2.0, 3.0, 4.0]]))
    assert estimate == (2.5, 2.5, 2.5)


def test_runs_are_drawn_within_each_day():
    # equal within a day, however different the days: no other seeds could change the result
    scores = np.tile([1.0, 5.0, 9.0, 100.0], (6, 1))
    assert interval_over_runs(scores) == (7.0, 7.0, 7.0)
    assert interval_over_days(scores).low < 7.0 < interval_over_days(scores).high


def test_two_runs_of_one_day_by_hand():
    # the mean of two draws of {0, 1} is 0, 1/2 or 1 with probability 1/4, 1/2, 1/4
    assert interval_over_runs(np.array([[0.0], [1.0]]), mean) == (0.5, 0.0, 1.0)


def test_interval_over_days_matches_the_standard_error():
    scores = np.random.default_rng(0).normal(3.0, 2.0, size=(1, 400))
    estimate = interval_over_days(scores, mean)
    half = 1.96 * scores.std() / 20
    assert estimate.value == pytest.approx(scores.mean())
    assert estimate.low == pytest.approx(scores.mean() - half, abs=0.2 * half)
    assert estimate.high == pytest.approx(scores.mean() + half, abs=0.2 * half)


def test_pairing_removes_what_the_days_have_in_common():
    days = np.random.default_rng(1).normal(0.0, 10.0, size=(1, 50))
    estimate = paired_difference(days + 0.1, days)
    assert estimate.value == pytest.approx(0.1)
    assert estimate.low == pytest.approx(0.1)
    assert interval_over_days(days, mean).low < -1


def test_relative_excess_is_that_of_the_means():
    days = np.random.default_rng(2).uniform(1.0, 9.0, (1, 40))
    estimate = relative_excess(np.concatenate([1.1 * days, 1.2 * days]), days)
    assert estimate.value == pytest.approx(0.15)
    # days are drawn for both alike, runs anew
    assert estimate.low == pytest.approx(0.1)
    assert estimate.high == pytest.approx(0.2)
    with pytest.raises(ValueError, match="cannot be paired"):
        relative_excess(np.ones((1, 3)), np.ones((1, 4)))


def test_paired_difference_with_several_runs_varies_with_them():
    first = np.array([[1.0] * 10, [3.0] * 10])
    estimate = paired_difference(first, np.zeros((1, 10)))
    assert estimate == (2.0, 1.0, 3.0)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [(np.zeros(3), "shape"), (np.zeros((0, 3)), "shape"), (np.array([[np.nan, 1.0]]), "1 values")],
)
def test_bad_scores_are_refused(scores, expected):
    with pytest.raises(ValueError, match=expected):
        interval_over_runs(scores)


def test_different_days_cannot_be_paired():
    with pytest.raises(ValueError, match="3 and 4 days"):
        paired_difference(np.zeros((1, 3)), np.zeros((1, 4)))


@pytest.mark.parametrize(
    ("statistic", "reference"),
    [
        (iqm, metrics.aggregate_iqm),
        (mean, metrics.aggregate_mean),
        (optimality_gap, metrics.aggregate_optimality_gap),
    ],
)
class TestAgainstRliable:
    """Definitions, and the stratified bootstrap's interval."""

    def expected(self, scores, reference, resamples):
        values, intervals = library.get_interval_estimates(
            {"x": scores}, lambda x: np.array([reference(x)]), reps=resamples
        )
        return (*values["x"], *intervals["x"][:, 0])

    def test_with_the_same_draws(self, scores, same_draws, statistic, reference):
        first = scores[0]
        same_draws(np.random.default_rng(5).integers(len(first), size=(300, *first.shape)))
        expected = self.expected(first, reference, 300)
        found = interval_over_runs(first, statistic, resamples=300, seed=5)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
        assert found.low < found.value < found.high

    def test_with_draws_of_its_own(self, scores, statistic, reference):
        np.random.seed(1)  # noqa: NPY002 - what rliable draws from
        expected = self.expected(scores[0], reference, 4000)
        found = interval_over_runs(scores[0], statistic, resamples=4000)
        np.testing.assert_allclose(found, expected, atol=0.08 * (expected[2] - expected[1]))


def test_optimality_gap_by_hand():
    # what lies above the threshold makes up for nothing
    assert optimality_gap([0.5, 3.0]) == 0.25
    assert optimality_gap([0.5, 3.0], threshold=2.0) == 0.75
