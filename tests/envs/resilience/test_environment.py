"""What agents can do and what happens to a campus, in scenarios that can be told in a sentence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

TIERS = ("critical", "priority", "discretionary")


def served(out, tier):
    return out.metrics[f"served_{tier}"] / out.metrics[f"demand_{tier}"]


def test_beside_a_healthy_grid_everything_is_served(task):
    _, out = task.run(task.scenario(), task.actions())
    for tier in TIERS:
        np.testing.assert_allclose(served(out, tier), 1.0, rtol=1e-6)
    m = out.metrics
    assert m["connected"].all()
    assert m["converged"].all()
    assert (m["energised"] == 1).all()
    np.testing.assert_allclose(m["import"] + m["sun"] - m["losses"],
                               sum(m[f"demand_{tier}"] for tier in TIERS), rtol=1e-5)  # fmt: skip
    assert not m["burnt"].any()
    assert not m["discharged"].any()
    np.testing.assert_array_equal(m["nadir"], 50.0)


def test_batteries_carry_an_outage_without_interruption_until_they_are_empty(task):
    before, out = task.run(task.scenario(charge=0.8, grid=[(2.0, 12.0)]), task.actions())
    m = out.metrics
    dark = slice(8, None)
    assert not m["connected"][dark].any()
    assert served(out, "critical")[8] == 1.0
    assert served(out, "discretionary")[8] == 1.0
    assert m["nadir"][8] < 49.9
    assert m["rate"][8] > 1.0
    assert out.state.energy[8].sum() < before.energy[8].sum()
    # lower tiers go first
    order = np.stack([served(out, tier) for tier in TIERS])
    assert (np.diff(order, axis=0) <= 1e-6).all()
    assert order[2].min() < 0.01 < order[0].max()


def test_generators_keep_tiers_on_when_batteries_are_empty(task):
    alone = task.run(task.scenario(charge=0.05, grid=[(1.0, 12.0)]), task.actions())[1]
    helped = task.run(task.scenario(charge=0.05, grid=[(1.0, 12.0)]), task.actions(generator=0.5))[1]
    for tier in TIERS:
        assert helped.metrics[f"served_{tier}"].sum() > 1.2 * alone.metrics[f"served_{tier}"].sum()
    assert helped.metrics["burnt"].sum() > 0.0
    assert served(helped, "critical").min() == pytest.approx(1.0)


def test_load_is_shed_from_the_lowest_tier_up(task):
    for share in (0.9, 0.5, 0.2, 0.0):
        _, out = task.run(task.scenario(), task.actions(load=share - 1.0))
        total = sum(out.metrics[f"served_{tier}"] for tier in TIERS)
        demand = sum(out.metrics[f"demand_{tier}"] for tier in TIERS)
        np.testing.assert_allclose(total / demand, share, atol=1e-5)
        some = [served(out, tier) for tier in TIERS]
        assert ((some[1] < 1e-6) | (some[0] > 1 - 1e-2)).all() or share < 0.3
        assert ((some[2] < 1e-6) | (some[1] > 0.7)).all()


def test_an_open_breaker_makes_an_island_beside_a_healthy_grid(task):
    _, out = task.run(task.scenario(charge=0.9), task.actions(connection=[-1.0, 0.0, 0.0, 0.0]))
    assert not out.metrics["connected"].any()
    assert out.metrics["grid_present"].all()
    assert not out.metrics["import"].any()


def test_a_breaker_waits_for_synchronism(task):
    # an island at a frequency far from the grid's does not reconnect; one near it does
    actions = task.actions(battery=-1.0, generator=1.0, connection=[-1.0, 0.0, 0.0, 0.0])
    every = {k: np.broadcast_to(v, (48, *v.shape)).copy() for k, v in actions.items()}
    every["connection"][8:] = 0.0
    fast = task.run(task.scenario(charge=0.5), every)[1]
    every["battery"][:] = 0.9
    every["generator"][:] = 0.0
    other = task.run(task.scenario(charge=0.5), every)[1]
    for out in (fast, other):
        again = int(np.argmax(out.metrics["connected"][8:])) + 8
        assert out.metrics["connected"][again]
        before = out.metrics["frequency"][again - 1]
        assert abs(before - 50.0) <= 0.2 or out.metrics["energised"][again - 1] < 1.0
        waits = out.metrics["frequency"][8:again]
        assert (np.abs(waits[:-1] - 50.0) > 0.2).all()


def test_a_standby_feeder_replaces_the_first(task):
    line = task.env.layout.switches[0]
    faulty = task.scenario(charge=0.3, branches={line: (2.0, 12.0)})
    alone = task.run(faulty, task.actions())[1]
    assert not alone.metrics["connected"][8:].any()
    every = {k: np.broadcast_to(v, (48, *v.shape)).copy() for k, v in task.actions(battery=0.3).items()}
    every["connection"][9:, 1] = -1.0
    helped = task.run(faulty, every)[1]
    assert helped.metrics["connected"][-1]
    assert helped.metrics["converged"].all()
    assert served(helped, "discretionary")[-1] == pytest.approx(1.0)


def test_a_tie_feeds_what_a_fault_has_cut_off(task):
    env = task.env
    labels = task.params.network.branch_labels
    fault = labels.index("line 5")  # 7 - 8: bus 7 hangs on it alone
    scenario = task.scenario(branches={fault: (1.0, 12.0)})
    cut = task.run(scenario, task.actions())[1]
    assert cut.metrics["energised"][10] < 1.0
    tie = env.layout.switches.index(labels.index("line 12"))
    action = np.zeros(4)
    action[tie] = -1.0
    fed = task.run(scenario, task.actions(connection=action))[1]
    assert (fed.metrics["energised"] == 1.0).all()


def test_a_generator_that_fails_to_start_or_trips_is_felt(task):
    dark = {"charge": 0.6, "grid": [(1.0, 12.0)]}
    fails = task.run(task.scenario(**dark, start_failures={0: [0], 1: [0]}), task.actions(generator=0.5))[1]
    assert not fails.metrics["running"][0].any()
    assert fails.metrics["running"][1].all()
    trips = task.run(task.scenario(**dark, generator_trips={0: 5.0}), task.actions(generator=0.5))[1]
    assert not trips.metrics["running"][20:, 0].any()
    assert trips.metrics["running"][20:, 1].all()
    assert trips.metrics["nadir"][20] < trips.metrics["nadir"][19]


def test_a_black_campus_starts_again(task):
    # nothing stored, no generator: dark; then generators are told to start
    every = {k: np.broadcast_to(v, (48, *v.shape)).copy() for k, v in task.actions().items()}
    every["generator"][24:] = 0.8
    _, out = task.run(task.scenario(day=20, charge=0.0, grid=[(0.0, 12.0)]), every)
    assert (out.metrics["energised"][4:24] == 0.0).all()
    assert out.metrics["energised"][25] == 1.0
    assert served(out, "critical")[26] == pytest.approx(1.0)


def test_fuel_is_ordered_and_arrives(task):
    _, out = task.run(
        task.scenario(fuel=0.55, grid=[(0.0, 12.0)], deliveries=[4.0]), task.actions(generator=1.0)
    )
    fuel = out.metrics["fuel"] / np.asarray(task.params.campus.generator.tank)
    low = int(np.argmax(fuel.min(axis=1) < 0.5))
    arrives = int(np.argmax(np.diff(fuel[:, 0]) > 0)) + 1
    assert (arrives - low) * 0.25 == pytest.approx(4.0, abs=0.3)
    np.testing.assert_allclose(fuel[arrives], 1.0)
    np.testing.assert_allclose(out.state.sent[low:arrives, 0, 11], 1.0, atol=0.2)


def test_heat_pumps_lend_their_heat(task):
    warm, cold = (task.run(task.scenario(day=20), task.actions(heat=heat))[1] for heat in (1.0, -1.0))
    assert (warm.state.temperature[4] > cold.state.temperature[4]).all()
    assert cold.metrics["discomfort"][-1] > 0.0
    assert warm.metrics["demand_discretionary"][0] > cold.metrics["demand_discretionary"][0]


def test_measurements_come_late_noisy_or_not_at_all(task):
    scenario = task.scenario(grid=[(3.0, 12.0)], sensors={0: (0.0, 6.0)})
    quiet = {"noise": jnp.float32(0.0), "message_loss": jnp.float32(0.0)}
    before, _ = task.run(scenario, task.actions(), **quiet)
    heard = before.seen[:, 3, 0]  # a battery's: grid present
    # lost in step 12, measured at its end, received one step later
    np.testing.assert_array_equal(heard[:14], 1.0)
    np.testing.assert_array_equal(heard[14:], 0.0)
    blind = before.seen[:, 0]
    np.testing.assert_array_equal(blind[:25], np.broadcast_to(blind[0], blind[:25].shape))
    assert before.age[24, 0] > before.age[24, 3] == 0.25
    assert (before.seen[26:, 0, 0] == 0.0).all()
    deaf, _ = task.run(scenario, task.actions(), message_loss=jnp.float32(1.0))
    assert (deaf.seen == deaf.seen[0]).all()
    noisy, _ = task.run(scenario, task.actions(), noise=jnp.float32(0.1))
    assert 0.05 < np.std(noisy.seen[5:, 3, 12] / before.seen[5:, 3, 12]) < 0.2


def test_observations_are_named_and_show_the_state(task):
    env, params = task.env, task.params
    before, _ = task.run(task.scenario(), task.actions())
    labels = env.observation_labels(params)
    first = jax.tree.map(lambda x: jnp.asarray(x[5]), before)
    obs = env.observe(first, params)
    for group, n in env.groups.items():
        assert obs[group].shape == (n, len(labels[group]))
        assert len(set(labels[group])) == len(labels[group])
    column = labels["battery"].index("state of charge [capacity]")
    np.testing.assert_allclose(obs["battery"][:, column], first.energy / params.campus.battery.capacity)
    column = labels["generator"].index("received: grid present [0 or 1]")
    np.testing.assert_allclose(obs["generator"][:, column], 1.0, atol=0.1)


def test_the_reward_is_its_terms_and_pays_for_tiers(task):
    _, out = task.run(task.scenario(charge=0.1, grid=[(1.0, 12.0)]), task.actions())
    m, w = out.metrics, task.params.weights
    total = (
        w.cost * m["reward_cost"]
        + w.resilience * m["reward_resilience"]
        + w.efficiency * m["reward_efficiency"]
        + w.stability * m["reward_stability"]
    )
    for group in task.env.groups:
        for agent in out.reward[group].T:
            np.testing.assert_allclose(agent, total, rtol=1e-5)
    price = np.asarray(task.params.unserved_price)
    unserved = np.stack([m[f"demand_{t}"] - m[f"served_{t}"] for t in TIERS], axis=-1)
    np.testing.assert_allclose(m["unserved_cost"], unserved @ price, rtol=1e-4, atol=0.5)
    # no saving pays for a kWh of the lowest tier
    assert price[2] > 5 * float(m["import_price"].max())
