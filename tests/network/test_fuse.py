import copy
import dataclasses

import jax
import numpy as np
import pandapower.networks
import pytest

from gridjax import network
from gridjax.calibration import from_pandapower
from gridjax.network import BusIndex, Network, check_network, fuse
from gridjax.powerflow import solve
from tests.powerflow.pandapower_case import run, set_branch, voltages

TIES = {15: 7, 16: 4, 17: 8}  # open line end: the bus on the other side of its switch
LINE = {15: "line 12", 16: "line 13", 17: "line 14"}


@pytest.fixture
def float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def cigre():
    """pandapower's network, its switches as they are delivered; not to be changed."""
    return pandapower.networks.create_cigre_network_mv(with_der=False)


def with_closed(net, ends):
    """A copy of `net` in which the switches of the lines of the open `ends` are closed."""
    net = copy.deepcopy(net)
    lines = [int(LINE[row].split()[1]) for row in ends]
    net.switch.loc[(net.switch.et == "l") & net.switch.element.isin(lines), "closed"] = True
    return net


def assert_same(a: Network, b: Network) -> None:
    for field in dataclasses.fields(Network):
        left, right = getattr(a, field.name), getattr(b, field.name)
        if field.metadata.get("static", False):
            assert left == right, field.name
        else:
            assert np.asarray(left).dtype == np.asarray(right).dtype, field.name
            # sums of several numbers round in their order
            np.testing.assert_allclose(left, right, rtol=1e-12, err_msg=field.name)


def test_the_ties_of_cigre_mv_closed_are_what_pandapower_makes_of_them(cigre):
    fused = fuse(network.get("cigre_mv"), TIES)
    expected, _ = from_pandapower(with_closed(cigre, TIES), "cigre_mv")
    assert (fused.n_bus, fused.n_branch) == (15, 17)
    assert fused.branch_labels == expected.branch_labels
    assert fused.bus_index == expected.bus_index
    assert fused.slack_buses == expected.slack_buses
    ends = np.stack([fused.from_bus, fused.to_bus])
    np.testing.assert_array_equal(ends, [expected.from_bus, expected.to_bus])
    for field in ("base_kv", "nominal_injection", "shunt", "resistance", "reactance", "charging_to"):
        np.testing.assert_allclose(getattr(fused, field), getattr(expected, field), rtol=1e-12)


def test_all_ties_closed_and_each_alone_agree_with_pandapower(cigre, float64):
    """A tie that is not in service carries nothing, not even its charging current."""
    fused, net = fuse(network.get("cigre_mv"), TIES), with_closed(cigre, TIES)
    cases = [tuple(TIES), *((row,) for row in TIES), ()]
    status = np.ones((len(cases), fused.n_branch))
    for k, closed in enumerate(cases):
        status[k, [fused.branch_labels.index(LINE[row]) for row in TIES if row not in closed]] = 0.0
    flow = solve(fused, fused.nominal_injection, "newton", branch_status=status)
    np.testing.assert_array_equal(flow.converged, True)
    for k, closed in enumerate(cases):
        for row in TIES:
            set_branch(net, LINE[row], row in closed)
        run(net)
        np.testing.assert_allclose(flow.voltage[k], voltages(net, fused), atol=1e-8)
        losses = (net.res_line.pl_mw.sum() + net.res_trafo.pl_mw.sum()) / fused.base_mva
        np.testing.assert_allclose(flow.losses[k], losses, atol=1e-8)


@pytest.mark.parametrize("row", TIES)
def test_one_switch_closed_leaves_the_other_ties_open_at_one_end(cigre, float64, row):
    """Lines that are open at one end keep drawing their charging current there."""
    fused, net = fuse(network.get("cigre_mv"), {row: TIES[row]}), with_closed(cigre, [row])
    run(net)
    expected = voltages(net, fused)
    known = ~np.isnan(expected)
    assert known.sum() == 15
    flow = solve(fused, fused.nominal_injection, "newton")
    np.testing.assert_allclose(np.asarray(flow.voltage)[known], expected[known], atol=1e-8)
    # without that current the voltages are others, by more than the comparison allows
    whole = fuse(network.get("cigre_mv"), TIES)
    status = np.array([label not in {LINE[r] for r in TIES if r != row} for label in whole.branch_labels])
    without = solve(whole, whole.nominal_injection, "newton", branch_status=status)
    assert np.abs(np.asarray(without.voltage) - expected[known]).max() > 1e-6


def wide(**fields) -> Network:
    """Five buses in a row behind a slack bus at 1, PV buses at 0 and 3; every number its own."""
    n_bus, n_branch = 5, 4
    rng = np.random.default_rng(0)
    complex_bus = [rng.normal(size=n_bus) + 1j * rng.normal(size=n_bus) for _ in range(4)]
    net = Network(
        base_mva=np.asarray(10.0),
        base_kv=np.full(n_bus, 20.0),
        shunt=complex_bus[0],
        from_bus=np.array([1, 0, 2, 3], np.int32),
        to_bus=np.array([0, 2, 3, 4], np.int32),
        resistance=rng.uniform(0.1, 1.0, n_branch),
        reactance=rng.uniform(0.1, 1.0, n_branch),
        charging_from=0.01j * rng.uniform(size=n_branch),
        charging_to=0.01j * rng.uniform(size=n_branch),
        tap_ratio=rng.uniform(0.9, 1.1, n_branch),
        phase_shift=rng.normal(size=n_branch),
        rating_from=np.ones(n_branch),
        rating_to=np.ones(n_branch),
        slack_voltage=np.array([1.02 + 0j]),
        pv_voltage=np.array([1.01, 1.03]),
        reactive_min=np.array([-0.1, -0.3]),
        reactive_max=np.array([0.1, 0.3]),
        constant_current=complex_bus[1],
        constant_impedance=complex_bus[2],
        nominal_injection=complex_bus[3],
        coordinates=rng.normal(size=(n_bus, 2)),
        name="wide",
        slack_buses=(1,),
        pv_buses=(0, 3),
        bus_index=BusIndex({10: 0, 11: 1, 12: 2, 13: 3, 14: 4, 24: 4}),
        branch_labels=tuple(f"line {k}" for k in range(n_branch)),
    )
    return check_network(dataclasses.replace(net, **fields))


def test_what_buses_have_adds_up_and_sources_follow():
    net = wide()
    fused = fuse(net, {0: 4})  # the PV bus at row 0 ends behind the one at row 3
    left = np.array([1, 2, 3, 4])
    for field in ("shunt", "nominal_injection", "constant_current", "constant_impedance"):
        old = getattr(net, field)
        np.testing.assert_allclose(getattr(fused, field), [old[1], old[2], old[3], old[4] + old[0]])
    np.testing.assert_array_equal(fused.from_bus, [0, 3, 1, 2])
    np.testing.assert_array_equal(fused.to_bus, [3, 1, 2, 3])
    assert fused.from_bus.dtype == np.int32
    np.testing.assert_array_equal(fused.coordinates, net.coordinates[left])
    assert fused.slack_buses == (0,)
    assert fused.pv_buses == (2, 3)
    np.testing.assert_array_equal(fused.pv_voltage, [1.03, 1.01])
    np.testing.assert_array_equal(fused.reactive_min, [-0.3, -0.1])
    np.testing.assert_array_equal(fused.reactive_max, [0.3, 0.1])
    assert dict(fused.bus_index) == {10: 3, 11: 0, 12: 1, 13: 2, 14: 3, 24: 3}
    for field in ("resistance", "charging_from", "tap_ratio", "phase_shift", "rating_to"):
        np.testing.assert_array_equal(getattr(fused, field), getattr(net, field))
    assert_same(net, wide())  # what was given is as it was


def test_a_slack_bus_that_goes_is_the_bus_that_stays():
    net = wide()
    fused = fuse(net, {1: 2})
    assert fused.slack_buses == (1,)
    np.testing.assert_array_equal(fused.slack_voltage, net.slack_voltage)
    assert fused.pv_buses == (0, 2)


def test_chains_and_pairs_one_by_one():
    net = wide(pv_buses=(), pv_voltage=np.zeros(0), reactive_min=np.zeros(0), reactive_max=np.zeros(0))
    chain = fuse(net, {1: 4, 4: 2})
    assert_same(chain, fuse(net, [(4, 2), (1, 4)]))
    assert_same(chain, fuse(net, {1: 2, 4: 2}))
    assert [chain.bus_index[bus] for bus in (11, 12, 14)] == [1, 1, 1]
    step = fuse(net, {1: 4})  # rows above 1 move down by one
    assert_same(chain, fuse(step, {3: 1}))


def test_no_pairs_change_nothing():
    assert_same(fuse(wide(), {}), wide())


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({5: 0}, r"rows to fuse must lie in \[0, 5\), got 5"),
        ({2: -1}, r"rows to fuse must lie in \[0, 5\), got -1"),
        ({2: 2}, "row 2 cannot be fused with itself"),
        ([(4, 1), (4, 2)], "row 4 is to go twice, into row 1 and into row 2"),
        ({1: 4, 4: 2, 2: 1}, "rows to fuse form a ring, 1 -> 4 -> 2 -> 1: none of them stays"),
        ({1: 3}, r"rows \[1, 3\] cannot be fused, each of them is a slack or PV bus"),
        ({0: 4, 3: 4}, r"rows \[0, 3\] cannot be fused, each of them is a slack or PV bus"),
        ({3: 2}, r"rows 2 and 3 cannot be fused, branch 2 \(line 2\) lies between them"),
        ({1: 4, 0: 4}, r"rows \[0, 1\] cannot be fused, each of them"),
    ],
)
def test_what_cannot_be_fused_is_refused(pairs, message):
    with pytest.raises(ValueError, match=f"network 'wide': {message}"):
        fuse(wide(), pairs)


def test_other_voltage_levels_are_refused():
    net = wide(base_kv=np.array([20.0, 20.0, 20.0, 20.0, 10.0]))
    with pytest.raises(ValueError, match=r"rows 4 and 2 cannot be fused, their base_kv are 10.0 and 20.0"):
        fuse(net, {4: 2})
