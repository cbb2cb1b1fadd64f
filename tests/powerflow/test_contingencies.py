import copy

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.powerflow import Status
from gridjax.powerflow.contingencies import branch_status, contingencies, outage_rows, rank
from tests.powerflow.pandapower_case import case, run, set_branch, voltages

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pandapower"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pandapower"),
]


def loadings(net, grid) -> np.ndarray:
    """pandapower's loading of lines and transformers as a share, by branch; NaN elsewhere."""
    found = np.full(grid.n_branch, np.nan)
    for table in ("line", "trafo"):
        rows = [k for k, label in enumerate(grid.branch_labels) if label.split()[0] == table]
        index = [int(grid.branch_labels[k].split()[1]) for k in rows]
        found[rows] = net["res_" + table].loading_percent.reindex(index).to_numpy() / 100.0
    return found


@pytest.mark.parametrize("name", ["case118", pytest.param("mv_oberrhein", marks=pytest.mark.slow)])
def test_every_branch_out_agrees_with_pandapower(name, float64):
    """Line by line, islands included: voltages, loadings, which buses are dead, and what they lose."""
    net, grid = case(name)
    net = copy.deepcopy(net)
    found = contingencies(grid)
    np.testing.assert_array_equal(found.flow.status, Status.CONVERGED)
    run(net)
    worst, cut_off = 0.0, 0
    for k, label in enumerate(grid.branch_labels):
        set_branch(net, label, False)
        run(net)
        expected, loading = voltages(net, grid), loadings(net, grid)
        demand = net.res_load.p_mw.sum()
        set_branch(net, label, True)
        live = np.asarray(found.flow.energised[k])
        has_bus = np.isin(np.arange(grid.n_bus), list(grid.bus_index.values()))
        np.testing.assert_array_equal(np.isnan(expected[has_bus]), ~live[has_bus])
        voltage = np.asarray(found.flow.voltage[k])
        worst = max(worst, np.abs(voltage - expected)[live & has_bus].max())
        rated = np.isfinite(loading) & np.isfinite(grid.rating_from)
        np.testing.assert_allclose(found.flow.loading[k][rated], loading[rated], atol=1e-6)
        assert (voltage[~live] == 0).all()
        if not live.all():
            cut_off += 1
            lost = net.load.p_mw.mul(net.load.scaling)[net.load.in_service].sum() - demand
            assert float(found.lost_load[k] * grid.base_mva) == pytest.approx(lost, abs=1e-6)
    assert worst < 1e-8
    assert cut_off > 5


def test_two_at_once_and_scenarios(float64):
    net, grid = case("case118")
    net = copy.deepcopy(net)
    pairs = [("line 3", "trafo 0"), (5, 40), 7]
    scale = np.array([0.8, 1.1])
    found = contingencies(grid, grid.nominal_injection * scale[:, None], pairs)
    assert found.flow.voltage.shape == (2, 3, grid.n_bus)
    np.testing.assert_array_equal(found.outages[2], [7, -1])
    p_gen, load = net.gen.p_mw.copy(), net.load[["p_mw", "q_mvar"]].copy()
    for s, factor in enumerate(scale):
        net.gen.p_mw = p_gen * factor
        net.load[["p_mw", "q_mvar"]] = load * factor
        for k, rows in enumerate(found.outages):
            labels = [grid.branch_labels[row] for row in rows if row >= 0]
            for label in labels:
                set_branch(net, label, False)
            run(net)
            for label in labels:
                set_branch(net, label, True)
            expected = np.nan_to_num(voltages(net, grid))
            np.testing.assert_allclose(found.flow.voltage[s, k], expected, atol=1e-8)


def test_rank_puts_the_worst_first(float64):
    grid = case("case118")[1]
    found = contingencies(grid, grid.nominal_injection, [[0], [7], [8], [50]])
    order = np.asarray(rank(found))
    worst = np.asarray(found.worst_loading)[order]
    assert (np.diff(worst) <= 0).all()
    assert (np.asarray(found.worst_branch) >= 0).all()


def test_without_a_solution_is_flagged_and_first(mesh, float64):
    injection = mesh.nominal_injection * np.array([1.0, 60.0])[:, None]
    found = contingencies(mesh, injection)
    assert (found.flow.status[0] == Status.CONVERGED).all()
    bad = np.asarray(found.flow.status[1] != Status.CONVERGED)
    assert bad.any()
    order = np.asarray(rank(found))[1]
    assert bad[order[: bad.sum()]].all()
    for leaf in jax.tree.leaves(found):
        assert np.isfinite(np.asarray(leaf)).all()


def test_float32(mesh):
    single = contingencies(mesh, mesh.nominal_injection.astype(np.complex64))
    with jax.enable_x64(True):
        double = contingencies(mesh)
    np.testing.assert_allclose(single.flow.voltage, double.flow.voltage, atol=2e-6)
    assert single.flow.voltage.dtype == jnp.complex64


def test_outages_by_label_and_row(mesh):
    np.testing.assert_array_equal(outage_rows(mesh), np.arange(7)[:, None])
    rows = outage_rows(mesh, ["branch 2", (3, "branch 1"), 0])
    np.testing.assert_array_equal(rows, [[2, -1], [1, 3], [0, -1]])
    status = branch_status(mesh, rows)
    np.testing.assert_array_equal(status.sum(-1), [6, 5, 6])
    assert status[1, 1] == status[1, 3] == 0


def test_an_unknown_outage_is_refused(mesh):
    with pytest.raises(ValueError, match=r"outage 'branch 9' is no branch .* such as 'branch 0'"):
        contingencies(mesh, outages=["branch 9"])
    with pytest.raises(ValueError, match=r"outage 7 is no branch .* a row in \[0, 7\)"):
        contingencies(mesh, outages=[7])
    with pytest.raises(ValueError, match="outages is empty"):
        contingencies(mesh, outages=[])
