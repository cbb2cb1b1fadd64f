import numpy as np
import pytest

from gridjax.calibration.coordinates import known_coordinates, tree_layout

from .handmade import switched


def test_a_tree_is_drawn_by_depth_without_overlap():
    ends = np.array([[0, 1], [1, 2], [2, 3], [1, 4], [4, 5], [1, 6]])
    place = tree_layout(7, ends, [0])
    np.testing.assert_array_equal(place[:, 0], [0, 1, 2, 3, 2, 3, 2])
    assert len({tuple(point) for point in place}) == 7
    np.testing.assert_array_equal(place, tree_layout(7, ends[::-1, ::-1], [0]))


def test_loops_are_cut_and_unreached_buses_have_no_place():
    place = tree_layout(5, np.array([[0, 1], [1, 2], [2, 0]]), [0])
    np.testing.assert_array_equal(place[:3, 0], [0, 1, 1])
    assert np.isnan(place[3:]).all()


def test_positions_are_read_and_bad_ones_named():
    net = switched()
    np.testing.assert_array_equal(known_coordinates(net)[103], [3.0, 0.0])
    net.bus["geo"] = net.bus["geo"].astype(object)
    net.bus.loc[100, "geo"] = None
    net.bus.loc[101, "geo"] = "  "
    assert sorted(known_coordinates(net))[:2] == [102, 103]
    net.bus.loc[104, "geo"] = "north of the river"
    with pytest.raises(ValueError, match="bus 104: geo is not a GeoJSON point: 'north of the river'"):
        known_coordinates(net)
