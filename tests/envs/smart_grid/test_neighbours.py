"""Neighbourhood and the price of losses, against definitions and the power flow itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gridjax
from gridjax import network as networks
from gridjax.envs.smart_grid.neighbours import electrical_distance, impedances, loss_matrix, neighbour_slots
from gridjax.powerflow import prepare, solve
from gridjax.powerflow.nominal import admittance_matrix

BUSES = [11, 15, 16, 18, 20]


@pytest.fixture(scope="module")
def network():
    return networks.get("cigre_lv")


def test_impedances_invert_the_admittance_matrix(network):
    columns = impedances(network, BUSES)
    unit = admittance_matrix(network) @ columns
    expected = np.zeros_like(unit)
    expected[BUSES, range(5)] = 1.0
    np.testing.assert_allclose(unit[network.free_buses], expected[network.free_buses], atol=1e-7)


def test_distance_along_a_radial_feeder_is_the_impedance_between(network):
    columns = impedances(network, [2, 3, 11])
    distance = electrical_distance(columns, [2, 3, 11])
    line = np.hypot(network.resistance, network.reactance)
    assert distance[0, 1] == pytest.approx(line[1], rel=1e-6)
    assert distance[1, 2] == pytest.approx(line[9], rel=1e-6)
    np.testing.assert_allclose(np.diag(distance), 0.0, atol=1e-12)


def test_slots_are_mutual_and_near():
    rng = np.random.default_rng(0)
    point = rng.uniform(size=(40, 2))
    distance = np.linalg.norm(point[:, None] - point[None], axis=-1)
    neighbour, reverse = neighbour_slots(distance, 3)
    for i, k in np.argwhere(neighbour >= 0):
        j = neighbour[i, k]
        assert j != i
        assert neighbour[j, reverse[i, k]] == i
        assert reverse[j, reverse[i, k]] == k
    assert (neighbour >= 0).mean() > 0.9
    rows = [row[row >= 0].tolist() for row in neighbour]
    assert all(len(set(row)) == len(row) for row in rows)
    assert distance[np.repeat(range(40), 3)[(neighbour >= 0).ravel()], neighbour[neighbour >= 0]].mean() < 0.3


def test_loss_slopes_against_the_derivative_of_the_power_flow(network):
    solver = prepare(network, "chord")
    injection = 0.3 * jnp.asarray(network.nominal_injection, jnp.complex64)

    def losses(p):
        return solve(network, jax.lax.complex(p, injection.imag), method="chord", solver=solver).losses

    exact = np.asarray(jax.jit(jax.grad(losses))(injection.real))[BUSES]
    found = loss_matrix(impedances(network, BUSES)) @ np.asarray(injection.real)
    # first order in the voltage drops
    np.testing.assert_allclose(found, exact, rtol=0.2)
    assert (found < 0).all()  # more injection into a loaded feeder saves losses


def test_the_task_s_neighbours_are_those_in_the_slots():
    env, params = gridjax.make("SmartGrid-v0")
    found = np.asarray(env.neighbours(params))
    expected = np.zeros_like(found)
    for agent, row in enumerate(np.asarray(params.neighbour)):
        expected[agent, row[row >= 0]] = True
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(found, found.T)
    assert 0 < found.sum() < found.size
