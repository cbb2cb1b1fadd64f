import copy

import numpy as np
import pandapower as pp
import pandapower.networks
import pytest
from pandapower.toolbox import nets_equal

from gridjax.calibration import from_pandapower, validate

from .handmade import everything, switched

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pandapower"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pandapower"),
]

SHIPPED = ("case33bw", "case141", "cigre_mv", "cigre_lv")


def admittances(network):
    """Y_from, Y_to `[n_branch, n_bus]` and Y_bus `[n_bus, n_bus]`, from the equations in Network."""
    m = network.n_branch
    f, t = (np.eye(network.n_bus)[rows] for rows in (network.from_bus, network.to_bus))
    y = 1.0 / (network.resistance + 1j * network.reactance)
    tap = network.tap_ratio * np.exp(1j * network.phase_shift)
    at_from = ((y + network.charging_from) / abs(tap) ** 2).reshape(m, 1) * f - (y / tap.conj())[:, None] * t
    at_to = (y + network.charging_to)[:, None] * t - (y / tap)[:, None] * f
    return at_from, at_to, f.T @ at_from + t.T @ at_to + np.diag(network.shunt)


def run(net):
    pp.runpp(net, calculate_voltage_angles=True, trafo_model="t", numba=False, tolerance_mva=1e-8)
    return net


def networks(shipped):
    yield from ((name, shipped(name)) for name in SHIPPED)
    yield "mv_oberrhein", pandapower.networks.mv_oberrhein()
    yield "switched", switched()
    yield from ((f"everything {seed}", everything(seed)) for seed in range(6))


def test_admittances_injections_and_loading_are_pandapowers(shipped):
    for name, net in networks(shipped):
        network, injection = from_pandapower(net)
        net = run(copy.deepcopy(net))
        truth = net._ppc["internal"]
        at_from, at_to, y = admittances(network)
        expected = truth["Ybus"].toarray()
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12 * abs(expected).max(), err_msg=name)
        voltage, slack = truth["V"], list(network.slack_buses)
        np.testing.assert_allclose(network.slack_voltage, voltage[slack], rtol=1e-14, err_msg=name)
        drawn = voltage * np.conj(y @ voltage)
        free = network.free_buses
        np.testing.assert_allclose(drawn[free], injection[free], atol=1e-7, err_msg=name)
        rows = network.bus_index[list(network.bus_index)]
        supplied = net.res_bus.loc[list(network.bus_index)]
        np.testing.assert_allclose(abs(voltage[rows]), supplied.vm_pu, rtol=1e-12, err_msg=name)
        loading = np.maximum(
            abs(at_from @ voltage) / network.rating_from, abs(at_to @ voltage) / network.rating_to
        )
        check_loading(net, network, loading, name)


def check_loading(net, network, loading, name):
    worst = {}
    for label, value in zip(network.branch_labels, loading):
        table, index, *_ = label.split()
        worst[table, int(index)] = max(value, worst.get((table, int(index)), 0.0))
    for (table, index), value in worst.items():
        if table in ("line", "trafo", "trafo3w"):
            limited = table != "line" or np.isfinite(net.line.max_i_ka[index])
            expected = net["res_" + table].loading_percent[index] / 100 if limited else 0.0
            np.testing.assert_allclose(
                value, expected, rtol=1e-9, atol=1e-12, err_msg=f"{name} {table} {index}"
            )


@pytest.mark.parametrize("make", [lambda: everything(3), switched], ids=["everything", "switched"])
def test_the_power_flow_agrees_on_every_kind_of_element(make):
    net = make()
    network, _ = from_pandapower(net)
    report = validate(network, net, n_states=8)
    assert report["reference_failures"] == 0
    double, single = report["float64"], report["float32"]
    assert double["failures"] == single["failures"] == 0
    assert double["voltage_error"] < 1e-8
    assert single["voltage_error"] < 1e-5
    assert max(double[key] for key in double if key.endswith("_error")) < 1e-6


def test_rows_labels_and_places_of_switched_buses():
    network, injection = from_pandapower(switched(), "switched")
    index = network.bus_index
    assert network.name == "switched"
    assert index[101] == index[102]
    assert 105 not in index
    assert 107 not in index
    assert network.slack_buses == (index[100], index[103])
    np.testing.assert_allclose(abs(network.slack_voltage), [1.01, 0.99])
    assert network.branch_labels == (*(f"line {k}" for k in range(6)), "trafo 0", "switch 2")
    # the open ends of lines 2 and 4 are rows of their own, drawn near their far end
    assert network.n_bus == len(set(index.values())) + 2
    ends = {label: (f, t) for label, f, t in zip(network.branch_labels, network.from_bus, network.to_bus)}
    assert ends["line 2"][0] == index[102]
    assert ends["line 2"][1] not in index.values()
    assert 3.0 < network.coordinates[ends["line 2"][1], 0] < 4.0
    assert 6.0 < network.coordinates[ends["line 4"][1], 0] < 7.0
    np.testing.assert_allclose(injection[index[102]], -(1.0 + 0.3j))
    np.testing.assert_allclose(injection[index[103]], -(0.3 + 0.09j))  # net at the source, included
    np.testing.assert_array_equal(network.nominal_injection, injection)


def test_labels_and_ratings_of_transformers():
    net = everything(1)
    network, _ = from_pandapower(net)
    labels = network.branch_labels
    assert labels[8:] == ("trafo 0", "trafo 1", "trafo3w 0 hv", "trafo3w 0 mv", "trafo3w 0 lv", "impedance 0")
    rating = dict(zip(labels, zip(network.rating_from, network.rating_to)))
    assert rating["line 1"] == rating["impedance 0"] == (np.inf, np.inf)
    line = net.line.loc[0]
    amperes = line.max_i_ka * line.df * line.parallel
    np.testing.assert_allclose(rating["line 0"][0], amperes * np.sqrt(3) * 110.0 / net.sn_mva)
    trafo = net.trafo.loc[1]
    expected = 2 * 0.9 * trafo.sn_mva / net.sn_mva * np.array([110 / trafo.vn_hv_kv, 20 / trafo.vn_lv_kv])
    np.testing.assert_allclose(rating["trafo 1"], expected)
    np.testing.assert_allclose(rating["trafo3w 0 mv"], [np.inf, 25 / net.sn_mva * 20 / 20.5])
    star = network.to_bus[labels.index("trafo3w 0 hv")]
    assert star not in network.bus_index.values()
    assert np.isfinite(network.coordinates[network.bus_index[22]]).all()
    assert np.isnan(network.coordinates[network.bus_index[9]]).all()


def test_the_network_of_the_user_is_left_alone():
    net = run(everything(0))
    before = copy.deepcopy(net)
    from_pandapower(net)
    assert nets_equal(net, before, check_only_results=False)
    assert net.keys() == before.keys()
    np.testing.assert_array_equal(net._ppc["bus"], before._ppc["bus"])
    assert net._options == before._options


def test_conversion_needs_no_solution():
    net = switched()
    net.load.p_mw *= 1e4
    network, injection = from_pandapower(net)
    np.testing.assert_allclose(injection[network.bus_index[102]].real, -1e4)
    with pytest.raises(pp.LoadflowNotConverged):
        run(net)


def edit(function):
    net = switched()
    function(net)
    return net


def controller(net):
    from pandapower.control import ContinuousTapControl

    ContinuousTapControl(net, 0, vm_set_pu=1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda n: [pp.create_gen(n, 106, p_mw=1.0), pp.create_gen(n, 108, p_mw=1.0)],
            r"2 gen \(gen 0, 1\) in service",
        ),
        (
            lambda n: pp.create_load(n, 106, p_mw=1.0, const_z_p_percent=50),
            r"1 load \(load 6\) .*voltage-dependent",
        ),
        (
            lambda n: pp.create_load(n, 106, p_mw=1.0, const_i_q_percent=5),
            r"1 load \(load 6\) .*voltage-dependent",
        ),
        (lambda n: pp.create_asymmetric_load(n, 106, p_a_mw=1.0), "1 asymmetric_load"),
        (lambda n: pp.create_asymmetric_sgen(n, 106, p_a_mw=1.0), "1 asymmetric_sgen"),
        (
            lambda n: pp.create_xward(
                n, 106, ps_mw=0, qs_mvar=0, pz_mw=0, qz_mvar=0, r_ohm=1, x_ohm=1, vm_pu=1
            ),
            r"1 xward \(xward 0\)",
        ),
        (
            lambda n: pp.create_dcline(
                n, 100, 106, p_mw=1, loss_percent=1, loss_mw=0.1, vm_from_pu=1, vm_to_pu=1
            ),
            r"1 dcline \(dcline 0\)",
        ),
        (
            lambda n: pp.create_svc(
                n, 106, x_l_ohm=1, x_cvar_ohm=-10, set_vm_pu=1, thyristor_firing_angle_degree=90
            ),
            r"1 svc \(svc 0\)",
        ),
        (controller, r"1 controller \(controller 0\)"),
        (
            lambda n: pp.create_impedance(
                n, 106, 108, rft_pu=0.1, xft_pu=0.1, rtf_pu=0.2, xtf_pu=0.1, sn_mva=1
            ),
            r"1 impedance \(impedance 0\).*differ by direction",
        ),
        (lambda n: n.ext_grid.drop(n.ext_grid.index, inplace=True), "no ext_grid in service"),
        (lambda n: n.ext_grid.__setitem__("in_service", False), "no ext_grid in service"),
        (
            lambda n: n.load.__setitem__("p_mw", np.nan),
            r"6 load \(load 0, 1, 2, 3, 4, 5\): p_mw must be a finite",
        ),
        (
            lambda n: n.line.loc.__setitem__((3, "r_ohm_per_km"), np.inf),
            r"1 line \(line 3\): r_ohm_per_km must be",
        ),
        (
            lambda n: n.line.loc.__setitem__((2, "length_km"), -1.0),
            r"line 2\): length_km must be positive, is -1",
        ),
        (lambda n: n.trafo.__setitem__("vk_percent", 0.0), r"trafo 0\): vk_percent must be positive"),
        (lambda n: n.bus.loc.__setitem__((104, "vn_kv"), 0.0), r"bus 104\): vn_kv must be positive"),
        (lambda n: pp.create_load(n, 105, p_mw=1.0), "island with no source .* 1 pandapower buses: 105"),
        (
            lambda n: n.line.loc.__setitem__((0, ["r_ohm_per_km", "x_ohm_per_km"]), 0.0),
            r"branch 0 \(line 0\) has zero series impedance",
        ),
    ],
)
def test_what_is_not_supported_is_named(change, message):
    net = edit(change)
    with pytest.raises(ValueError, match=message):
        from_pandapower(net)


def test_out_of_service_elements_do_not_matter():
    net = switched()
    pp.create_gen(net, 106, p_mw=1.0, in_service=False)
    pp.create_load(net, 106, p_mw=np.nan, const_z_p_percent=50, in_service=False)
    first, second = from_pandapower(net)[1], from_pandapower(switched())[1]
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("thing", [None, {}, "case33bw", 3])
def test_anything_but_a_pandapower_network_is_refused(thing):
    with pytest.raises(TypeError, match=f"expected a pandapowerNet, got {type(thing).__name__}"):
        from_pandapower(thing)
