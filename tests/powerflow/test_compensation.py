from itertools import combinations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.powerflow import Status, solve
from gridjax.powerflow.case import Case
from gridjax.powerflow.compensation import compensate
from gridjax.powerflow.polar import find, prepare_polar
from gridjax.powerflow.topology import energised
from tests.powerflow.pandapower_case import case

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pandapower"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pandapower"),
]


@jax.jit
def compensated(network, polar, injection, status):
    live = energised(network, status)
    outages = compensate(network, polar, status, live)
    return find(polar, Case(injection), None, 1e-11, 40, outages), live, outages.possible


def test_all_pairs_agree_with_newton(mesh, float64):
    """Taps, a phase shifter, shunts, two slacks; islands of one bus and of several."""
    pairs = [(k,) for k in range(mesh.n_branch)] + list(combinations(range(mesh.n_branch), 2))
    status = np.ones((len(pairs), mesh.n_branch))
    for row, pair in enumerate(pairs):
        status[row, list(pair)] = 0.0
    injection = np.broadcast_to(1.2 * mesh.nominal_injection, (len(pairs), mesh.n_bus))
    found, live, possible = compensated(mesh, prepare_polar(mesh), injection, status)
    expected = solve(mesh, injection, "newton", branch_status=status)
    good = np.asarray(expected.converged)
    assert good.mean() > 0.9
    assert possible.all()
    assert not live.all()
    assert (found.error[good] < 1e-10).all()
    assert found.iterations[good].max() < 30
    difference = jnp.where(live, found.state - expected.deviation, 0.0)
    np.testing.assert_allclose(difference[good], 0.0, atol=1e-9)


def test_random_pairs_of_transmission_agree_with_newton(float64):
    grid = case("case118")[1]
    rng = np.random.default_rng(0)
    status = np.ones((24, grid.n_branch))
    for row in status:
        row[rng.choice(grid.n_branch, 2, replace=False)] = 0.0
    injection = grid.nominal_injection * rng.uniform(0.6, 1.2, (24, 1))
    found, live, _ = compensated(grid, prepare_polar(grid), injection, status)
    expected = solve(grid, injection, "newton", branch_status=status)
    good = np.asarray(expected.converged)
    assert good.sum() >= 22
    assert (found.error[good] < 1e-10).all()
    difference = jnp.where(live, found.state - expected.deviation, 0.0)
    np.testing.assert_allclose(difference[good], 0.0, atol=1e-8)


def test_more_outages_than_followed_are_left_to_newton(mesh, float64):
    status = np.ones((2, mesh.n_branch))
    status[1, [0, 1, 6]] = 0.0
    injection = np.broadcast_to(mesh.nominal_injection, (2, mesh.n_bus))
    *_, possible = compensated(mesh, prepare_polar(mesh), injection, status)
    np.testing.assert_array_equal(possible, [True, False])
    flow = solve(mesh, injection, branch_status=status)
    np.testing.assert_array_equal(flow.status, Status.CONVERGED)
    expected = solve(mesh, injection, "newton", branch_status=status)
    np.testing.assert_allclose(flow.voltage, expected.voltage, atol=1e-9)


def test_gradient_with_a_branch_out(mesh, float64):
    """A line and a bridge out; buses 2 and 3 cut off: against finite differences."""
    status = np.ones((2, mesh.n_branch))
    status[0, 2] = 0.0
    status[1, [1, 3]] = 0.0

    def lost(scale):
        flow = solve(mesh, mesh.nominal_injection * scale[:, None], branch_status=status, tolerance=1e-12)
        return jnp.sum(flow.losses) + jnp.sum(jnp.abs(flow.voltage) ** 2)

    at, step = jnp.array([0.9, 1.1]), 1e-3
    gradient = jax.grad(lost)(at)
    for k in range(2):
        ahead, behind = lost(at.at[k].add(step)), lost(at.at[k].add(-step))
        assert float(gradient[k]) == pytest.approx(float(ahead - behind) / (2 * step), rel=2e-6)
