"""What is looked at in a single case of each task, and what the case is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from gridjax.envs import Environment
from gridjax.envs.resilience import Resilience
from gridjax.envs.smart_grid import SmartGrid
from gridjax.envs.voltage_control import VoltageControl

Metrics = Mapping[str, np.ndarray]  # [n_case, n_step] or [n_case, n_step, n] by name
_TIERS = ("critical", "priority", "discretionary")


@dataclass(frozen=True)
class Panel:
    """Quantities on one axis."""

    label: str  # with unit
    series: Mapping[str, Callable[[Metrics], np.ndarray]]  # [n_case, n_step]
    limits: tuple[float, ...] = ()


def _of(name: str, factor: float = 1.0) -> Callable[[Metrics], np.ndarray]:
    """A metric, summed over agents or devices where it is of each."""

    def read(metrics: Metrics) -> np.ndarray:
        value = np.asarray(metrics[name], float)
        return factor * (value if value.ndim == 2 else value.reshape(*value.shape[:2], -1).sum(axis=2))

    return read


def panels_of(env: Environment, params: Any) -> tuple[Panel, ...]:
    """The panels of a task; none but the costs, which are drawn of every task, for one that is not known."""
    if not isinstance(env, VoltageControl | SmartGrid | Resilience):
        return ()
    band = (float(params.voltage_low), float(params.voltage_high))
    volts = Panel(
        "voltage (p.u.)", {"highest bus": _of("voltage_max"), "lowest bus": _of("voltage_min")}, band
    )
    if isinstance(env, VoltageControl):
        return (
            volts,
            Panel("buses out of band (%)", {"": _of("out_of_band", 100.0)}),
            Panel("mean |q| (MVAr)", {"": _of("reactive_mvar")}),
            Panel("losses (MW)", {"": _of("losses_mw")}),
        )
    power = 1.0 / env.hours  # of the energy of a step
    if isinstance(env, SmartGrid):
        return (
            volts,
            Panel("highest loading (%)", {"": _of("loading_max", 100.0)}, (100.0,)),
            Panel(
                "power of all (kW)",
                {
                    "demand": _of("demand", power),
                    "sun": _of("sun", power),
                    "import": _of("import", power),
                    "export": _of("export", power),
                },
            ),
            Panel("unserved (kW)", {"": _of("unserved", power)}),
        )

    def missing(tier: str) -> Callable[[Metrics], np.ndarray]:
        return lambda m: power * (_of(f"demand_{tier}")(m) - _of(f"served_{tier}")(m))

    return (
        Panel("the grid is there", {"": _of("grid_present")}),
        Panel("not served (kW)", {tier: missing(tier) for tier in _TIERS}),
        Panel("in batteries (kWh)", {"": _of("stored")}),
        Panel("fuel (l)", {"": _of("fuel")}),
        # dark buses have none
        Panel(
            "voltage (p.u.)",
            {"highest bus": _lit("voltage_max"), "lowest bus": _lit("voltage_min")},
            band,
        ),
        Panel("lowest frequency (Hz)", {"": _lit("nadir")}),
    )


def _lit(name: str) -> Callable[[Metrics], np.ndarray]:
    """A metric where any bus is energised, else nan."""
    return lambda m: np.where(np.asarray(m["energised"]) > 0.0, _of(name)(m), np.nan)


def case_name(env: Environment, row: int) -> str:
    """A day of the year, or the number of an outage."""
    if isinstance(env, VoltageControl | SmartGrid):
        day = date(2016, 1, 1) + timedelta(days=int(row))
        return f"{day.day} {day:%B}"
    return f"outage {row}" if isinstance(env, Resilience) else f"case {row}"
