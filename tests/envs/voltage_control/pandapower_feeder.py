"""The task's physics and reward a second time: pandapower and NumPy, nothing of the environment's code."""

import numpy as np
import pandapower as pp
from pandapower.networks import case33bw

TABLE_BUSES = np.arange(33)  # case33bw numbers its buses as the network its rows
PV_BUSES = [12, 17, 21, 24, 28, 32]


class Feeder:
    """case33bw with a load at every bus and static generators at the buses of the inverters."""

    def __init__(self):
        net = case33bw()
        net.load = net.load.iloc[:0]
        for bus in TABLE_BUSES:
            pp.create_load(net, int(bus), 0.0, 0.0)
        for bus in PV_BUSES:
            pp.create_sgen(net, bus, 0.0, 0.0)
        self.net = net

    def set(self, demand, sun, reactive):
        """Powers in MW and MVAr: demand `[66]`, p then q; sun and reactive `[6]`."""
        self.net.load["p_mw"], self.net.load["q_mvar"] = demand[:33], demand[33:]
        self.net.sgen["p_mw"], self.net.sgen["q_mvar"] = sun, reactive

    def solve(self, demand, sun, reactive):
        """|v| p.u. and angle rad `[33]`, losses MW."""
        self.set(demand, sun, reactive)
        pp.runpp(self.net, tolerance_mva=1e-10, numba=False, calculate_voltage_angles=True)
        result = self.net.res_bus.loc[TABLE_BUSES]
        angle = np.deg2rad(result["va_degree"].to_numpy())
        return result["vm_pu"].to_numpy(), angle, float(self.net.res_line["pl_mw"].sum())


def reward(magnitude, reactive_mvar, weight):
    """The published reward with the l1 barrier."""
    return -(np.abs(magnitude - 1.0).mean() + weight * np.abs(reactive_mvar).mean())
