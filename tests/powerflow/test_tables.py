"""Tables against pandapower's result tables, column by column."""

import sys

import jax
import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridjax.calibration import from_pandapower
from gridjax.powerflow import solve
from gridjax.powerflow.tables import branch_table, bus_table, scenario_table, source_table, to_pandas


@pytest.fixture(scope="module")
def village():
    """Bus numbers that are no rows, a transformer, a shunt, an sgen; solved by pandapower."""
    net = pp.create_empty_network(name="village")
    grid = pp.create_bus(net, 20.0, index=7)
    busbar = pp.create_bus(net, 0.4, index=100)
    pp.create_ext_grid(net, grid, vm_pu=1.02)
    pp.create_transformer(net, grid, busbar, std_type="0.4 MVA 20/0.4 kV")
    before = busbar
    for house in (205, 203, 201):
        bus = pp.create_bus(net, 0.4, index=house)
        pp.create_line(net, before, bus, length_km=0.08, std_type="NAYY 4x50 SE")
        pp.create_load(net, bus, p_mw=0.012, q_mvar=0.003)
        before = bus
    pp.create_sgen(net, 203, p_mw=0.03)
    pp.create_shunt(net, 201, q_mvar=-0.005)
    pp.runpp(net, trafo_model="t", calculate_voltage_angles=True, tolerance_mva=1e-11, numba=False)
    network, injection = from_pandapower(net)
    with jax.enable_x64(True):
        flow = jax.tree.map(np.asarray, jax.jit(lambda s: solve(network, s))(injection))
        batch = np.stack([injection, 0.5 * injection, 500.0 * injection])
        many = jax.tree.map(np.asarray, jax.jit(lambda s: solve(network, s))(batch))
    return net, network, flow, many


def test_bus_table(village):
    net, network, flow, _ = village
    table = bus_table(network, flow)
    assert table.index.name == "bus"
    expected = net.res_bus.loc[table.index]
    for column in ("vm_pu", "va_degree"):
        np.testing.assert_allclose(table[column], expected[column], atol=1e-8)
    # pandapower counts consumption positive, and shunts as consumers
    shunt = net.res_shunt.groupby(net.shunt.bus).sum().reindex(table.index).fillna(0.0)
    for column in ("p_mw", "q_mvar"):
        np.testing.assert_allclose(table[column], -(expected[column] - shunt[column]), atol=1e-8)


def test_branch_table(village):
    net, network, flow, _ = village
    table = branch_table(network, flow)
    for label, row in table.iterrows():
        kind, index = str(label).split()[:2]
        result = net[f"res_{kind}"].loc[int(index)]
        ends = ("from", "to") if kind == "line" else ("hv", "lv")
        for ours, theirs in zip(("from", "to"), ends):
            np.testing.assert_allclose(row[f"p_{ours}_mw"], result[f"p_{theirs}_mw"], atol=1e-8)
            np.testing.assert_allclose(row[f"q_{ours}_mvar"], result[f"q_{theirs}_mvar"], atol=1e-8)
            np.testing.assert_allclose(row[f"i_{ours}_ka"], result[f"i_{theirs}_ka"], atol=1e-8)
        np.testing.assert_allclose(row.pl_mw, result.pl_mw, atol=1e-9)
        np.testing.assert_allclose(row.loading_percent, result.loading_percent, atol=1e-5)


def test_source_table(village):
    net, network, flow, _ = village
    table = source_table(network, flow)
    assert table.index.tolist() == [7]
    assert table.kind.tolist() == ["slack"]
    np.testing.assert_allclose(table.loc[7, "p_mw"], net.res_ext_grid.p_mw[0], atol=1e-8)
    np.testing.assert_allclose(table.loc[7, "q_mvar"], net.res_ext_grid.q_mvar[0], atol=1e-8)


def test_backups_are_sources(village):
    """Without its transformer the village lives from a battery at bus 201, which its load then says."""
    net, network, _, _ = village
    injection = net.load.p_mw.sum() - net.sgen.p_mw.sum()
    cut = [label.startswith("line") for label in network.branch_labels]
    backups = ((int(network.bus_index[201]), 1.0),)
    alone = solve(
        network, np.array(network.nominal_injection), branch_status=np.array(cut), backup_slack=backups
    )
    table = to_pandas(network, alone, backup_slack=backups).source
    assert table.index.tolist() == [7, 201]
    assert table.kind.tolist() == ["slack", "backup"]
    assert table.loc[7, "p_mw"] == 0.0
    losses = float(alone.losses) * float(network.base_mva)
    np.testing.assert_allclose(table.loc[201, "p_mw"], injection + losses, rtol=1e-3)
    with pytest.raises(ValueError, match=r"flow has 1 backups, but backup_slack names 0"):
        to_pandas(network, alone)


def test_batches_are_indexed_by_scenario_first(village):
    _, network, flow, many = village
    hours = pd.date_range("2030-01-01", periods=3, freq="h")
    tables = to_pandas(network, many, hours)
    assert tables.bus.index.names == ["scenario", "bus"]
    pd.testing.assert_frame_equal(tables.bus.loc[hours[0]], bus_table(network, flow), atol=1e-9)
    assert tables.branch.xs("line 0", level="branch").index.equals(hours.rename("scenario"))
    assert len(tables.source) == 3
    assert tables.scenario.converged.tolist() == [True, True, False]
    assert tables.scenario.status.iloc[0] == "converged"
    np.testing.assert_allclose(tables.scenario.vm_min_pu.iloc[0], tables.bus.loc[hours[0]].vm_pu.min())
    np.testing.assert_allclose(
        tables.scenario.losses_mw, tables.branch.pl_mw.groupby("scenario").sum(), atol=1e-9
    )
    assert scenario_table(network, flow).shape == (1, tables.scenario.shape[1])


def test_bad_input_is_refused_by_name(village, monkeypatch):
    _, network, flow, many = village
    with pytest.raises(ValueError, match="2 labels for 3 scenarios"):
        bus_table(network, many, [1, 2])
    with pytest.raises(ValueError, match="single power flow"):
        bus_table(network, flow, [1])
    deep = jax.tree.map(lambda leaf: leaf[None], many)
    with pytest.raises(ValueError, match=r"flow\.voltage has shape"):
        bus_table(network, deep)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"gridjax\[pandas\]"):
        bus_table(network, flow)
