"""Droop by hand."""

import pytest

from gridjax.devices import droop_frequency


def test_four_per_cent_at_half_power():
    assert droop_frequency(50.0, 100.0, 0.04) == pytest.approx(49.0)
    assert droop_frequency(-100.0, 100.0, 0.04, 60.0) == pytest.approx(62.4)
