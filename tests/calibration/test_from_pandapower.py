import copy

import numpy as np
import pandapower as pp
import pandapower.networks
import pytest
from pandapower.toolbox import nets_equal

from gridjax.calibration import from_pandapower, validate

from .handmade import controlled, everything, switched

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
    pp.runpp(net, trafo_model="t", numba=False, tolerance_mva=1e-8, max_iteration=30)
    return net


def networks(shipped):
    yield from ((name, shipped(name)) for name in SHIPPED)
    yield "mv_oberrhein", pandapower.networks.mv_oberrhein()
    yield "switched", switched()
    yield from ((f"everything {seed}", everything(seed)) for seed in range(6))
    yield from ((f"controlled {seed}", controlled(seed)) for seed in range(4))
    yield "case118", pandapower.networks.case118()
    yield "case300", pandapower.networks.case300()


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
        pv = list(network.pv_buses)
        np.testing.assert_allclose(network.pv_voltage, abs(voltage[pv]), rtol=1e-14, err_msg=name)
        magnitude = abs(voltage)
        given = injection + network.constant_current * magnitude + network.constant_impedance * magnitude**2
        missing = voltage * np.conj(y @ voltage) - given
        missing[slack] = 0.0
        missing[pv] = missing[pv].real
        np.testing.assert_allclose(missing, 0.0, atol=1e-7, err_msg=name)
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


def test_voltage_controlled_buses_and_their_limits():
    net = controlled(0)
    network, injection = from_pandapower(net)
    index, base = network.bus_index, net.sn_mva
    assert network.slack_buses == (index[5], index[60])
    np.testing.assert_allclose(network.slack_voltage, [1.02 * np.exp(1j * np.deg2rad(3.0)), 1.015])
    inner = network.to_bus[network.branch_labels.index("xward 0")]
    assert set(network.pv_buses) == {index[9], index[24], index[61], inner}
    place = {row: k for k, row in enumerate(network.pv_buses)}
    voltage = {index[9]: 1.01, index[24]: 1.0, index[61]: 1.005, inner: 1.0}
    low = {index[9]: (-8.0 - 2.0 - 3.0) / base, index[24]: -np.inf, index[61]: -1.0 / base, inner: -np.inf}
    high = {index[9]: (9.0 + 3.0 + 4.0) / base, index[24]: 2.0 / base, index[61]: 1.0 / base, inner: np.inf}
    for row, k in place.items():
        assert network.pv_voltage[k] == pytest.approx(voltage[row])
        assert network.reactive_min[k] == pytest.approx(low[row])
        assert network.reactive_max[k] == pytest.approx(high[row])
    # two generators and the sending end of the DC line; its receiving end and a load
    assert injection[index[9]] * base == pytest.approx(12.0 + 0.7 * 5.0 - 5.0)
    assert injection[index[61]] * base == pytest.approx(5.0 * 0.98 - 0.1 - 4.0 - 1.0j)
    load = net.load[(net.load.bus == 5) & net.load.in_service]
    assert injection[index[5]] * base == pytest.approx(7.0 - load.p_mw.sum() - 1j * load.q_mvar.sum())
    assert injection[index[60]] == 0.0  # what a slack generator sends is solved for


def test_voltage_dependent_and_asymmetric_loads():
    net = switched()
    pp.create_load(
        net, 106, p_mw=2.0, q_mvar=1.0, scaling=0.5,
        const_z_p_percent=30, const_i_p_percent=20, const_z_q_percent=10, const_i_q_percent=40,
    )  # fmt: skip
    pp.create_asymmetric_load(net, 108, p_a_mw=0.1, p_b_mw=0.2, q_c_mvar=0.3, scaling=2.0)
    pp.create_asymmetric_load(net, 108, p_a_mw=9.0, in_service=False)
    network, injection = from_pandapower(net)
    row = network.bus_index[106]
    assert network.constant_impedance[row] == pytest.approx(-(0.3 + 0.05j))
    assert network.constant_current[row] == pytest.approx(-(0.2 + 0.2j))
    assert injection[row] == pytest.approx(-(0.5 + 0.25j))
    assert np.count_nonzero(network.constant_current) == np.count_nonzero(network.constant_impedance) == 1
    plain = from_pandapower(switched())[1]
    at = network.bus_index[108]
    assert (injection - plain)[at] == pytest.approx(-(0.6 + 0.6j))


def test_a_slack_generator_is_a_source():
    net = switched()
    net.ext_grid["in_service"] = False
    pp.create_gen(net, 100, p_mw=0.0, vm_pu=1.01, slack=True)
    pp.create_gen(net, 103, p_mw=0.0, vm_pu=0.99, slack=True)
    network, _ = from_pandapower(net)
    np.testing.assert_allclose(network.slack_voltage, [1.01, 0.99])
    assert network.pv_buses == ()


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
            lambda n: pp.create_load(n, 106, p_mw=1.0, const_z_p_percent=60, const_i_p_percent=41),
            r"1 load \(load 6\): const_z_p_percent and const_i_p_percent must be .* together at most 100",
        ),
        (
            lambda n: pp.create_load(n, 106, p_mw=1.0, const_i_q_percent=-5),
            r"1 load \(load 6\): const_z_q_percent and const_i_q_percent must be at least 0",
        ),
        (
            lambda n: [pp.create_gen(n, 106, p_mw=1.0, vm_pu=v) for v in (1.0, 1.01)],
            "pandapower refuses the network: .* different setpoints",
        ),
        (lambda n: pp.create_gen(n, 106, p_mw=1.0, vm_pu=0.0), r"1 gen \(gen 0\): vm_pu must be positive"),
        (
            lambda n: pp.create_gen(n, 106, p_mw=1.0, min_q_mvar=1.0, max_q_mvar=-1.0),
            "reactive_min must not exceed reactive_max, got 1.0 and -1.0",
        ),
        (lambda n: pp.create_gen(n, 105, p_mw=1.0), "island with no source .* 1 pandapower buses: 105"),
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
        (
            lambda n: n.ext_grid.drop(n.ext_grid.index, inplace=True),
            "no ext_grid and no slack gen in service",
        ),
        (lambda n: n.ext_grid.__setitem__("in_service", False), "no ext_grid and no slack gen in service"),
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
        (lambda n: n.trafo.__setitem__("vk_percent", 0.0), r"trafo 0\): vk_percent must not be zero"),
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
    pp.create_asymmetric_load(net, 106, p_a_mw=np.nan, in_service=False)
    first, second = from_pandapower(net)[1], from_pandapower(switched())[1]
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("thing", [None, {}, "case33bw", 3])
def test_anything_but_a_pandapower_network_is_refused(thing):
    with pytest.raises(TypeError, match=f"expected a pandapowerNet, got {type(thing).__name__}"):
        from_pandapower(thing)
