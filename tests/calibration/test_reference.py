"""The reference against `pandapower.runpp` itself."""

import copy

import numpy as np
import pandapower as pp
import pandapower.networks
import pytest

from gridjax.calibration import from_pandapower
from gridjax.calibration.limited import enforce, limited_reference
from gridjax.calibration.reference import random_reference
from gridjax.calibration.states import prepare_draw
from gridjax.calibration.tables import internal_tables
from gridjax.calibration.truth import Truth

from .handmade import controlled, switched

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pandapower"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pandapower"),
]

NETWORKS = {
    "controlled": lambda: controlled(2),
    "switched": switched,
    "case118": pandapower.networks.case118,
    "mv_oberrhein": pandapower.networks.mv_oberrhein,
}


class Constant:
    """A random generator without chance: every load at 0.75, every generation at 0.5 of nominal."""

    def uniform(self, low=0.0, high=1.0, size=None):
        return np.full(size, low + 0.5 * (high - low)) if size is not None else 0.5 * (low + high)

    def permutation(self, n):
        return np.arange(n)[:0]


def run(net, **options):
    pp.runpp(net, trafo_model="t", tolerance_mva=1e-11, max_iteration=40, numba=False, **options)
    return net


def scaled(net):
    net = copy.deepcopy(net)
    for table, factor in (("load", 0.75), ("asymmetric_load", 0.75), ("sgen", 0.5), ("asymmetric_sgen", 0.5)):
        powers = [column for column in net[table] if column.startswith(("p_", "q_"))]
        net[table][powers] *= factor
    net.gen.loc[~net.gen.slack.astype(bool), "p_mw"] *= 0.5
    return net


@pytest.mark.parametrize("name", NETWORKS)
def test_a_drawn_state_is_what_runpp_solves(name):
    net = NETWORKS[name]()
    inner, ppci = internal_tables(net)
    draw = prepare_draw(inner, ppci, Constant())
    draw.extra_power[:] = 0.0
    solution = Truth(ppci).solve(draw.sample(ppci, Constant()))
    assert solution.last_step < 1e-13
    truth = run(scaled(net))._ppc["internal"]["V"]
    np.testing.assert_allclose(solution.voltage, truth, atol=1e-10)


def test_the_solver_of_the_reference_agrees_with_runpp_to_the_last_digits():
    net = pandapower.networks.case14()
    pp.runpp(net, trafo_model="t", tolerance_mva=1e-13, numba=False)
    solution = Truth(internal_tables(net)[1]).nominal
    np.testing.assert_allclose(solution.voltage, net._ppc["internal"]["V"], atol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_flows_losses_and_powers_are_those_of_the_result_tables(name):
    net = run(NETWORKS[name]())
    network, _ = from_pandapower(net)
    _, ppci = internal_tables(net)
    nominal = Truth(ppci).nominal
    base = net.sn_mva
    for table, ends in (("line", ("from", "to")), ("trafo", ("hv", "lv")), ("impedance", ("from", "to"))):
        rows = [k for k, label in enumerate(network.branch_labels) if label.split()[0] == table]
        at = [int(network.branch_labels[k].split()[1]) for k in rows]
        for side, end in enumerate(ends):
            found = net["res_" + table].loc[at]
            expected = found[f"p_{end}_mw"] + 1j * found[f"q_{end}_mvar"]
            np.testing.assert_allclose(nominal.power[rows, side] * base, expected, atol=1e-6)
            kv = network.base_kv[(network.from_bus, network.to_bus)[side][rows]]
            amperes = nominal.current[rows, side] * base / np.sqrt(3) / kv
            np.testing.assert_allclose(amperes, found[f"i_{end}_ka"], atol=1e-8)
    tables = ("line", "trafo", "trafo3w", "impedance")
    losses = sum(net["res_" + table].pl_mw.sum() for table in tables)
    losses += net.res_switch[["p_from_mw", "p_to_mw"]].sum().sum()
    if len(net.xward):  # its own result is what enters at the bus, so its inner branch is all of the rest
        inside = network.branch_labels.index("xward 0")
        losses += nominal.power[inside].real.sum() * base
    assert nominal.losses * base == pytest.approx(losses, abs=1e-6)


def test_solutions_beyond_the_point_of_collapse_are_none():
    """Two buses: V_2 solves a quadratic equation, and the lower solution turns the Jacobian around."""
    net = pp.create_empty_network(sn_mva=1.0)
    buses = [pp.create_bus(net, 10.0), pp.create_bus(net, 10.0)]
    pp.create_ext_grid(net, buses[0])
    pp.create_line_from_parameters(
        net, *buses, 1.0, r_ohm_per_km=0.0, x_ohm_per_km=20.0, c_nf_per_km=0, max_i_ka=1
    )
    pp.create_load(net, buses[1], p_mw=1.0)
    _, ppci = internal_tables(net)
    truth = Truth(ppci)
    x, p = 0.2, 1.0
    high, low = (np.sqrt((1.0 + sign * np.sqrt(1.0 - 4.0 * (x * p) ** 2)) / 2.0) for sign in (1, -1))
    assert abs(truth.nominal.voltage[1]) == pytest.approx(high, rel=1e-14)
    # from below, Newton's method first finds the low solution, is refused it, and starts once more
    from_below = np.array([1.0, low * np.exp(-1j * np.arcsin(x * p / low))])
    assert abs(truth.solve(ppci, start=from_below).voltage[1]) == pytest.approx(high, rel=1e-14)
    del truth.nominal
    assert abs(truth.solve(ppci, start=from_below).voltage[1]) == pytest.approx(low, rel=1e-13)


def test_random_states_are_reproducible_and_solve_the_equations():
    net = controlled(1)
    network, _ = from_pandapower(net)
    first, again = (random_reference(network, net, 6, seed=3) for _ in range(2))
    other = random_reference(network, net, 2, seed=4)
    np.testing.assert_array_equal(first.injection, again.injection)
    np.testing.assert_array_equal(first.voltage, again.voltage)
    assert not np.isclose(first.injection[0], other.injection[0]).all()
    assert first.depth == 1.0
    assert first.last_step < 1e-13
    pv = list(network.pv_buses)
    np.testing.assert_allclose(abs(first.voltage[:, pv]), np.tile(network.pv_voltage, (6, 1)), rtol=1e-14)
    # energy balance: what enters is what the branches and the shunts take
    magnitude = abs(first.voltage)
    given = first.injection + first.constant_current * magnitude + first.constant_impedance * magnitude**2
    entered = given.sum(axis=1).real + first.slack_power.sum(axis=1).real
    shunts = (magnitude**2 * network.shunt.real).sum(axis=1)
    np.testing.assert_allclose(entered, first.losses + shunts, atol=1e-12)
    assert (first.losses > 0).all()
    # shares of the loads stay: constant impedance and current scale together with the load of their bus,
    # but for their rounding to float32
    bus = network.bus_index[21]
    ratio = first.constant_current[:, bus].real / first.constant_impedance[:, bus].real
    np.testing.assert_allclose(ratio, ratio[0], rtol=3e-7)
    np.testing.assert_array_equal(first.injection, first.injection.astype(np.complex64))
    assert np.ptp(first.constant_current[:, bus].real) > 0


def test_a_network_that_does_not_bear_the_states_is_drawn_with_balanced_generation():
    net = pandapower.networks.case300()
    network, _ = from_pandapower(net)
    reference = random_reference(network, net, 2, seed=0)
    assert reference.balanced
    assert reference.failures == len(reference.failed)
    generation = reference.injection.real.clip(min=0).sum(axis=1)
    consumption = -reference.injection.real.clip(max=0).sum(axis=1)
    assert (abs(generation / consumption - 1.0) < 0.15).all()


def test_a_network_without_solution_is_refused():
    net = switched()
    net.load.p_mw *= 1e4
    network, _ = from_pandapower(net, "too much")
    with pytest.raises(ValueError, match="does not converge on the nominal state of network 'too much'"):
        random_reference(network, net, 1, seed=0)


@pytest.mark.parametrize("name", ["case118", "case_illinois200", "controlled"])
def test_reactive_limits_are_enforced_as_in_runpp(name):
    net = controlled(2) if name == "controlled" else getattr(pandapower.networks, name)()
    if name == "controlled":
        for table in ("load", "sgen"):  # pandapower shifts limited power into the loads of the bus
            for column in [c for c in net[table] if c.startswith("const_") or c.endswith("_q_mvar")]:
                net[table][column] = 0.0 if column.startswith("const_") else np.nan
    network, _ = from_pandapower(net)
    inner, ppci = internal_tables(net)
    options = {**inner._options, "enforce_q_lims": True, "max_iteration": 30}
    truth = Truth(ppci)
    solution, at_limit = enforce(truth, ppci, options)
    assert at_limit.size > 0
    assert set(at_limit) <= set(network.pv_buses)
    expected = run(net, enforce_q_lims=True)._ppc["internal"]["V"]
    np.testing.assert_allclose(solution.voltage, expected, atol=1e-9)


def test_limited_states_keep_their_limits():
    net = pandapower.networks.case118()
    network, _ = from_pandapower(net)
    reference, limited = limited_reference(network, net, 6, seed=0)
    reactive = reference.generator_reactive
    assert 0 < limited.sum() < limited.size
    assert (reactive <= network.reactive_max + 1e-9).all()
    assert (reactive >= network.reactive_min - 1e-9).all()
    held = abs(abs(reference.voltage[:, list(network.pv_buses)]) - network.pv_voltage) < 1e-12
    np.testing.assert_array_equal(held, ~limited)
    bound = np.minimum(abs(reactive - network.reactive_max), abs(reactive - network.reactive_min))
    np.testing.assert_allclose(bound[limited], 0.0, atol=1e-9)
