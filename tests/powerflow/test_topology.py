import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridjax import network
from gridjax.powerflow.topology import components, energised, sources


@pytest.mark.parametrize("name", ["case33bw", "case141"])
def test_components_agree_with_scipy(name):
    net = network.get(name)
    rng = np.random.default_rng(0)
    status = rng.uniform(size=(40, net.n_branch)) > np.linspace(0.0, 1.0, 40)[:, None]
    label = np.asarray(components(net, status.reshape(4, 10, -1))).reshape(40, -1)
    for k in range(40):
        ends = (net.from_bus[status[k]], net.to_bus[status[k]])
        graph = coo_array((np.ones(status[k].sum()), ends), shape=(net.n_bus, net.n_bus))
        _, expected = connected_components(graph, directed=False)
        first = np.full(net.n_bus, net.n_bus)
        np.minimum.at(first, expected, np.arange(net.n_bus))
        np.testing.assert_array_equal(label[k], first[expected])


def test_energised_is_connected_to_a_slack(mesh):
    cut = np.ones(mesh.n_branch)
    cut[[1, 3, 4]] = 0.0  # buses 2 and 3 hang together, on nothing
    np.testing.assert_array_equal(energised(mesh, cut), [True, True, False, False, True, True])
    assert energised(mesh, np.ones(mesh.n_branch)).all()
    np.testing.assert_array_equal(
        energised(mesh, np.zeros(mesh.n_branch)), [True, False, False, False, False, True]
    )


def test_the_first_backup_takes_an_island_over(mesh):
    whole, cut = np.ones(mesh.n_branch), np.ones(mesh.n_branch)
    cut[[1, 3, 4]] = 0.0
    found = sources(mesh, np.stack([whole, cut]), backup=((4, 1.0), (3, 1.01), (2, 0.99)))
    np.testing.assert_array_equal(found.slack[0], [True, False, False, False, False, True])
    np.testing.assert_array_equal(found.slack[1], [True, False, False, True, False, True])
    assert found.energised.all()
    np.testing.assert_allclose(found.magnitude[1], [0.0, 0.0, 0.0, 1.01, 0.0, 0.0])
    assert not found.magnitude[0].any()
    np.testing.assert_array_equal(found.took_over, [[False, False, False], [False, True, False]])


def test_a_backup_that_is_not_available_takes_nothing_over(mesh):
    cut = np.ones(mesh.n_branch)
    cut[[1, 3, 4]] = 0.0  # buses 2 and 3 are an island
    backup = ((3, 1.01), (2, 0.99))
    available = np.array([[[1, 1], [0.5, 0]], [[0, 1], [0, 0]]])
    found = sources(mesh, np.stack([np.ones(mesh.n_branch), cut])[:, None, None], backup, available)
    assert found.slack.shape == (2, 2, 2, 6)
    np.testing.assert_array_equal(found.took_over[0], False)
    assert found.energised[0].all()
    taken = [[[True, False], [True, False]], [[False, True], [False, False]]]
    np.testing.assert_array_equal(found.took_over[1], taken)
    np.testing.assert_array_equal(found.slack[1][..., [3, 2]], taken)
    np.testing.assert_allclose(found.magnitude[1][..., [3, 2]], np.where(taken, [1.01, 0.99], 0.0))
    np.testing.assert_array_equal(found.energised[1, 1, 1], [True, True, False, False, True, True])
    assert found.energised[1].reshape(4, 6)[:3].all()
    everything = sources(mesh, cut, backup, np.ones(2, bool))
    for a, b in zip(everything, sources(mesh, cut, backup)):
        np.testing.assert_array_equal(a, b)


def test_of_backups_at_one_bus_only_one_takes_over(mesh):
    cut = np.ones(mesh.n_branch)
    cut[[1, 3, 4]] = 0.0
    found = sources(mesh, cut, ((2, 1.0), (2, 0.98), (3, 1.0)), np.array([[1, 1, 1], [0, 1, 1]]))
    np.testing.assert_array_equal(found.took_over, [[True, False, False], [False, True, False]])
    np.testing.assert_allclose(found.magnitude[:, 2], [1.0, 0.98])


def test_bad_backups_are_refused(mesh):
    with pytest.raises(ValueError, match=r"backup bus 6 must lie in \[0, 6\)"):
        sources(mesh, np.ones(mesh.n_branch), backup=((6, 1.0),))
    with pytest.raises(ValueError, match="voltage must be positive"):
        sources(mesh, np.ones(mesh.n_branch), backup=((1, 0.0),))
    with pytest.raises(ValueError, match=r"available has shape \(4, 3\), expected \[..., 1\]"):
        sources(mesh, np.ones(mesh.n_branch), backup=((1, 1.0),), available=np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"available has shape \(\), expected \[..., 1\]"):
        sources(mesh, np.ones(mesh.n_branch), backup=((1, 1.0),), available=True)
