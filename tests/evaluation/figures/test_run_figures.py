import dataclasses

import numpy as np
import pytest

from gridjax import network as networks
from gridjax.evaluation.figures.feeder import feeder_map, layout, tree
from gridjax.evaluation.figures.run import reactive_power, training_curve, voltage_fan

BAND = (0.95, 1.05)


@pytest.fixture
def voltages():
    generator = np.random.default_rng(0)
    return {name: 1.0 + 0.04 * generator.normal(size=(480, 33)) for name in ("no_control", "mappo")}


def is_png(path):
    return path.read_bytes()[:4] == b"\x89PNG"


def test_training_curve(tmp_path):
    records = [{"step": k * 1000, "reward": [-1.0 / (k + 1), -2.0], "seconds": 1.0} for k in range(5)]
    records[3]["validation/reward"] = [-0.5, None]
    assert is_png(training_curve(records, tmp_path / "figures" / "a.png"))


def test_day_figures(tmp_path, voltages):
    assert is_png(voltage_fan(voltages, BAND, tmp_path / "a.png", "a day"))
    reactive = {name: np.zeros((480, 6)) for name in voltages}
    assert is_png(reactive_power(reactive, np.ones((480, 6)), list(range(6)), tmp_path / "b.png", "a day"))


def test_feeder_map(tmp_path, voltages):
    network = networks.get("case33bw")
    instant = {name: voltage[240] for name, voltage in voltages.items()}
    assert is_png(feeder_map(network, instant, np.array([12, 17]), BAND, tmp_path / "a.png", "noon"))


def ends(network):
    return np.stack([np.asarray(network.from_bus), np.asarray(network.to_bus)], axis=1)


@pytest.mark.parametrize("name", ["case33bw", "case141"])
def test_a_tree_gives_every_bus_a_place_of_its_own(name):
    network = networks.get(name)
    place = tree(network.n_bus, ends(network), network.slack_buses)
    assert len(np.unique(place, axis=0)) == network.n_bus
    across = place[np.asarray(network.to_bus), 0] - place[np.asarray(network.from_bus), 0]
    assert set(np.abs(across)) == {1.0}
    assert place[network.slack_buses[0], 0] == 0


def test_a_feeder_without_coordinates_is_drawn_as_a_tree():
    network = networks.get("case33bw")
    np.testing.assert_array_equal(layout(network), np.asarray(network.coordinates))
    unknown = dataclasses.replace(network, coordinates=np.full((33, 2), np.nan))
    np.testing.assert_array_equal(layout(unknown), tree(33, ends(network), network.slack_buses))
