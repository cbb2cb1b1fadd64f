"""power-grid-model: batches in C++, threads over scenarios. It has no voltage-controlled buses."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.case import Array, Case

_SHORT_CIRCUIT_POWER = 1e40  # VA: its sources have an impedance, ours are ideal


class PowerGridModel:
    """One calculation method, `"newton_raphson"` or `"iterative_current"`."""

    threads_offered = True

    def __init__(self, case: Case, name: str, method: str, tolerance: float = 1e-8):
        if case.network.pv_buses:
            raise ValueError("voltage-controlled buses: power-grid-model has none")
        self.name, self.settings = name, f"{method}, columnar data"
        self._case, self._method, self._tolerance = case, method, tolerance
        self._model = _model(case)

    def set_injection(self, injection: Array) -> None:
        from power_grid_model import ComponentType

        consumption = -injection[:, self._case.busy] * (1e6 * float(self._case.network.base_mva))
        columns = {"p_specified": consumption.real.copy(), "q_specified": consumption.imag.copy()}
        self._update = {ComponentType.sym_load: columns}

    def solve(self, threads: int = 1) -> None:
        from power_grid_model import ComponentType

        self._result: Any = self._model.calculate_power_flow(
            calculation_method=self._method,
            error_tolerance=self._tolerance,
            max_iterations=40,
            update_data=self._update,
            threading=-1 if threads == 1 else threads,
            output_component_types={ComponentType.node: {"u_pu", "u_angle"}},
            continue_on_batch_error=True,
        )
        error = self._model.batch_error
        self._failed = [] if error is None else error.failed_scenarios

    def voltage(self) -> Array:
        node = self._result["node"]
        found = node["u_pu"] * np.exp(1j * node["u_angle"])
        found[self._failed] = np.nan
        return found[:, self._case.rows]

    def iterations(self) -> None:
        return None


def newton(case: Case, tolerance: float) -> PowerGridModel:
    return PowerGridModel(case, "power-grid-model, Newton", "newton_raphson", tolerance)


def iterative_current(case: Case, tolerance: float) -> PowerGridModel:
    return PowerGridModel(case, "power-grid-model, iterative current", "iterative_current", tolerance)


def _model(case: Case) -> Any:
    from power_grid_model import ComponentType, LoadGenType, PowerGridModel, initialize_array

    network, base = case.network, 1e6 * float(case.network.base_mva)
    volt = 1e3 * np.asarray(network.base_kv)
    number = iter(range(network.n_bus, 1 << 60))

    def table(kind: Any, size: int, **columns: Any) -> Any:
        array = initialize_array("input", kind, size)
        array["id"] = np.arange(size) if kind == ComponentType.node else [next(number) for _ in range(size)]
        for name, value in columns.items():
            array[name] = value
        return array

    ohm = volt[network.to_bus] ** 2 / base
    y_end = np.stack([network.charging_from, network.charging_to])
    common = y_end.mean(axis=0)  # its branch is symmetric: half the difference goes to either bus
    shunt = np.asarray(network.shunt).copy()
    np.add.at(shunt, network.from_bus, (y_end[0] - common) / network.tap_ratio**2)
    np.add.at(shunt, network.to_bus, y_end[1] - common)
    shunted = np.flatnonzero(shunt)
    siemens = shunt[shunted] * base / volt[shunted] ** 2
    slack = np.asarray(network.slack_voltage)
    power = -network.nominal_injection[case.busy] * base
    return PowerGridModel(
        {
            ComponentType.node: table(ComponentType.node, network.n_bus, u_rated=volt),
            ComponentType.generic_branch: table(
                ComponentType.generic_branch,
                network.n_branch,
                from_node=network.from_bus,
                to_node=network.to_bus,
                from_status=1,
                to_status=1,
                r1=network.resistance * ohm,
                x1=network.reactance * ohm,
                g1=2.0 * common.real / ohm,
                b1=2.0 * common.imag / ohm,
                k=network.tap_ratio,
                theta=network.phase_shift,
                sn=base,
            ),
            ComponentType.shunt: table(
                ComponentType.shunt,
                shunted.size,
                node=shunted,
                status=1,
                g1=siemens.real,
                b1=siemens.imag,
                g0=0.0,
                b0=0.0,
            ),
            ComponentType.source: table(
                ComponentType.source,
                slack.size,
                node=network.slack_buses,
                status=1,
                u_ref=np.abs(slack),
                u_ref_angle=np.angle(slack),
                sk=_SHORT_CIRCUIT_POWER,
            ),
            ComponentType.sym_load: table(
                ComponentType.sym_load,
                case.busy.size,
                node=case.busy,
                status=1,
                type=LoadGenType.const_power,
                p_specified=power.real,
                q_specified=power.imag,
            ),
        }
    )
