from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gridjax import network as networks
from gridjax.envs.placement import distances, spread


def test_spread_begins_with_the_farthest_bus():
    network = networks.get("case33bw")
    loaded = np.flatnonzero(np.real(network.nominal_injection) < 0)
    (one,) = spread(network, 1)
    assert distances(network, list(network.slack_buses))[0][one] == pytest.approx(
        distances(network, list(network.slack_buses))[0][loaded].max()
    )


@pytest.mark.parametrize("n_agent", [0, 33])
def test_spread_refuses_impossible_numbers(n_agent):
    with pytest.raises(ValueError, match=rf"n_agent is {n_agent}, expected 1 to 32"):
        spread(networks.get("case33bw"), n_agent)


def test_spread_needs_a_load():
    network = networks.get("case33bw")
    empty = dataclasses.replace(network, nominal_injection=np.zeros(33, complex))
    with pytest.raises(ValueError, match="'case33bw' has no loaded bus"):
        spread(empty)


def test_distance_is_the_impedance_along_the_feeder():
    network = networks.get("case33bw")
    length = np.hypot(network.resistance, network.reactance)
    along = distances(network, [0])[0]
    # buses 0 .. 17 are the main feeder, branch k joins k and k + 1
    np.testing.assert_allclose(along[:18], np.concatenate([[0.0], np.cumsum(length[:17])]), rtol=1e-9)
