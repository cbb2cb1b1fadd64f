"""A small network by hand: a source, a line and a transformer."""

import dataclasses

import numpy as np
import pytest

from gridjax.network import BusIndex, Network

SMALL = Network(
    base_mva=np.asarray(10.0),
    base_kv=np.array([20.0, 20.0, 0.4]),
    shunt=np.array([0.0, 0.01j, 0.0]),
    from_bus=np.array([0, 1]),
    to_bus=np.array([1, 2]),
    resistance=np.array([0.01, 0.02]),
    reactance=np.array([0.02, 0.08]),
    charging_from=np.array([0.001j, 0.0]),
    charging_to=np.array([0.001j, 0.0]),
    tap_ratio=np.array([1.0, 1.025]),
    phase_shift=np.array([0.0, 0.5]),
    rating_from=np.array([1.0, np.inf]),
    rating_to=np.array([1.0, np.inf]),
    slack_voltage=np.array([1.0 + 0.0j]),
    pv_voltage=np.array([1.01]),
    reactive_min=np.array([-np.inf]),
    reactive_max=np.array([0.2]),
    constant_current=np.array([0.0, -0.01 - 0.002j, 0.0]),
    constant_impedance=np.array([0.0, 0.0, -0.005j]),
    nominal_injection=np.array([0.0, -0.1 - 0.05j, -0.02]),
    coordinates=np.array([[0.0, 0.0], [1.0, 0.0], [np.nan, np.nan]]),
    name="small",
    slack_buses=(0,),
    pv_buses=(1,),
    bus_index=BusIndex({10: 0, 11: 1, 12: 1, 20: 2}),
    branch_labels=("line 0", "trafo 0"),
)


@pytest.fixture
def small() -> Network:
    return SMALL


@pytest.fixture
def changed():
    """The small network with some fields replaced."""
    return lambda **fields: dataclasses.replace(SMALL, **fields)
