import copy
from dataclasses import replace

import jax
import jax.numpy as jnp
import networkx
import numpy as np
import pandapower as pp
import pytest
from pandapower.pypower.makeLODF import makeLODF
from pandapower.pypower.makePTDF import makePTDF

from gridjax.powerflow.dc import lodf, ptdf, solve_dc
from gridjax.powerflow.topology import energised
from tests.powerflow.pandapower_case import case

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pandapower"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pandapower"),
]


@pytest.mark.parametrize("name", ["case118", "case300", "mv_oberrhein"])
def test_agrees_with_pandapower(name, float64):
    """Taps, phase shifters (case300), shunt conductances; angles, flows and slack power."""
    net, grid = case(name)
    net = copy.deepcopy(net)
    pp.rundcpp(net)
    flow = jax.jit(solve_dc)(grid, grid.nominal_injection)
    buses = np.array(list(grid.bus_index))
    expected = np.deg2rad(net.res_bus.va_degree.loc[buses])
    np.testing.assert_allclose(flow.angle[grid.bus_index[buses]], expected, atol=1e-9)
    for table, column in (("line", "p_from_mw"), ("trafo", "p_hv_mw")):
        rows = [k for k, label in enumerate(grid.branch_labels) if label.split()[0] == table]
        index = [int(grid.branch_labels[k].split()[1]) for k in rows]
        result = net["res_" + table][column].loc[index].to_numpy()
        np.testing.assert_allclose(flow.power[np.array(rows)] * grid.base_mva, result, atol=1e-6)
    sources = net.res_ext_grid.p_mw.sum() + net.res_gen.p_mw[net.gen.slack].sum()
    assert float(flow.slack_power.sum() * grid.base_mva) == pytest.approx(sources, abs=1e-6)


def test_factors_agree_with_pandapower(float64):
    net, grid = case("case118")
    net = copy.deepcopy(net)
    pp.rundcpp(net)
    ppci = net._ppc["internal"]
    slack = grid.slack_buses[0]
    expected = makePTDF(ppci["baseMVA"], ppci["bus"], ppci["branch"], slack=slack)
    factors = ptdf(grid)
    np.testing.assert_allclose(factors, expected, atol=1e-9)
    outage = np.asarray(lodf(grid, factors))
    # pandapower divides by what is left of 1 - 1 where a branch is a bridge: any number may come of it
    ends = np.sort(np.stack([grid.from_bus, grid.to_bus], axis=1), axis=1)
    pairs, parallel = np.unique(ends, axis=0, return_counts=True)
    single = {tuple(pair) for pair, n in zip(pairs.tolist(), parallel) if n == 1}
    bridges = single & {tuple(sorted(pair)) for pair in networkx.bridges(networkx.Graph(pairs.tolist()))}
    bridge = np.array([tuple(pair) in bridges for pair in ends.tolist()])
    assert 0 < bridge.sum() < 20
    with np.errstate(all="ignore"):
        reference = makeLODF(ppci["branch"], expected)
    np.testing.assert_allclose(outage[:, ~bridge], reference[:, ~bridge], atol=1e-7)
    assert np.isfinite(outage).all()


@pytest.mark.parametrize("name", ["case118", "mv_oberrhein"])
def test_outage_factors_predict_the_solved_outage(name, float64):
    """Every branch out, bridges included: LODF against a solve of its own on the live branches."""
    grid = case(name)[1]
    status = 1.0 - np.eye(grid.n_branch)
    base = solve_dc(grid, grid.nominal_injection)
    after = jax.jit(solve_dc)(grid, grid.nominal_injection, status)
    predicted = np.asarray(base.power + (lodf(grid) * base.power).T)
    live = np.asarray(energised(grid, status))
    alive = live[:, grid.from_bus] & live[:, grid.to_bus]
    assert not alive.all()
    np.testing.assert_array_equal(np.asarray(after.power)[~alive], 0.0)
    np.testing.assert_allclose(np.where(alive, predicted, 0.0), after.power, atol=1e-8)
    np.testing.assert_array_equal(after.energised, live)


def test_differentiable_in_injection_and_reactance(mesh, float64):
    def worst(injection, reactance):
        return jnp.sum(solve_dc(replace(mesh, reactance=reactance), injection).power ** 2)

    injection, reactance = mesh.nominal_injection.real, jnp.asarray(mesh.reactance)
    gradient = jax.grad(worst, argnums=(0, 1))(injection, reactance)
    for argument, value in enumerate((injection, reactance)):
        step = 1e-6 * np.random.default_rng(0).normal(size=value.shape)
        ends = [[injection, reactance], [injection, reactance]]
        ends[0][argument], ends[1][argument] = value + step, value - step
        difference = worst(*ends[0]) - worst(*ends[1])
        assert float(2 * gradient[argument] @ step) == pytest.approx(float(difference), rel=1e-6)


def test_leading_axes_are_scenarios(mesh):
    injection = np.stack([mesh.nominal_injection * k for k in (0.5, 1.0, 2.0)]).reshape(3, 1, -1)
    flow = solve_dc(mesh, injection)
    assert flow.power.shape == (3, 1, mesh.n_branch)
    np.testing.assert_allclose(flow.power[1, 0], solve_dc(mesh, injection[1, 0]).power, atol=1e-6)


def test_bad_input_is_refused(mesh):
    with pytest.raises(ValueError, match="injection has shape"):
        solve_dc(mesh, np.zeros(4))
    with pytest.raises(ValueError, match=r"branch 0 \(branch 0\) has no reactance"):
        solve_dc(replace(mesh, reactance=mesh.reactance * (np.arange(7) > 0)), mesh.nominal_injection)
