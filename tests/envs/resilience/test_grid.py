"""The power flow of a campus, whole, faulted or islanded, against pandapower with the same lines out."""

import jax.numpy as jnp
import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest

from gridjax.envs.resilience import outside
from gridjax.scenarios import outages

TOLERANCE = 2e-5  # p.u.: float32, and Newton's tolerance in the environment


def twin(task, state, out, reference=None):
    """pandapower's cigre_mv with its switches closed, the step's injections and branches out of service."""
    params = task.params
    net = pn.create_cigre_network_mv(with_der=False)
    net.switch["closed"] = True
    net.load.drop(net.load.index, inplace=True)
    base = float(params.network.base_mva)
    rows = params.network.bus_index
    town = outside.background(jnp.asarray(state["clock"]), params)
    p = -np.asarray(out["bus_p"]) / 1e3 + np.asarray(town[0]) * base
    q = -np.asarray(out["bus_q"]) / 1e3 + np.asarray(town[1]) * base
    for bus in net.bus.index:
        pp.create_load(net, bus, p_mw=p[rows[bus]], q_mvar=q[rows[bus]])
    labels = params.network.branch_labels
    for k, name in enumerate(labels):
        kind, index = name.split()
        if not out["status"][k]:
            getattr(net, kind).loc[int(index), "in_service"] = False
    if reference is not None:
        pp.create_ext_grid(net, reference, vm_pu=1.0)
    pp.runpp(
        net, algorithm="nr", tolerance_mva=1e-10, init="dc", trafo_model="t", calculate_voltage_angles=True
    )
    return net, rows


def solved(task, scenario, actions, step):
    """Voltages of a step, and what was injected: recomputed with the environment's own rooms."""
    import jax

    from gridjax.envs.resilience.supply import supply
    from gridjax.envs.resilience.topology import parts

    env = task.env
    params = env.on_scenario(task.params, scenario)
    before, after = task.run(scenario, actions)
    state = jax.tree.map(lambda x: jnp.asarray(x[step]), before)
    now = {k: jnp.asarray(v) for k, v in actions.items()}
    wishes, switches, pump = env.wishes(state, now, params)
    present = outages.grid_present(state.timeline, state.step)
    network = parts(
        env.layout, switches, present, outages.branch_sound(state.timeline, state.step), state, params
    )
    demand = env.by_tier(state.now.demand, pump, params)
    given = supply(jnp.array(env.unit_buses), demand, wishes, network, state, params, env.hours)
    served = np.asarray(given.served).sum(axis=1)
    share = served / np.maximum(np.asarray(demand).sum(axis=1), 1e-9)
    p = np.asarray(given.sun) - served
    q = -np.asarray(state.now.reactive) * share
    power = after.state.power[step].copy()
    reference = np.asarray(given.reference)
    units = np.array(env.unit_buses)
    # the reference of an island is the slack of the power flow: its injection is what we ask pandapower for
    np.add.at(p, units, np.where(reference, 0.0, power - np.asarray(given.dumped)))
    rating = np.where(np.asarray(given.islanded), np.asarray(params.campus.forming.rating), 0.0)
    label = np.asarray(network.label)
    demand_q = -q.copy()
    for k, bus in enumerate(units):
        island = label == label[bus]
        if rating[k] and not reference[k]:
            q[bus] += demand_q[island].sum() * rating[k] / rating[island[units]].sum()
    found = {
        "bus_p": p,
        "bus_q": q,
        "status": np.asarray(network.status),
        "voltage": after.state.voltage[step],
        "power": power,
        "reference": reference,
        "metrics": {k: v[step] for k, v in after.metrics.items()},
    }
    return {"clock": int(state.clock)}, found


def check(task, state, found, net, rows):
    for bus in net.bus.index:
        theirs, ours = net.res_bus.vm_pu[bus], found["voltage"][rows[bus]]
        if np.isnan(theirs):
            assert ours == 0.0, f"bus {bus} is dead"
        else:
            assert ours == pytest.approx(theirs, abs=TOLERANCE), f"bus {bus}"


def test_beside_the_grid(task):
    actions = task.actions(generator=0.4, battery=[0.5, -0.5])
    state, found = solved(task, task.scenario(), actions, 20)
    net, rows = twin(task, state, found)
    check(task, state, found, net, rows)
    # what passes the breaker is what is billed
    through = -net.res_line.p_to_mw[0] * 1e3
    assert found["metrics"]["import"] * 4 == pytest.approx(through, rel=1e-4)


@pytest.mark.parametrize("faults", [("line 5",), ("line 3", "line 9"), ("line 1",)])
def test_with_the_same_lines_out(task, faults):
    labels = task.params.network.branch_labels
    branches = {labels.index(name): (0.0, 12.0) for name in faults}
    ties = np.array([0.0, 0.0, -1.0, 0.0])
    state, found = solved(
        task, task.scenario(charge=0.0, branches=branches), task.actions(connection=ties), 20
    )
    net, rows = twin(task, state, found)
    check(task, state, found, net, rows)


def test_an_island_with_the_same_slack(task):
    actions = task.actions(generator=0.5)
    state, found = solved(task, task.scenario(charge=0.9, grid=[(0.0, 12.0)]), actions, 8)
    (reference,) = np.flatnonzero(found["reference"])
    bus = task.env.unit_buses[reference]
    net, rows = twin(task, state, found, reference=bus)
    check(task, state, found, net, rows)
    supplied = net.res_ext_grid.p_mw.iloc[-1] * 1e3
    assert found["power"][reference] == pytest.approx(supplied, rel=1e-4, abs=0.1)
