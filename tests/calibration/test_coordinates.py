import numpy as np

from gridjax.calibration.coordinates import tree_layout


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
