"""A network as all solvers see it: pandapower's tables with one load per bus, and the scenarios to solve."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandapower as pp
import pandapower.networks as library

from gridjax.network import Network

Array = Any  # of numpy: its own types do not tell a complex one


@dataclass(frozen=True, eq=False)
class Case:
    """`net` with its loads summed per bus, the same grid as a `Network`, and where their rows meet."""

    name: str
    net: Any  # pandapowerNet, solved once
    network: Network
    buses: np.ndarray  # [n_row], pandapower buses at which results are compared, one per row
    rows: np.ndarray  # [n_row], their rows in `network`
    nominal_voltage: np.ndarray  # [n_bus] of `network`, complex p.u., as pandapower solves it
    load_buses: np.ndarray  # [n_load], pandapower buses
    load: Array  # [n_load], complex MVA, consumption positive
    spread: float = 0.5  # scenarios scale each load by U[1 - spread, 1 + spread]

    @property
    def busy(self) -> np.ndarray:
        """Rows of `network` with an injection of their own or a load, ascending."""
        own = np.flatnonzero(np.asarray(self.network.nominal_injection))
        return np.union1d(own, self.load_rows)

    @property
    def load_rows(self) -> Array:
        """Rows of `network` at which `load` draws."""
        return self.network.bus_index[self.load_buses]

    def scenarios(self, number: int, seed: int = 0) -> Array:
        """Every load times a random number of its own: injections, complex p.u. `[number, n_bus]`."""
        size = number, self.load.size
        factor = np.random.default_rng(seed).uniform(1.0 - self.spread, 1.0 + self.spread, size)
        change = (1.0 - factor) * self.load / float(self.network.base_mva)
        injection = np.tile(np.asarray(self.network.nominal_injection), (number, 1))
        injection[:, self.load_rows] += change
        return injection

    def consumption(self, injection: Array) -> Array:
        """The loads that make up `injection`: complex MVA `[scenarios, n_load]`, consumption positive."""
        change = (injection - np.asarray(self.network.nominal_injection))[:, self.load_rows]
        return self.load - change * float(self.network.base_mva)


def build(name: str, everywhere: bool = False) -> Case:
    """The case `name`, see `NAMES`, or `tree<N>` for a generated radial feeder of N buses.

    `everywhere` puts a load, be it of zero, at every bus, so that scenarios may inject anywhere.
    """
    from gridjax.calibration import from_pandapower

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        random.seed(0)  # some builders draw line types by chance: in every process the same
        net = _tree(int(name[4:])) if name.startswith("tree") else _SOURCES[name]()
        load_buses, load = _sum_loads(net, everywhere)
        pp.runpp(net, calculate_voltage_angles=True, numba=False, tolerance_mva=1e-9)
        network, _ = from_pandapower(net, name=name)
    first: dict[int, int] = {}
    for bus, row in network.bus_index.items():
        first.setdefault(row, bus)
    rows = np.array(sorted(first))
    if np.unique(network.bus_index[load_buses]).size < len(load_buses):
        raise ValueError(f"{name}: closed switches fuse buses with loads, which no row may hold twice")
    voltage = np.asarray(net._ppc["internal"]["V"])  # in the order of the network's rows
    buses = np.array([first[row] for row in rows])
    return Case(name, net, network, buses, rows, voltage, load_buses, load, _SPREAD.get(name, 0.5))


def _sum_loads(net: Any, everywhere: bool) -> tuple[Array, Array]:
    """Replace all loads of `net`, asymmetric ones too, by one constant-power load per bus."""
    total: dict[int, complex] = dict.fromkeys(map(int, net.bus.index), 0.0)
    for load in net.load[net.load.in_service.astype(bool)].itertuples():
        power = (load.p_mw + 1j * load.q_mvar) * load.scaling
        total[load.bus] += power
    for load in net.asymmetric_load[net.asymmetric_load.in_service.astype(bool)].itertuples():
        power = complex(sum(load[load._fields.index(f"p_{p}_mw")] for p in "abc"))
        power += 1j * sum(load[load._fields.index(f"q_{p}_mvar")] for p in "abc")
        total[load.bus] += power * load.scaling
    net.load.drop(net.load.index, inplace=True)
    net.asymmetric_load.drop(net.asymmetric_load.index, inplace=True)
    buses: Array = np.array(sorted(bus for bus, power in total.items() if everywhere or power != 0.0))
    load: Array = np.array([total[bus] for bus in buses])
    pp.create_loads(net, buses, p_mw=load.real, q_mvar=load.imag)
    return buses, load


def _tree(n_bus: int, seed: int = 0) -> Any:
    """A radial 20 kV feeder with a voltage drop of about 6 %.

    A bus hangs on the one before it or, one time in five, on any before it.
    """
    rng = np.random.default_rng(seed)
    net = pp.create_empty_network(sn_mva=10.0)
    buses: Any = pp.create_buses(net, n_bus, vn_kv=20.0)
    pp.create_ext_grid(net, int(buses[0]))
    child = np.arange(1, n_bus)
    parent = np.where(rng.random(n_bus - 1) < 0.2, rng.integers(0, child), child - 1)
    pp.create_lines_from_parameters(
        net,
        buses[parent],
        buses[child],
        length_km=rng.uniform(0.1, 0.5, n_bus - 1),
        r_ohm_per_km=0.2,
        x_ohm_per_km=0.12,
        c_nf_per_km=10.0,
        max_i_ka=0.4,
    )
    share = rng.uniform(0.5, 1.5, n_bus - 1)
    # resistive drop of the loads of every subtree along its path: linear in the load, so it sets the scale
    length = np.concatenate([[0.0], net.line.length_km.to_numpy()])
    below, drop = np.concatenate([[0.0], share]), np.zeros(n_bus)
    for bus in child[::-1]:
        below[parent[bus - 1]] += below[bus]
    for bus in child:
        drop[bus] = drop[parent[bus - 1]] + below[bus] * length[bus] * (0.2 + 0.12 * 0.3) / 20.0**2
    p = share * 0.06 / drop.max()
    pp.create_loads(net, buses[1:], p_mw=p, q_mvar=0.3 * p)
    return net


def _calibrated(name: str) -> Callable[[], Any]:
    def build() -> Any:
        from gridjax.calibration.sources import SOURCES

        return SOURCES[name].build()

    return build


_SOURCES: dict[str, Callable[[], Any]] = {
    "case33bw": library.case33bw,
    "case118": library.case118,
    "case141": _calibrated("case141"),
    "mv_oberrhein": library.mv_oberrhein,
    "kerber_vorstadt": library.create_kerber_vorstadtnetz_kabel_1,
    "case300": library.case300,
    "european_lv": library.ieee_european_lv_asymmetric,
    "case1354pegase": library.case1354pegase,
    "case2869pegase": library.case2869pegase,
}
NAMES = tuple(_SOURCES)
_SPREAD = {"case300": 0.1}  # beyond, a share of the scenarios has no solution
