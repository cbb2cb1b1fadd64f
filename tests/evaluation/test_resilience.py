"""Metrics of reliability by hand."""

import numpy as np
import pytest

from gridjax.evaluation.resilience import (
    energy_not_served,
    interruptions,
    loss_of_load_expectation,
    loss_of_load_probability,
    resilience_index,
    unserved_share,
)

# four steps of half an hour, a critical and another tier, kW
DEMAND = np.array([[2.0, 8.0], [2.0, 8.0], [2.0, 6.0], [2.0, 6.0]])
SERVED = np.array([[2.0, 8.0], [2.0, 5.0], [1.0, 0.0], [2.0, 6.0]])
NAN = float("nan")


def test_energy_not_served_by_hand():
    # 0.5 h of 1 kW; 0.5 h of 3 and of 6 kW
    np.testing.assert_allclose(energy_not_served(DEMAND, SERVED, 0.5), [0.5, 4.5])
    np.testing.assert_array_equal(energy_not_served(DEMAND, DEMAND, 0.5), [0.0, 0.0])
    np.testing.assert_allclose(energy_not_served(DEMAND, 0.0 * DEMAND, 0.5), [4.0, 14.0])
    both = energy_not_served(np.stack([DEMAND, DEMAND]), np.stack([SERVED, DEMAND]), 0.5)
    np.testing.assert_allclose(both, [[0.5, 4.5], [0.0, 0.0]])


def test_loss_of_load_by_hand():
    assert loss_of_load_probability(DEMAND, SERVED) == 0.5
    assert loss_of_load_expectation(DEMAND, SERVED) == 4380.0
    assert loss_of_load_probability(DEMAND, DEMAND) == 0.0
    assert loss_of_load_probability(DEMAND, 0.0 * DEMAND) == 1.0
    assert loss_of_load_probability(0.0 * DEMAND, 0.0 * DEMAND) == 0.0
    both = loss_of_load_probability(np.stack([DEMAND, DEMAND]), np.stack([SERVED, DEMAND]))
    np.testing.assert_array_equal(both, [0.5, 0.0])


def test_rounding_is_no_loss_of_load():
    served = DEMAND.astype(np.float32) * (1 - 5e-7)
    assert loss_of_load_probability(DEMAND, served) == 0.0
    np.testing.assert_array_equal(energy_not_served(DEMAND, served, 0.5), [0.0, 0.0])
    np.testing.assert_array_equal(energy_not_served(DEMAND, DEMAND * (1 + 1e-7), 0.5), [0.0, 0.0])
    assert loss_of_load_probability(DEMAND, DEMAND * (1 - 2e-6)) == 1.0


def test_interruptions_by_hand():
    # 8760 steps of an hour are a year: one interruption of 2 h, and one of 1 h that ends the series
    demand, served = np.ones(8760), np.ones(8760)
    served[10:12] = [0.9, 0.0]
    served[-1] = 0.0
    found = interruptions(demand, served, 1.0)
    assert found.count == 2
    assert found.hours == pytest.approx(3.0)
    assert found.frequency == pytest.approx(2.0)
    assert found.duration == pytest.approx(3.0)
    assert found.mean_duration == pytest.approx(1.5)
    assert found.availability == pytest.approx(1 - 3 / 8760)


def test_interruptions_of_half_a_year_count_twice():
    served = np.ones(8760)
    served[:4] = 0.0
    found = interruptions(np.ones(8760), served, 0.5)
    assert (found.count, found.hours, found.mean_duration) == (1, 2.0, 2.0)
    assert found.frequency == pytest.approx(2.0)
    assert found.duration == pytest.approx(4.0)


def test_interruptions_at_the_edges():
    none = interruptions(np.ones(4), np.ones(4), 1.0)
    assert (none.count, none.hours, none.frequency, none.duration) == (0, 0, 0, 0)
    assert (none.mean_duration, none.availability) == (0.0, 1.0)
    everything = interruptions(np.ones(4), np.zeros(4), 1.0)
    assert (everything.count, everything.hours, everything.availability) == (1, 4.0, 0.0)
    assert everything.duration == pytest.approx(8760.0)
    one = interruptions([1.0], [0.5], 0.25)
    assert (one.count, one.hours, one.mean_duration) == (1, 0.25, 0.25)
    assert interruptions(np.zeros(4), np.zeros(4), 1.0).count == 0
    # 0 1 0 0 and 1 1 1 1
    batch = interruptions(np.ones((2, 4)), [[0, 1, 0, 0], [1, 1, 1, 1]], 1.0)
    np.testing.assert_array_equal(batch.count, [2, 0])
    np.testing.assert_array_equal(batch.mean_duration, [1.5, 0.0])


def test_resilience_index_by_hand():
    # 1, 1/2, 0, and 1 where nothing is demanded
    assert resilience_index([4.0, 4.0, 2.0, 0.0], [4.0, 2.0, 0.0, 0.0]) == pytest.approx(2.5 / 4)
    assert resilience_index([0.0], [0.0]) == 1.0
    assert resilience_index([3.0], [0.0]) == 0.0
    np.testing.assert_allclose(
        resilience_index([[2.0, 2.0], [4.0, 1.0]], [[2.0, 2.0], [1.0, 1.0]]), [1, 0.625]
    )


def test_unserved_share_by_hand():
    demand, served = np.array([4.0, 4.0, 2.0, 1.0]), np.array([3.0, 2.0, 1.0, 1.0])
    # 2 + 1 of 4 + 2; the 1 of the first step is not the outage's
    assert unserved_share(demand, served, [False, True, True, False]) == pytest.approx(0.5)
    assert unserved_share(demand, served, np.zeros(4, bool)) == 0.0
    assert unserved_share(demand, 0.0 * demand, np.ones(4, bool)) == 1.0
    assert unserved_share(np.zeros(4), np.zeros(4), np.ones(4, bool)) == 0.0
    both = unserved_share([demand, demand], [served, demand], [[True] + 3 * [False], 4 * [True]])
    np.testing.assert_allclose(both, [0.25, 0.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: energy_not_served(DEMAND, SERVED[:3], 0.5), r"served has shape \(3, 2\), .* \(4, 2\)"),
        (lambda: energy_not_served([1.0], [1.0], 0.5), r"demand has shape \(1,\), .*n_tier"),
        (lambda: energy_not_served(DEMAND, SERVED, 0.0), "hours is 0.0"),
        (
            lambda: energy_not_served(DEMAND, 2 * SERVED, 0.5),
            r"served is 4.0 at \(0, 0\), .* at most the demand",
        ),
        (lambda: energy_not_served(-DEMAND, -DEMAND, 0.5), "demand is -2.0 .* not negative"),
        (lambda: loss_of_load_probability(DEMAND, -SERVED), "served is -2.0 .* not negative"),
        (lambda: loss_of_load_probability(DEMAND * NAN, SERVED), "demand is nan .* finite"),
        (lambda: loss_of_load_expectation(DEMAND, SERVED + np.inf), "served is inf .* finite"),
        (lambda: interruptions([], [], 1.0), r"demand has shape \(0,\)"),
        (lambda: interruptions([1.0], [1.0], NAN), "hours is nan"),
        (lambda: resilience_index([1.0, 1.0], [1.0]), "served has shape"),
        (lambda: unserved_share([1.0, 1.0], [1.0, 1.0], [True]), "during has shape"),
        (lambda: unserved_share([1.0, 1.0], [1.0, 1.0], [2, 0]), r"during is 2 at \(0,\)"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
