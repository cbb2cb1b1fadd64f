"""Figures of a community by hand."""

import numpy as np
import pytest

from gridjax.evaluation.community import CO2, community_figures, jain

# two agents, two steps of half an hour
AGENTS = {
    "paid_grid": [[0.6, -0.1], [0.3, 0.0]],
    "paid_peers": [[0.0, 0.0], [0.2, -0.2]],
    "paid_losses": [[0.0, 0.0], [0.01, 0.01]],
    "wear": [[0.0, 0.0], [0.0, 0.04]],
    "stored_value": [[0.0, 0.3], [0.0, -0.1]],
    "demand": [[2.0, 1.0], [2.0, 1.0]],
    "sun": [[0.0, 4.0], [0.0, 0.0]],
    "import": [[2.0, 0.0], [1.0, 0.0]],
    "export": [[0.0, 1.0], [0.0, 0.0]],
    "sent": [[0.0, 0.0], [0.0, 1.0]],
    "throughput": [[0.0, 2.0], [0.0, 2.0]],
    "curtailed": [[0.0, 0.5], [0.0, 0.0]],
    "unserved": [[0.0, 0.0], [0.1, 0.0]],
}
WHOLE = {
    "losses": [0.2, 0.1],
    "loss_cost": [0.06, 0.03],
    "import_price": [0.3, 0.3],
    "out_of_band": [0.0, 0.1],
}
METRICS = {name: np.array(value) for name, value in {**AGENTS, **WHOLE}.items()}
CAPACITY = np.array([0.0, 4.0])


@pytest.fixture(scope="module")
def figures():
    return community_figures(METRICS, CAPACITY, hours=0.5)


def test_costs(figures):
    # 0.9 + 0.2 + 0.01 + 1.0 of unserved; -0.1 - 0.2 + 0.01 + 0.04 - 0.2
    np.testing.assert_allclose(figures.agent_cost, [2.11, -0.45])
    # payments among peers are gone from the sum; of 0.09 for losses transfers paid 0.02
    assert figures.community_cost == pytest.approx(2.11 - 0.45 + 0.07)


def test_energies(figures):
    assert figures.self_sufficiency == pytest.approx(1 - 3 / 6)
    assert figures.self_consumption == pytest.approx((4 - 1 - 0.5) / 4)
    assert figures.peak_import == pytest.approx(2.0)
    assert figures.losses == pytest.approx(0.3)
    assert figures.peer_energy == pytest.approx(1.0)
    assert figures.curtailed == pytest.approx(0.5)
    assert figures.unserved == pytest.approx(0.1)
    np.testing.assert_allclose(figures.battery_cycles, [0.0, 0.5])
    assert figures.co2 == pytest.approx(2.0 * CO2)
    assert figures.steps_out_of_band == pytest.approx(0.5)


def test_fairness(figures):
    # savings against buying all demand at 0.3: none for the first, 1.05 for the second
    assert figures.fairness == pytest.approx(0.5)
    even = community_figures(METRICS, CAPACITY, 0.5, reference_cost=figures.agent_cost + 1.0)
    assert even.fairness == pytest.approx(1.0)


def test_jain_by_hand():
    assert jain([1.0, 1.0, 1.0, 1.0]) == 1.0
    assert jain([1.0, 0.0, 0.0, 0.0]) == 0.25
    assert jain([3.0, 1.0]) == pytest.approx(16 / 20)
    assert jain([0.0, -1.0]) == 1.0


def test_without_sun_nothing_is_wasted():
    dark = {**METRICS, "sun": np.zeros((2, 2)), "export": np.zeros((2, 2)), "curtailed": np.zeros((2, 2))}
    assert community_figures(dark, CAPACITY).self_consumption == 1.0


def test_what_is_missing_or_misshapen_is_named():
    with pytest.raises(ValueError, match="lacks losses"):
        community_figures({k: v for k, v in METRICS.items() if k != "losses"}, CAPACITY)
    with pytest.raises(ValueError, match=r"metrics\['demand'\] has shape"):
        community_figures({**METRICS, "demand": np.zeros((2, 3))}, CAPACITY)
