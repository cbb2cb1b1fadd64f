"""lightsim2grid: Newton-Raphson in C++ with KLU, scenario after scenario.

`InjectionSweepCPP` solves independent scenarios and offers threads; `TimeSeriesCPP` starts each step from
the one before and stops at the first that diverges, so it is not what independent scenarios need.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.case import Array, Case

_MAX_ITERATIONS = 20
_POLICIES = {"every iteration": 0, "every second": 1, "chord": 2}  # RefactorPolicyType


class Lightsim2grid:
    """One setting: `algorithm` and `refactor` policy by name; every scenario starts at the nominal state."""

    threads_offered = True

    def __init__(
        self,
        case: Case,
        name: str,
        algorithm: str,
        refactor: str,
        tolerance: float,
    ):
        self.name, self._case, self._tolerance = name, case, tolerance
        self.settings = f"{algorithm}, factorised {refactor}"
        self._algorithm, self._refactor = algorithm, _POLICIES[refactor]
        self._row, self._model = _model(case)
        self._start = np.zeros(self._model.total_bus(), complex)
        self._start[self._row] = case.nominal_voltage

    def set_injection(self, injection: Array) -> None:
        import lightsim2grid.lightsim2grid_cpp as cpp

        self._sweep = cpp.InjectionSweepCPP(self._model)  # one sweep takes one number of scenarios
        self._sweep.change_algorithm(getattr(cpp.AlgorithmType, self._algorithm))
        config = self._sweep.get_algo_config()
        config.int_params = [config.int_params[0], self._refactor, config.int_params[2], 2]
        self._sweep.set_algo_config(config)
        consumption = -injection[:, self._case.busy] * float(self._case.network.base_mva)
        self._sweep.modify_load_p(np.ascontiguousarray(consumption.real))
        self._sweep.modify_load_q(np.ascontiguousarray(consumption.imag))

    def solve(self, threads: int = 1) -> None:
        self._sweep.nb_thread = threads
        self._sweep.compute(self._start, _MAX_ITERATIONS, self._tolerance)

    def voltage(self) -> Array:
        found = np.array(self._sweep.get_voltages())[:, self._row[self._case.rows]]
        found[~np.array(self._sweep.converged_mask(), bool)] = np.nan
        return found

    def iterations(self) -> float:
        return float(np.mean(self._sweep.get_row_nb_iter()))


SETTINGS = [(algorithm, refactor) for algorithm in ("NR_KLU", "NRSing_KLU") for refactor in _POLICIES]


def default(case: Case, tolerance: float) -> Lightsim2grid:
    """As its own loaders set it up."""
    return Lightsim2grid(case, "lightsim2grid", "NR_KLU", "every iteration", tolerance)


def tuned(case: Case, algorithm: str, refactor: str, tolerance: float) -> Lightsim2grid:
    """One of `SETTINGS`: which is fastest depends on the case."""
    return Lightsim2grid(case, "lightsim2grid, tuned", algorithm, refactor, tolerance)


def _model(case: Case) -> tuple[np.ndarray, Any]:
    """Its grid, and the bus of every row of `case.network`.

    Slack buses become one bus: several slacks would share the power between them, which is another problem.
    """
    from lightsim2grid.network import init_from_powermodels

    network = case.network
    slack: Array = np.asarray(network.slack_voltage)
    if np.ptp(slack.real) + np.ptp(slack.imag) > 0.0:
        raise ValueError("sources at different voltages: lightsim2grid holds one slack bus at its voltage")
    base = float(network.base_mva)
    kept = np.setdiff1d(np.arange(network.n_bus), network.slack_buses[1:])
    row = np.zeros(network.n_bus, int)
    row[kept] = np.arange(kept.size)
    row[list(network.slack_buses)] = row[network.slack_buses[0]]
    kind = np.ones(kept.size, int)
    kind[row[list(network.pv_buses)]] = 2
    kind[row[network.slack_buses[0]]] = 3
    power: list[complex] = (network.nominal_injection * base).tolist()
    bus = {
        str(k + 1): {"bus_i": k, "bus_type": int(kind[k]), "base_kv": float(network.base_kv[r])}
        | {"vmin": 0.5, "vmax": 1.5}
        for k, r in enumerate(kept)
    }
    branch = {}
    for k in range(network.n_branch):
        tap, shift = float(network.tap_ratio[k]), float(network.phase_shift[k])
        branch[str(k + 1)] = {
            "f_bus": int(row[network.from_bus[k]]),
            "t_bus": int(row[network.to_bus[k]]),
            "br_r": float(network.resistance[k]),
            "br_x": float(network.reactance[k]),
            "g_fr": float(network.charging_from[k].real),
            "b_fr": float(network.charging_from[k].imag),
            "g_to": float(network.charging_to[k].real),
            "b_to": float(network.charging_to[k].imag),
            "tap": tap,
            "shift": shift,
            "transformer": tap != 1.0 or shift != 0.0,
            "rate_a": 0.0,
            "br_status": 1,
        }
    shunt = {
        str(r + 1): {"shunt_bus": int(row[r]), "gs": float(y.real), "bs": float(y.imag), "status": 1}
        for r, y in enumerate(np.asarray(network.shunt).tolist())
        if y != 0.0
    }
    load = {
        str(k + 1): {"load_bus": int(row[r]), "pd": -power[r].real, "qd": -power[r].imag, "status": 1}
        for k, r in enumerate(case.busy)
    }
    limits = {"qg": 0.0, "qmax": 1e6, "qmin": -1e6, "pmax": 1e6, "pmin": -1e6}
    limits |= {"mbase": base, "gen_status": 1, "pg": 0.0}
    held = [(network.slack_buses[0], abs(slack[0]))]
    held += list(zip(network.pv_buses, np.asarray(network.pv_voltage)))
    gen = {str(k + 1): {"gen_bus": int(row[r]), "vg": float(v)} | limits for k, (r, v) in enumerate(held)}
    tables = {"bus": bus, "branch": branch, "shunt": shunt, "load": load, "gen": gen}
    model = init_from_powermodels(tables | {"storage": {}, "dcline": {}, "baseMVA": base})
    return row, model
