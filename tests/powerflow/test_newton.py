import copy
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pandapower as pp
import pytest

from gridjax import network
from gridjax.calibration import from_pandapower
from gridjax.powerflow import Status, prepare, solve
from gridjax.powerflow.equations import drawn, equations, limit_reactive, residual, scheduled
from gridjax.powerflow.newton import find, linear_response
from tests.powerflow.conftest import states
from tests.powerflow.pandapower_case import case, run, set_branch, voltages

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pandapower"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pandapower"),
]


@partial(jax.jit, static_argnames=("tolerance", "enforce"))
def newton(net, solver, injection, tolerance=1e-10, enforce=False, **of_equations):
    system = equations(net, solver.nominal, injection, **of_equations)
    solution = find(solver, system, jnp.zeros_like(injection), tolerance, 30, enforce)
    fixed = limit_reactive(system, solution.limited)
    reactive = (drawn(fixed, solution.deviation) - scheduled(system, solution.deviation)).imag
    return solution, solver.nominal.voltage * (1.0 + solution.deviation), reactive, system.energised


def test_agrees_with_the_chord(shipped, float64):
    injection = states(shipped, 16)
    chord, newton = solve(shipped, injection, "chord"), solve(shipped, injection, "newton")
    assert (chord.status == Status.CONVERGED).all()
    assert (newton.status == Status.CONVERGED).all()
    np.testing.assert_allclose(chord.voltage, newton.voltage, atol=1e-9)
    np.testing.assert_allclose(chord.losses, newton.losses, atol=1e-10)


def test_converges_quadratically(mesh, float64):
    flow = solve(mesh, states(mesh, 16), "newton", tolerance=1e-12)
    assert flow.iterations.max() <= 6
    assert flow.mismatch.max() < 1e-12


def test_slack_voltages_stay(mesh):
    rows = np.array(mesh.slack_buses)
    flow = solve(mesh, mesh.nominal_injection * 1.4, "newton")
    np.testing.assert_allclose(flow.voltage[rows], mesh.slack_voltage, atol=1e-6)


def test_reaches_loads_that_the_chord_gives_up(float64):
    """Near the nose the chord is flagged before Newton is; neither calls anything else a solution."""
    shipped = network.get("case33bw")
    scales = np.linspace(1.0, 12.0, 23)[:, None]
    injection = shipped.nominal_injection * scales
    chord, newton = solve(shipped, injection, "chord"), solve(shipped, injection, "newton")
    good = np.asarray(newton.converged)
    assert good.sum() >= np.asarray(chord.converged).sum() > 2
    both = good & np.asarray(chord.converged)
    np.testing.assert_allclose(chord.voltage[both], newton.voltage[both], atol=1e-7)
    assert not good[-1]


@pytest.fixture(scope="module")
def transmission():
    """case118 in pandapower, its network and what Newton needs."""
    net, grid = case("case118")
    return net, grid, prepare(grid, "newton")


def test_voltage_controlled_buses_agree_with_pandapower(transmission, float64):
    net, grid, solver = transmission
    net = copy.deepcopy(net)
    scale = np.array([1.0, 0.5, 1.5, 2.0])
    solution, voltage, *_ = newton(grid, solver, grid.nominal_injection * scale[:, None])
    assert (solution.change < 1e-10).all()
    p_gen, load = net.gen.p_mw.copy(), net.load[["p_mw", "q_mvar"]].copy()
    for k, factor in enumerate(scale):
        net.gen.p_mw = p_gen * factor
        net.load[["p_mw", "q_mvar"]] = load * factor
        run(net)
        np.testing.assert_allclose(voltage[k], voltages(net, grid), atol=1e-9)


def test_float32_keeps_six_digits(transmission):
    _, grid, solver = transmission
    injection = grid.nominal_injection * np.array([0.6, 1.3])[:, None]
    solution, voltage, *_ = newton(grid, solver, injection.astype(np.complex64), tolerance=1e-5)
    assert (solution.change < 1e-5).all()
    with jax.enable_x64(True):
        _, exact, *_ = newton(grid, solver, injection)
    np.testing.assert_allclose(voltage, exact, atol=1e-6)


def test_reactive_limits_agree_with_pandapower(transmission, float64):
    net, grid, solver = transmission
    net = copy.deepcopy(net)
    scale = np.array([1.0, 1.3, 0.7])
    solution, voltage, reactive, _ = newton(
        grid, solver, grid.nominal_injection * scale[:, None], enforce=True
    )
    assert (solution.change < 1e-10).all()
    p_gen, load = net.gen.p_mw.copy(), net.load[["p_mw", "q_mvar"]].copy()
    rows = grid.bus_index[net.gen.bus.to_numpy()]
    some = 0
    for k, factor in enumerate(scale):
        net.gen.p_mw = p_gen * factor
        net.load[["p_mw", "q_mvar"]] = load * factor
        run(net, enforce_q_lims=True)
        np.testing.assert_allclose(voltage[k], voltages(net, grid), atol=1e-8)
        mvar = np.asarray(reactive[k, rows]) * grid.base_mva
        np.testing.assert_allclose(mvar, net.res_gen.q_mvar, atol=1e-5)
        some += int((solution.limited[k] != 0).sum())
    assert some > 5
    limits = np.where(solution.limited > 0, grid.reactive_max, grid.reactive_min)
    held = np.asarray(solution.limited != 0)
    np.testing.assert_allclose(reactive[:, np.array(grid.pv_buses)][held], limits[held], atol=1e-9)


def test_branches_out_agree_with_pandapower(transmission, float64):
    """A meshed line, a transformer and a line that supplies a single bus, each in a scenario of its own."""
    net, grid, solver = transmission
    net = copy.deepcopy(net)
    ends = np.concatenate([grid.from_bus, grid.to_bus])
    leaf = np.flatnonzero(np.bincount(ends, minlength=grid.n_bus) == 1)[0]
    out = [3, grid.branch_labels.index("trafo 0"), int(np.flatnonzero(ends == leaf)[0] % grid.n_branch)]
    status = np.ones((3, grid.n_branch))
    status[np.arange(3), out] = 0.0
    injection = np.broadcast_to(grid.nominal_injection, (3, grid.n_bus))
    solution, voltage, _, live = newton(grid, solver, injection, branch_status=status)
    assert (solution.change < 1e-10).all()
    np.testing.assert_array_equal((~live).sum(-1), [0, 0, 1])
    for k, branch in enumerate(out):
        set_branch(net, grid.branch_labels[branch], False)
        run(net)
        set_branch(net, grid.branch_labels[branch], True)
        expected = voltages(net, grid)
        np.testing.assert_array_equal(live[k], ~np.isnan(expected))
        np.testing.assert_allclose(voltage[k][live[k]], expected[live[k]], atol=1e-9)


def test_an_island_runs_on_its_own_slack(mesh, float64):
    """Cut off from both slacks, buses 2 and 3 follow a backup at 2."""
    status = np.array([[1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0]])
    solver = prepare(mesh, "newton")
    slack = np.array([[True, False, True, False, False, True]])
    system = equations(mesh, solver.nominal, mesh.nominal_injection[None], branch_status=status, slack=slack)
    start = jnp.zeros((1, 6), complex).at[0, 2].set(0.99 / abs(solver.nominal.voltage[2]) - 1.0)
    solution = jax.jit(find, static_argnums=(3, 4))(solver, system, start, 1e-12, 30)
    assert solution.change < 1e-12
    voltage = solver.nominal.voltage * (1.0 + solution.deviation[0])
    assert abs(voltage[2]) == pytest.approx(0.99)
    # line 2-3 alone supplies bus 3 from bus 2: hand calculation of its sending power
    y = 1.0 / (mesh.resistance[2] + 1j * mesh.reactance[2])
    current = y * (voltage[3] - voltage[2]) + mesh.charging_to[2] * voltage[3] + mesh.shunt[3] * voltage[3]
    np.testing.assert_allclose(voltage[3] * np.conj(current), mesh.nominal_injection[3], atol=1e-11)


def test_dependence_on_voltage_agrees_with_pandapower(float64):
    net = copy.deepcopy(case("case_ieee30")[0])
    pp.create_load(net, 25, 12.0, 6.0, const_z_p_percent=30, const_z_q_percent=30)
    net.load["const_i_p_percent"] = net.load["const_i_q_percent"] = 45.0
    net.load["const_z_p_percent"] = net.load["const_z_q_percent"] = 35.0
    grid, _ = from_pandapower(net)
    solution, voltage, *_ = newton(grid, prepare(grid, "newton"), grid.nominal_injection[None])
    run(net, max_iteration=100)
    assert solution.change < 1e-10
    assert np.abs(grid.constant_impedance).max() > 0
    np.testing.assert_allclose(voltage[0], voltages(net, grid), atol=1e-9)


def test_response_inverts_the_derivative(transmission, float64):
    _, grid, solver = transmission
    status = np.ones(grid.n_branch)
    status[7] = 0.0
    grid = replace(grid, constant_impedance=0.1 * grid.nominal_injection)
    system = equations(grid, solver.nominal, grid.nominal_injection, branch_status=status)
    e = 0.01 * jax.random.normal(jax.random.key(0), (grid.n_bus, 2)) @ jnp.array([1.0, 1.0j])
    rhs = jax.random.normal(jax.random.key(1), (grid.n_bus, 2)) @ jnp.array([1.0, 1.0j])
    x = linear_response(solver, system, e, rhs)
    _, back = jax.jvp(lambda e: residual(system, e), (e,), (x,))
    free = np.asarray(system.energised & ~system.slack)
    np.testing.assert_allclose(back[free], rhs[free], atol=1e-9)
    np.testing.assert_array_equal(x[~free], 0.0)


def test_no_solution_is_not_called_one(transmission, float64):
    """Ten times the load, negative loads, and a batch whose neighbours stay bit-identical."""
    _, grid, solver = transmission
    scale = np.array([1.0, 10.0, 1.2, -8.0])[:, None]
    solution, voltage, *_ = newton(grid, solver, grid.nominal_injection * scale)
    assert np.isfinite(voltage).all()
    np.testing.assert_array_equal(solution.change < 1e-10, [True, False, True, False])
    alone, *_ = newton(grid, solver, grid.nominal_injection * scale[[0, 0, 2, 2]])
    np.testing.assert_array_equal(alone.deviation[jnp.array([0, 2])], solution.deviation[jnp.array([0, 2])])
