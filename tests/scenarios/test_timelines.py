"""What a step asks of a timeline."""

from dataclasses import replace

import numpy as np
import pytest

from gridjax.scenarios.outages import Sizes, grid_present, never, outage_left_hours, scripted, stack, wind
from gridjax.scenarios.timelines import CALM
from tests.scenarios.outage_sizes import HOURS, SIZES, over


def test_wind_is_a_half_sine_in_the_storm_and_calm_else():
    timeline = scripted(SIZES, HOURS, storm=(20.0, 30.0, 36.0))
    steps = np.arange(70, 130)
    found = over(wind, timeline, steps)
    inside = (steps >= 80) & (steps < 120)
    sine = 36.0 * np.sin(np.pi * (steps - 80 + 0.5) / 40)
    np.testing.assert_allclose(found, np.where(inside, np.maximum(sine, CALM), CALM), rtol=1e-5)
    assert float(wind(timeline, 0, calm=1.5)) == 1.5
    assert bool(grid_present(timeline, 100))


def test_hours_left_run_through_outages_that_overlap_or_touch():
    timeline = scripted(
        replace(SIZES, n_outage=4),
        HOURS,
        grid=[(10, 20), (1, 5), (4, 8)],
        storm=(7, 9, 30),
        storm_grid=(8, 9),
    )
    steps = [3, 4, 18, 35, 36, 40, 79, 80]
    found = over(lambda timeline, step: outage_left_hours(timeline, step, HOURS), timeline, steps)
    np.testing.assert_array_equal(found, [0.0, 8.0, 4.5, 0.25, 0.0, 10.0, 0.25, 0.0])


def test_stack_names_what_does_not_fit():
    with pytest.raises(ValueError, match="no timeline"):
        stack([])
    with pytest.raises(ValueError, match="grid_begin has the shapes"):
        stack([never(SIZES), never(replace(SIZES, n_outage=2))])


def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match="n_step is 0"):
        replace(SIZES, n_step=0)
    with pytest.raises(ValueError, match=r"n_branch is 2\.0"):
        replace(SIZES, n_branch=2.0)
    with pytest.raises(ValueError, match="transformers has 5 entries, expected 4"):
        replace(SIZES, n_branch=4)
    assert hash(SIZES) == hash(replace(SIZES, transformers=np.array(SIZES.transformers)))
    assert Sizes(n_step=1, n_branch=2, n_generator=0, n_sensor=0).transformers == (False, False)
