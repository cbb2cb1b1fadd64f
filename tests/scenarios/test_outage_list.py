"""Listed failures happen exactly as listed."""

import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.scenarios.outages import (
    branch_sound,
    delivery_hours,
    fails_to_start,
    grid_present,
    scripted,
    sensor_alive,
)
from tests.scenarios.outage_sizes import HOURS, SIZES, over


def test_listed_events_happen_as_listed():
    timeline = scripted(
        SIZES,
        HOURS,
        grid=[(1.0, 2.0), (50.0, 400.0)],
        branches={1: (0.5, 0.6), 4: (10.0, 12.0)},
        generator_trips={2: 3.5},
        generator_repairs={2: 8},
        start_failures={0: [0, 2]},
        sensors={3: (0.0, 1.0)},
        storm=(20.0, 30.0, 36.0),
        storm_grid=(24.0, 48.0),
        deliveries=[5.0, 9.0],
        delivery_in_storm=3.0,
    )
    present = over(grid_present, timeline, [3, 4, 7, 8, 95, 96, 191, 192, 199, 200, 671])
    np.testing.assert_array_equal(present, [1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0])
    broken = ~over(branch_sound, timeline, [1, 2, 3, 40, 47, 48])
    assert [np.flatnonzero(row).tolist() for row in broken] == [[], [1], [], [4], [4], []]
    np.testing.assert_array_equal(over(sensor_alive, timeline, [3, 4]), [[1, 1, 1, 0], [1, 1, 1, 1]])
    np.testing.assert_allclose(timeline.trip_after, [1e9, 1e9, 3.5])
    np.testing.assert_allclose(timeline.generator_repair, [1e9, 1e9, 8.0])
    failing = over(lambda timeline, k: fails_to_start(timeline, jnp.full(3, k)), timeline, [0, 1, 2, 8])
    np.testing.assert_array_equal(failing, [[1, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0]])
    delays = over(lambda timeline, order: delivery_hours(timeline, order, 0), timeline, [0, 1, 3, 4])
    np.testing.assert_allclose(delays, [5, 9, 9, 5])
    delays = over(lambda timeline, step: delivery_hours(timeline, 0, step), timeline, [95, 96, 191, 192])
    np.testing.assert_allclose(delays, [5, 15, 15, 5])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"grid": [(1, 2)] * 3}, "grid lists 3 events, expected at most 2"),
        ({"grid": [(2, 2)]}, r"grid\[0\] is \(2, 2\), expected an end after the begin"),
        ({"grid": [(168, 170)]}, r"grid\[0\] begins at 168 h, expected within the episode of 168 h"),
        ({"grid": [(-1, 2)]}, r"begin of grid\[0\] is -1"),
        ({"grid": [(1, np.inf)]}, r"end of grid\[0\] is inf"),
        ({"grid": [(1, 2, 3)]}, r"grid\[0\] is \(1, 2, 3\), expected \(begin, end\)"),
        ({"branches": {5: (1, 2)}}, "a row of branches is 5, expected an integer from 0 to 4"),
        ({"branches": {"a": (1, 2)}}, "a row of branches is 'a'"),
        ({"sensors": {-1: (1, 2)}}, "a row of sensors is -1"),
        ({"generator_trips": {0: -2}}, r"generator_trips\[0\] is -2"),
        ({"generator_repairs": {3: 2}}, "a row of generator_repairs is 3"),
        ({"start_failures": {0: [8]}}, r"an attempt of start_failures\[0\] is 8"),
        ({"storm": (1, 2)}, "storm is .*expected .begin, end, gust."),
        ({"storm": (1, 2, -3)}, "gust of storm is -3"),
        ({"storm_grid": (1, 2)}, "storm_grid is given without a storm"),
        ({"deliveries": [1] * 5}, "deliveries lists 5 events, expected at most 4"),
        ({"deliveries": [np.nan]}, r"deliveries\[0\] is nan"),
        ({"hours": 0}, "hours is 0"),
    ],
)
def test_bad_lists_are_named(given, words):
    with pytest.raises(ValueError, match=words):
        scripted(SIZES, given.pop("hours", HOURS), **given)
