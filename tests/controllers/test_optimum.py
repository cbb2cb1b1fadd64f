"""The optimum beside solvers that share nothing with it."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.controllers import CATEGORY_B, droop, no_control, optimum

from ..envs.voltage_control.pandapower_feeder import Feeder, reward

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pandapower"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pandapower"),
]
BASE = 10.0


@pytest.fixture(scope="module")
def best(feeder):
    """`best(params)`: actions of the optimum `[32, 6, 1]`; weights and barrier are traced."""
    env, _, states = feeder
    return jax.jit(lambda params: jax.vmap(lambda state: optimum(env, state, params))(states))


@pytest.fixture(scope="module")
def nothing(feeder):
    env, params, states = feeder
    return jax.vmap(lambda state: no_control(env, state, params))(states)


def test_within_the_box_and_never_worse_than_others(feeder, best, nothing, penalty):
    env, params, states = feeder
    actions = best(params)
    assert bool(jnp.all(jnp.abs(actions["inverter"]) <= 1.0))
    value = penalty(actions, params)
    standard = jax.jit(jax.vmap(lambda state: droop(CATEGORY_B, env, state, params)))(states)
    assert bool(jnp.all(value <= penalty(nothing, params) + 1e-6))
    assert bool(jnp.all(value <= penalty(standard, params) + 1e-6))
    assert float(value.mean()) < 0.7 * float(penalty(nothing, params).mean())


def test_the_published_weight_makes_doing_nothing_optimal(feeder, best, nothing, penalty):
    """With 0.1 on |q| and the l1 barrier of this feeder; the reason why the default is 0.01."""
    params = replace(feeder[1], reactive_weight=jnp.float32(0.1))
    value, none = penalty(best(params), params), penalty(nothing, params)
    assert float((none - value).sum() / none.sum()) < 0.01


def limits(params, sun):
    rating = np.asarray(params.apparent, np.float64)
    return float(params.action_range) * np.sqrt(rating**2 - np.asarray(sun, np.float64) ** 2) * BASE


def exact_l1(feeder_model, params, demand, sun):
    """Least l1 penalty by successive linear programs on pandapower's voltages, MVAr set-points `[6]`."""
    from scipy.optimize import linprog

    limit, q, radius = limits(params, sun), np.zeros(6), 1.0
    demand, sun = np.asarray(demand, np.float64) * BASE, np.asarray(sun, np.float64) * BASE
    value = -reward(feeder_model.solve(demand, sun, q)[0], q, 0.01)
    for _ in range(8):
        v = feeder_model.solve(demand, sun, q)[0]
        slope = np.stack(
            [(feeder_model.solve(demand, sun, q + d)[0] - v) / 1e-4 for d in 1e-4 * np.eye(6)], axis=1
        )
        # variables: q, t >= |v - 1|, u >= |q|
        cost = np.concatenate([np.zeros(6), np.full(33, 1 / 33), np.full(6, 0.01 / 6)])
        z, i33, i6 = np.zeros, np.eye(33), np.eye(6)
        offset = v - slope @ q - 1.0
        above = np.block([[slope, -i33, z((33, 6))], [-slope, -i33, z((33, 6))]])
        sized = np.block([[i6, z((6, 33)), -i6], [-i6, z((6, 33)), -i6]])
        bounds = [(max(-m, x - radius * m), min(m, x + radius * m)) for m, x in zip(limit, q)]
        found = linprog(
            cost,
            A_ub=np.vstack([above, sized]),
            b_ub=np.concatenate([-offset, offset, np.zeros(12)]),
            bounds=[*bounds, *[(0, None)] * 39],
        ).x[:6]
        new = -reward(feeder_model.solve(demand, sun, found)[0], found, 0.01)
        if new < value:
            q, value = found, new
        else:
            radius *= 0.3
    return value


def test_l1_against_linear_programming_on_pandapower(feeder, best, nothing, penalty):
    _, params, states = feeder
    model, ours, none = Feeder(), penalty(best(params), params), penalty(nothing, params)
    gaps = []
    for k in (0, 7, 19):
        exact = exact_l1(model, params, states.demand[k], states.sun[k])
        gaps.append((float(ours[k]) - exact) / float(none[k]))
    assert max(gaps) < 1e-3
    assert min(gaps) > -1e-3


def test_losses_against_the_optimal_power_flow_of_pandapower(feeder):
    """Losses priced so high that nothing else counts; sgens with active power fixed, cost at the source."""
    import pandapower as pp

    env, params, states = feeder
    only_losses = replace(params, reactive_weight=jnp.float32(0.0), loss_weight=jnp.float32(1e3))
    few = jax.tree.map(lambda leaf: leaf[jnp.array([0, 7, 19])], states)
    solve = jax.jit(jax.vmap(lambda state: optimum(env, state, only_losses, loss_curvature=True)))
    actions = solve(few)["inverter"][..., 0]
    model = Feeder()
    net = model.net
    net.bus["min_vm_pu"], net.bus["max_vm_pu"] = 0.5, 1.5
    net.line["max_loading_percent"] = 1e6
    # the case forbids to feed back
    net.ext_grid[["min_p_mw", "min_q_mvar"]], net.ext_grid[["max_p_mw", "max_q_mvar"]] = -100.0, 100.0
    net.poly_cost = net.poly_cost.iloc[:0]  # the case brings one along
    pp.create_poly_cost(net, 0, "ext_grid", cp1_eur_per_mw=1.0)
    for k in range(3):
        demand, sun = np.asarray(few.demand[k], np.float64) * BASE, np.asarray(few.sun[k], np.float64) * BASE
        limit = limits(params, few.sun[k])
        ours = model.solve(demand, sun, np.asarray(actions[k], np.float64) * limit)[2]
        idle = model.solve(demand, sun, np.zeros(6))[2]
        net.sgen["controllable"] = True
        net.sgen["min_p_mw"], net.sgen["max_p_mw"] = sun, sun
        net.sgen["min_q_mvar"], net.sgen["max_q_mvar"] = -limit, limit
        pp.runopp(net, init="pf", delta=1e-12, numba=False, PDIPM_GRADTOL=1e-8, PDIPM_COSTTOL=1e-10)
        exact = model.solve(demand, sun, net.res_sgen["q_mvar"].to_numpy())[2]
        assert ours == pytest.approx(exact, rel=1e-5)
        assert ours < 0.98 * idle
