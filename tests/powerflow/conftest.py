import jax
import numpy as np
import pytest

from gridjax import network
from gridjax.network import BusIndex, Network, check_network

NAMES = ("case33bw", "case141", "cigre_mv", "cigre_lv")


@pytest.fixture
def float64():
    with jax.enable_x64(True):
        yield


def meshed() -> Network:
    """Six buses: two slacks, a loop, a transformer off nominal and shifting the phase, shunts, charging."""
    n_branch = 7
    charging = np.array([0.0, 0.01j, 0.02j, 0.001 - 0.004j, 0.0, 0.01j, 0.0])
    return check_network(
        Network(
            base_mva=10.0,
            base_kv=np.full(6, 20.0),
            shunt=np.array([0.0, 0.0, 0.05j, 0.0, 0.01 - 0.02j, 0.0]),
            from_bus=np.array([0, 1, 2, 0, 3, 4, 5]),
            to_bus=np.array([1, 2, 3, 3, 4, 1, 4]),
            resistance=np.array([0.01, 0.03, 0.02, 0.002, 0.04, 0.05, 0.03]),
            reactance=np.array([0.04, 0.05, 0.03, 0.06, 0.05, 0.08, 0.02]),
            charging_from=charging,
            charging_to=np.roll(charging, 1),
            tap_ratio=np.array([1.0, 1.0, 1.0, 0.975, 1.0, 1.0, 1.0]),
            phase_shift=np.array([0.0, 0.0, 0.0, 0.03, 0.0, 0.0, 0.0]),
            rating_from=np.array([1.0, np.inf, 0.5, 1.0, 0.5, 0.5, 0.5]),
            rating_to=np.array([0.9, np.inf, 0.5, 1.0, 0.5, 0.5, 0.5]),
            slack_voltage=np.array([1.02, 1.0 * np.exp(0.01j)]),
            pv_voltage=np.zeros(0),
            reactive_min=np.zeros(0),
            reactive_max=np.zeros(0),
            constant_current=np.zeros(6, complex),
            constant_impedance=np.zeros(6, complex),
            nominal_injection=np.array([0.0, -0.2 - 0.1j, -0.3 - 0.05j, 0.1, -0.25 - 0.1j, -0.05]),
            coordinates=np.full((6, 2), np.nan),
            name="meshed",
            slack_buses=(0, 5),
            pv_buses=(),
            bus_index=BusIndex({k: k for k in range(6)}),
            branch_labels=tuple(f"branch {k}" for k in range(n_branch)),
        )
    )


@pytest.fixture(scope="session")
def mesh() -> Network:
    return meshed()


@pytest.fixture(scope="session", params=NAMES)
def shipped(request) -> Network:
    return network.get(request.param)


def states(net: Network, number: int, seed: int = 0) -> np.ndarray:
    """Injections `[number, n_bus]`: loads times U[0, 1.5], some buses feeding in."""
    rng = np.random.default_rng(seed)
    scale = rng.uniform(-0.5, 1.5, (number, net.n_bus))
    return net.nominal_injection * scale
