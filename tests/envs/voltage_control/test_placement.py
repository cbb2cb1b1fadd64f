"""Where inverters stand and what they see."""

import numpy as np
import pytest

from gridjax import network as networks
from gridjax.envs.placement import distances, spread
from gridjax.envs.voltage_control.placement import nearest_zones, published


def test_the_published_placement_of_case33bw():
    placement = published(networks.get("case33bw"))
    assert placement.pv_buses == (12, 17, 21, 24, 28, 32)
    assert (placement.peak_load_mw, placement.peak_pv_mw, placement.action_range) == (3.5, 8.75, 0.8)
    zones = dict(zip(placement.pv_buses, placement.zones))
    assert zones[12] == zones[17] == tuple(range(6, 18))
    assert zones[21] == (18, 19, 20, 21)
    assert zones[24] == (22, 23, 24)
    assert zones[28] == zones[32] == tuple(range(25, 33))


def test_the_published_placement_of_case141():
    placement = published(networks.get("case141"))
    assert len(placement.pv_buses) == len(set(placement.pv_buses)) == len(placement.zones) == 22
    assert (placement.peak_load_mw, placement.peak_pv_mw, placement.action_range) == (20.0, 80.0, 0.6)
    assert all(bus in zone for bus, zone in zip(placement.pv_buses, placement.zones))
    # nine zones that share out the buses
    zones = set(placement.zones)
    assert len(zones) == 9
    assert sorted(bus for zone in zones for bus in zone) == list(range(141))


@pytest.mark.parametrize("name", ["cigre_mv", "cigre_lv"])
def test_others_have_none_and_are_spread(name):
    network = networks.get(name)
    assert published(network) is None
    chosen = spread(network)
    loaded = np.flatnonzero(np.real(network.nominal_injection) < 0)
    assert set(chosen) <= set(loaded.tolist()) - set(network.slack_buses)
    assert len(chosen) == len(set(chosen)) == max(2, np.setdiff1d(loaded, network.slack_buses).size // 5)


def test_zones_share_out_the_buses_by_distance():
    network = networks.get("case33bw")
    zones = nearest_zones(network, [[17], [24, 21], [32]])
    assert sorted(bus for zone in zones for bus in zone) == list(range(33))
    far = distances(network, [17, 24, 21, 32])
    for k, rows in enumerate(([0], [1, 2], [3])):
        for bus in zones[k]:
            assert far[rows, bus].min() == pytest.approx(far[:, bus].min())
