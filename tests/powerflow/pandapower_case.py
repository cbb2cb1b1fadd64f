"""Networks of pandapower and its answers in the rows of a `Network`."""

import functools

import numpy as np
import pandapower as pp
import pandapower.networks

from gridjax.calibration import from_pandapower


@functools.cache
def case(name: str):
    """The pandapower network and its `Network`; not to be changed."""
    net = getattr(pandapower.networks, name)()
    return net, from_pandapower(net, name)[0]


def run(net, **options) -> None:
    """`runpp` at a tight tolerance, from its last result if there is one."""
    settings = {"calculate_voltage_angles": True, "trafo_model": "t", "tolerance_mva": 1e-9, "numba": False}
    pp.runpp(net, **(settings | {"lightsim2grid": False} | options))


def voltages(net, network) -> np.ndarray:
    """Complex p.u. `[n_bus]`, NaN where pandapower has none (open line ends, star points, dead buses)."""
    found = np.full(network.n_bus, np.nan, complex)
    buses = np.array(list(network.bus_index))
    result = net.res_bus.reindex(buses)
    value = result.vm_pu.to_numpy() * np.exp(1j * np.deg2rad(result.va_degree.to_numpy()))
    found[network.bus_index[buses]] = value
    return found


def set_branch(net, label: str, in_service: bool) -> None:
    """Take the element of a branch label out of service, or back in."""
    table, index, *_ = label.split()
    net[table].loc[int(index), "in_service"] = in_service
