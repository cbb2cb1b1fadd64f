import copy
import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pandapower as pp
import pytest

from gridjax import network
from gridjax.powerflow import prepare, solve
from tests.powerflow.conftest import states
from tests.powerflow.pandapower_case import case, run, set_branch, voltages

BATTERY = 20  # a bus in the part of case33bw behind branch 17-18 of the second lateral


@pytest.fixture(scope="module")
def feeder():
    """case33bw; the lateral of buses 18 to 21 hangs on branch 1-18."""
    net = network.get("case33bw")
    lateral = int(np.flatnonzero((net.from_bus == 1) & (net.to_bus == 18))[0])
    return net, lateral


def island_alone(net, rows, slack, magnitude):
    """The lateral as a network of its own, with `slack` as its source."""
    place = {row: k for k, row in enumerate(rows)}
    kept = np.flatnonzero(np.isin(net.from_bus, rows) & np.isin(net.to_bus, rows))
    per_bus = (
        "base_kv",
        "shunt",
        "nominal_injection",
        "constant_current",
        "constant_impedance",
        "coordinates",
    )
    per_branch = ("resistance", "reactance", "charging_from", "charging_to", "tap_ratio", "phase_shift")
    fields = {name: getattr(net, name)[rows] for name in per_bus}
    fields |= {name: getattr(net, name)[kept] for name in (*per_branch, "rating_from", "rating_to")}
    return dataclasses.replace(
        net,
        **fields,
        from_bus=np.array([place[b] for b in net.from_bus[kept]]),
        to_bus=np.array([place[b] for b in net.to_bus[kept]]),
        slack_buses=(place[slack],),
        slack_voltage=np.array([magnitude + 0j]),
        branch_labels=tuple(net.branch_labels[k] for k in kept),
    )


def test_an_island_without_a_source_is_dead(feeder, float64):
    net, lateral = feeder
    status = np.ones((2, net.n_branch))
    status[1, lateral] = 0.0
    injection = np.tile(net.nominal_injection, (2, 1))
    flow = solve(net, injection, branch_status=status)
    np.testing.assert_array_equal(flow.status, 0)
    whole = solve(net, net.nominal_injection)
    np.testing.assert_allclose(flow.voltage[0], whole.voltage, atol=1e-10)
    dead = np.isin(np.arange(net.n_bus), [18, 19, 20, 21])
    np.testing.assert_array_equal(flow.energised[1], ~dead)
    np.testing.assert_array_equal(flow.voltage[1, dead], 0.0)
    behind = dead[net.from_bus] | dead[net.to_bus]
    np.testing.assert_array_equal(flow.current_from[1, behind], 0.0)
    # what is left is the feeder without these loads
    without = solve(net, np.where(dead, 0.0, net.nominal_injection))
    np.testing.assert_allclose(flow.voltage[1, ~dead], without.voltage[~dead], atol=1e-9)
    np.testing.assert_allclose(flow.losses[1], without.losses, atol=1e-9)


def test_a_battery_takes_over_an_island(feeder, float64):
    net, lateral = feeder
    status = np.ones(net.n_branch)
    status[lateral] = 0.0
    flow = solve(net, net.nominal_injection, branch_status=status, backup_slack=((BATTERY, 1.01), (19, 1.0)))
    assert flow.converged
    assert np.all(flow.energised)
    rows = np.array([18, 19, 20, 21])
    alone = island_alone(net, rows, BATTERY, 1.01)
    expected = solve(alone, alone.nominal_injection)
    turned = np.asarray(flow.voltage)[rows]
    turned = turned * np.exp(-1j * np.angle(turned[2]))
    np.testing.assert_allclose(turned, expected.voltage, atol=1e-9)
    np.testing.assert_allclose(flow.slack_power[1], expected.slack_power[0], atol=1e-9)
    assert flow.slack_power[2] == 0.0


def test_a_backup_in_a_supplied_network_does_nothing(feeder, float64):
    net, _ = feeder
    flow = solve(net, net.nominal_injection, backup_slack=((BATTERY, 1.05),))
    np.testing.assert_allclose(flow.voltage, solve(net, net.nominal_injection).voltage, atol=1e-10)
    assert flow.slack_power[1] == 0.0


BACKUPS = ((BATTERY, 1.01), (19, 1.0))
AVAILABLE = np.array([[1, 1], [0, 1], [1, 0], [0, 0]])


@pytest.fixture(scope="module")
def outage(feeder):
    """case33bw and its branch status with the lateral cut off."""
    net, lateral = feeder
    status = np.ones(net.n_branch)
    status[lateral] = 0.0
    return net, status


@pytest.mark.parametrize(("scenario", "source"), [(0, 0), (1, 1), (2, 0)])
def test_the_first_available_backup_supplies_its_island(scenario, source, outage, float64):
    """Against pandapower with an external grid at the bus that took over."""
    net, status = outage
    injection = net.nominal_injection
    flow = solve(net, injection, branch_status=status, backup_slack=BACKUPS, backup_available=AVAILABLE)
    np.testing.assert_array_equal(flow.converged, True)
    source_net = copy.deepcopy(case("case33bw")[0])
    row, magnitude = BACKUPS[source]
    bus = next(bus for bus, place in net.bus_index.items() if place == row)
    angle = np.angle(flow.voltage[scenario, row], deg=True)
    grid = pp.create_ext_grid(source_net, bus, vm_pu=magnitude, va_degree=float(angle))
    set_branch(source_net, net.branch_labels[int(np.flatnonzero(status == 0)[0])], False)
    run(source_net)
    np.testing.assert_allclose(flow.voltage[scenario], voltages(source_net, net), atol=1e-8)
    result = source_net.res_ext_grid.loc[grid]
    power = (result.p_mw + 1j * result.q_mvar) / net.base_mva
    # what a source gives tells who it is: exactly nothing from those that only stand by
    np.testing.assert_allclose(flow.slack_power[scenario, 1 + source], power, atol=1e-8)
    assert flow.slack_power[scenario, 2 - source] == 0.0
    assert flow.energised[scenario].all()


def test_an_island_without_an_available_backup_is_dead(outage, float64):
    net, status = outage
    injection = net.nominal_injection
    flow = solve(net, injection, branch_status=status, backup_slack=BACKUPS, backup_available=AVAILABLE)
    dead = np.isin(np.arange(net.n_bus), [18, 19, 20, 21])
    np.testing.assert_array_equal(flow.energised[3], ~dead)
    np.testing.assert_array_equal(flow.voltage[3, dead], 0.0)
    np.testing.assert_array_equal(flow.slack_power[3, 1:], 0.0)
    without = solve(net, np.where(dead, 0.0, injection))
    np.testing.assert_allclose(flow.voltage[3, ~dead], without.voltage[~dead], atol=1e-9)
    # and who is available where nothing is missing does not matter
    whole = np.ones(net.n_branch)
    flow = solve(net, injection, branch_status=whole, backup_slack=BACKUPS, backup_available=AVAILABLE)
    assert flow.energised.all()
    np.testing.assert_array_equal(flow.slack_power[:, 1:], 0.0)


def test_availability_is_data(outage, float64):
    """Under jit and vmap, in any type, with its own leading axes; derivatives are those of who took over."""
    net, status = outage
    solver = prepare(net, "newton")

    def supply(injection, status, available):
        parts = {"branch_status": status, "backup_slack": BACKUPS, "backup_available": available}
        return solve(net, injection, "newton", solver=solver, **parts)

    scale = np.array([0.8, 1.0, 1.2])[:, None, None]
    both = np.stack([np.ones(net.n_branch), status])[:, None, None, :]
    flow = jax.jit(supply)(scale * net.nominal_injection, both, AVAILABLE.astype(bool))
    assert flow.voltage.shape == (2, 3, 4, net.n_bus)
    np.testing.assert_array_equal(flow.converged, True)
    over = jax.vmap(supply, in_axes=(None, None, 0))
    mapped = jax.jit(over)(net.nominal_injection, status, 0.3 * AVAILABLE)
    np.testing.assert_allclose(mapped.voltage, flow.voltage[1, 1], atol=1e-10)
    np.testing.assert_array_equal(mapped.energised, flow.energised[1, 1])

    @jax.jit
    @partial(jax.value_and_grad, argnums=(0, 1))
    def losses(active, available):
        return supply(active + 1j * net.nominal_injection.imag, status, available).losses

    at, second = jnp.asarray(net.nominal_injection.real), jnp.array([0.0, 1.0])
    value, (slope, by_availability) = losses(at, second)
    assert float(value) == pytest.approx(float(flow.losses[1, 1, 1]), rel=1e-9)
    along, h = np.random.default_rng(0).normal(size=net.n_bus) * np.abs(at), 1e-4
    quotient = (losses(at + h * along, second)[0] - losses(at - h * along, second)[0]) / (2 * h)
    assert float(slope @ along) == pytest.approx(float(quotient), rel=1e-6)
    np.testing.assert_array_equal(by_availability, 0.0)


def test_of_sources_at_one_bus_one_injects(outage, float64):
    """A battery and a generator at one bus, and a backup where the network has its own source."""
    net, status = outage
    backup = ((BATTERY, 1.01), (net.slack_buses[0], 1.0), (BATTERY, 1.0))
    available = np.array([[1, 1, 1], [0, 1, 1], [0, 1, 0]])
    parts = {"branch_status": status, "backup_slack": backup, "backup_available": available}
    flow = solve(net, net.nominal_injection, "newton", **parts)
    np.testing.assert_array_equal(flow.slack_power != 0.0, [[1, 1, 0, 0], [1, 0, 0, 1], [1, 0, 0, 0]])
    np.testing.assert_allclose(np.abs(flow.voltage[:, BATTERY]), [1.01, 1.0, 0.0], atol=1e-12)
    leaves, arrives = flow.power_from[1, net.from_bus == BATTERY], flow.power_to[1, net.to_bus == BATTERY]
    own = net.nominal_injection[BATTERY]
    np.testing.assert_allclose(flow.slack_power[1, 3], leaves.sum() + arrives.sum() - own, atol=1e-9)


def test_set_points_may_have_scenarios_that_the_status_lacks(float64):
    net = network.get("case14")
    status, held = np.ones(net.n_branch), net.pv_voltage * np.array([[1.0], [0.99]])
    flow = solve(net, net.nominal_injection, "newton", branch_status=status, pv_voltage=held)
    np.testing.assert_array_equal(flow.converged, True)
    np.testing.assert_allclose(np.abs(flow.voltage[:, list(net.pv_buses)]), held, atol=1e-10)


def test_gradients_across_an_outage(feeder, float64):
    net, lateral = feeder
    status = np.ones(net.n_branch)
    status[lateral] = 0.0
    solver = prepare(net)

    def losses(active):
        injection = active + 1j * net.nominal_injection.imag
        return solve(
            net, injection, solver=solver, branch_status=status, backup_slack=((BATTERY, 1.01),)
        ).losses

    at = jnp.asarray(net.nominal_injection.real)
    gradient = jax.jit(jax.grad(losses))(at)
    along = np.random.default_rng(0).normal(size=net.n_bus) * np.abs(at)
    h = 1e-4
    run = jax.jit(losses)
    quotient = (run(at + h * along) - run(at - h * along)) / (2 * h)
    assert float(gradient @ along) == pytest.approx(float(quotient), rel=1e-6)


def test_what_the_chord_cannot_do_is_refused(feeder):
    net, _ = feeder
    with pytest.raises(ValueError, match="method 'chord' knows neither branch_status nor reactive limits"):
        solve(net, net.nominal_injection, "chord", branch_status=np.ones(net.n_branch))
    with pytest.raises(ValueError, match=r"branch_status has shape \(3,\), expected \[\.\.\., 32\]"):
        solve(net, net.nominal_injection, branch_status=np.ones(3))
    with pytest.raises(ValueError, match=r"backup bus 99 must lie in \[0, 33\)"):
        solve(net, net.nominal_injection, backup_slack=((99, 1.0),))
    with pytest.raises(ValueError, match=r"backup_available has shape \(3,\), expected \[\.\.\., 2\]"):
        solve(net, net.nominal_injection, backup_slack=BACKUPS, backup_available=np.ones(3))
    with pytest.raises(ValueError, match=r"backup_available has shape \(\), expected \[\.\.\., 2\]"):
        solve(net, net.nominal_injection, backup_slack=BACKUPS, backup_available=True)
    with pytest.raises(ValueError, match="backup_available is given without backup_slack"):
        solve(net, net.nominal_injection, backup_available=np.ones(2))


def test_the_collapsed_are_flagged_and_the_others_untouched(float64):
    """From -3 to 10 times the load: converged is what Newton finds, and the same in any company."""
    net = network.get("case33bw")
    rng = np.random.default_rng(1)
    injection = net.nominal_injection * np.linspace(-3, 10, 60)[:, None] * rng.uniform(0.7, 1.3, (60, 33))
    solver = prepare(net)
    run = jax.jit(lambda s: solve(net, s, solver=solver))
    flow = run(injection)
    newton = jax.jit(lambda s: solve(net, s, "newton", max_iterations=60))(injection)
    for leaf in jax.tree.leaves(flow):
        assert np.isfinite(leaf).all()
    np.testing.assert_array_equal(flow.converged, newton.converged)
    good = np.asarray(flow.converged)
    assert 20 < good.sum() < 40
    np.testing.assert_allclose(flow.voltage[good], newton.voltage[good], atol=1e-8)
    # the diverged ones replaced by others: nothing changes for the converged
    other = run(np.where(good[:, None], injection, net.nominal_injection))
    np.testing.assert_array_equal(other.voltage[good], flow.voltage[good])
    np.testing.assert_array_equal(other.losses[good], flow.losses[good])
    # and without them: another size of batch
    fewer = jax.jit(lambda s: solve(net, s, solver=solver))(injection[good])
    np.testing.assert_array_equal(fewer.voltage, flow.voltage[good])


def test_a_larger_batch_than_a_chunk(float64):
    net = network.get("case33bw")
    injection = states(net, 700)
    solver = prepare(net)
    run = jax.jit(lambda s: solve(net, s, solver=solver).voltage)
    whole = run(injection)
    np.testing.assert_array_equal(whole[650:], run(injection[650:]))
