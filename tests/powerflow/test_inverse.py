import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.sparse import csr_array

from gridjax import network
from gridjax.powerflow import prepare, solve
from gridjax.powerflow.inverse import gather_buses, prepare_inverse, scatter_buses
from gridjax.powerflow.inverse.partition import components, neighbours, pack, partition
from gridjax.powerflow.nominal import admittance_matrix, real_form
from tests.powerflow.conftest import meshed, states


def ladder(length: int) -> list[tuple[int, int]]:
    """A meshed graph: two rails of `length` buses with a rung at every bus."""
    rails = [(k, k + 1) for k in range(length - 1)] + [
        (length + k, length + k + 1) for k in range(length - 1)
    ]
    return rails + [(k, length + k) for k in range(length)]


@pytest.mark.parametrize("width", [4, 12])
@pytest.mark.parametrize("kind", ["case141", "ladder", "star"])
def test_parts_only_touch_through_separators(kind, width):
    if kind == "case141":
        net = network.get(kind)
        n, ends = net.n_bus, list(zip(net.from_bus.tolist(), net.to_bus.tolist()))
    else:
        ends = ladder(20) if kind == "ladder" else [(0, k) for k in range(1, 40)]
        n = 40
    graph = neighbours(n, ends, range(n))
    separators, parts = partition(graph, range(n), width)
    assert sorted(separators + [bus for part in parts for bus in part]) == list(range(n))
    assert max(map(len, parts)) <= width
    for part in parts:
        around = set().union(*(graph[bus] for bus in part)) - set(part)
        assert around <= set(separators)
    bins = pack(graph, separators, parts, width)
    assert sorted(bus for held, _ in bins for bus in held) == sorted(bus for part in parts for bus in part)
    for held, seen in bins:
        assert len(held) <= width
        assert {separators[k] for k in seen} == set().union(*(graph[b] for b in held)) - set(held)


def test_components_of_an_unconnected_graph():
    graph = neighbours(5, [(0, 1), (3, 4)], range(5))
    assert sorted(map(sorted, components(graph, range(5)))) == [[0, 1], [2], [3, 4]]


@pytest.mark.parametrize("form", ["dense", "cut", "tree"])
@pytest.mark.parametrize("name", ["meshed", "case33bw", "case141"])
def test_every_form_is_the_inverse(name, form, float64):
    net = meshed() if name == "meshed" else network.get(name)
    matrix = np.asarray(real_form(admittance_matrix(net), np.conj(net.nominal_injection)))
    free = np.concatenate([net.free_buses, net.free_buses + net.n_bus])
    inverse = prepare_inverse(csr_array(matrix), net, net.free_buses, form)
    rng = np.random.default_rng(0)
    right = rng.normal(size=(3, 2 * net.n_bus))
    expected = np.linalg.solve(matrix[np.ix_(free, free)], right[:, free].T).T

    @jax.jit
    def apply(inverse, right):
        n = net.n_bus
        parts = gather_buses(inverse.order, jax.lax.complex(right[:, :n], right[:, n:]))
        x = scatter_buses(inverse.order, inverse.apply(parts), n)
        return jnp.concatenate([x.real, x.imag], axis=-1)

    found = np.asarray(apply(inverse, right))
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found[:, free] / scale, expected / scale, atol=1e-9)
    slack = np.setdiff1d(np.arange(2 * net.n_bus), free)
    np.testing.assert_array_equal(found[:, slack], 0.0)


def test_unknown_form_is_refused(mesh):
    with pytest.raises(ValueError, match="unknown form 'sparse' of the inverse; expected one of auto, dense"):
        prepare(mesh, "chord", "sparse")


def test_forms_need_far_less_memory_than_a_dense_matrix():
    net = network.get("case141")
    size = {
        form: sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(prepare(net, "chord", form).inverse))
        for form in ("dense", "cut", "tree")
    }
    assert size["cut"] < size["dense"] / 4
    assert size["tree"] < size["dense"] / 20


@pytest.mark.parametrize("form", ["cut", "tree"])
def test_the_form_does_not_change_the_flow(form, float64):
    net = network.get("case141")
    injection = states(net, 4)
    expected = solve(net, injection, "newton")
    flow = solve(net, injection, "chord", solver=prepare(net, "chord", form))
    np.testing.assert_array_equal(flow.status, 0)
    np.testing.assert_allclose(flow.voltage, expected.voltage, atol=1e-9)
