"""pandapower: one state after another, its ways from plain to fastest, all with numba.

`run_timeseries` with recycled tables and results read in one go at the end is its fastest.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pandapower as pp

from benchmarks.peers.case import Array, Case


class Plain:
    """`runpp` per state; with `recycle`, its tables and admittance matrix are kept."""

    threads_offered = False

    def __init__(self, case: Case, recycle: bool, tolerance: float = 1e-8):
        self.name = "pandapower, recycled" if recycle else "pandapower"
        self.settings = "runpp, numba" + (", recycle" if recycle else "")
        self._case, self._net = case, copy.deepcopy(case.net)
        self._options: dict[str, Any] = {
            "calculate_voltage_angles": True,
            "numba": True,
            "tolerance_mva": tolerance * float(case.network.base_mva),
        }
        pp.runpp(self._net, **self._options)
        self._options["init"] = "results"  # of the state before
        if recycle:
            self._options["recycle"] = {"bus_pq": True, "trafo": False, "gen": False}

    def set_injection(self, injection: Array) -> None:
        self._load = self._case.consumption(injection)

    def solve(self, threads: int = 1) -> None:
        net, found, passes = self._net, [], 0
        for state in self._load:
            net.load["p_mw"], net.load["q_mvar"] = state.real, state.imag
            pp.runpp(net, **self._options)
            found.append((net.res_bus["vm_pu"].to_numpy(), net.res_bus["va_degree"].to_numpy()))
            passes += net._ppc["iterations"]
        self._found, self._passes = found, passes

    def voltage(self) -> Array:
        place = self._net.res_bus.index.get_indexer(self._case.buses)
        size, angle = (np.array([state[k] for state in self._found])[:, place] for k in (0, 1))
        return size * np.exp(1j * np.deg2rad(angle))

    def iterations(self) -> float:
        return self._passes / len(self._load)


class TimeSeries:
    """`run_timeseries` with a `ConstControl` over all loads, recycled, results read at the end."""

    threads_offered = False
    name = "pandapower, time series"
    settings = "run_timeseries, recycled, batch read, numba"

    def __init__(self, case: Case, tolerance: float = 1e-8):
        self._case, self._tolerance = case, tolerance * float(case.network.base_mva)

    def set_injection(self, injection: Array) -> None:
        import pandas as pd
        from pandapower.control import ConstControl
        from pandapower.timeseries import DFData, OutputWriter

        self._net = net = copy.deepcopy(self._case.net)
        load = self._case.consumption(injection)
        self._steps = range(len(load))
        for variable, value in (("p_mw", load.real), ("q_mvar", load.imag)):
            source = DFData(pd.DataFrame(value, columns=net.load.index))
            ConstControl(
                net,
                element="load",
                variable=variable,
                element_index=list(net.load.index),
                profile_name=list(net.load.index),
                data_source=source,
            )
        self._writer = OutputWriter(net, self._steps, output_path=None)
        self._log()

    def _log(self) -> None:
        self._writer.log_variables = []  # the run replaces them by its internal ones
        self._writer.log_variable("res_bus", "vm_pu")
        self._writer.log_variable("res_bus", "va_degree")

    def solve(self, threads: int = 1) -> None:
        from pandapower.timeseries import run_timeseries

        self._log()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run_timeseries(
                self._net,
                self._steps,
                verbose=False,
                check_controllers=False,
                calculate_voltage_angles=True,
                numba=True,
                tolerance_mva=self._tolerance,
            )

    def voltage(self) -> Array:
        tables = [self._writer.output[f"res_bus.{name}"] for name in ("vm_pu", "va_degree")]
        size, angle = (table[list(self._case.buses)].to_numpy(float) for table in tables)
        return size * np.exp(1j * np.deg2rad(angle))

    def iterations(self) -> None:
        return None
