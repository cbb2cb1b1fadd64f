import jax
import numpy as np
import pytest

from gridjax.network import BusIndex


def test_bus_index_gives_rows_of_one_bus_and_of_arrays(small):
    index = small.bus_index
    assert index[11] == index[np.int64(12)] == 1
    rows = index[[[10, 20], [12, 11]]]
    assert rows.dtype == int
    np.testing.assert_array_equal(rows, [[0, 2], [1, 1]])
    assert index[[]].shape == (0,)
    assert len(index) == 4
    assert list(index) == [10, 11, 12, 20]
    assert 20 in index
    assert 99 not in index


def test_bus_index_names_the_missing_bus(small):
    with pytest.raises(KeyError, match=r"bus 99 is not in the network .*10, 11, 12, 20"):
        small.bus_index[99]
    with pytest.raises(KeyError, match="bus 98"):
        small.bus_index[[10, 98]]


def test_bus_index_is_a_value():
    assert BusIndex({1: 0, 2: 1}) == BusIndex({2: 1, 1: 0})
    assert hash(BusIndex({1: 0, 2: 1})) == hash(BusIndex({2: 1, 1: 0}))
    assert BusIndex({1: 0}) != BusIndex({1: 1})


def test_sizes_and_free_buses(small):
    assert (small.n_bus, small.n_branch, small.n_pv) == (3, 2, 1)
    np.testing.assert_array_equal(small.free_buses, [1, 2])


def test_pytree_keeps_static_fields_and_numbers(small):
    leaves, tree = jax.tree.flatten(small)
    again = jax.tree.unflatten(tree, leaves)
    assert again.name == small.name
    assert again.bus_index == small.bus_index
    assert all(isinstance(leaf, np.ndarray) for leaf in leaves)
    assert len(leaves) == 21


def test_new_numbers_do_not_compile_again(small, changed):
    traces = []

    @jax.jit
    def total(network):
        traces.append(network.name)
        return network.resistance.sum()

    first = total(small)
    second = total(changed(resistance=2.0 * small.resistance))
    np.testing.assert_allclose(second, 2.0 * first, rtol=1e-6)
    assert traces == ["small"]
