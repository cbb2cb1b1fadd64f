"""One step as arrays, which a task computes while it is traced, and as the plain data that a page draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import numpy as np

from gridjax.envs.environment import PerGroup, Transition
from gridjax.evaluation.views.lines import Lines, bus_id

# columns of `Look.agents`; NaN where an agent has no such thing
COLUMNS = (
    *("charge", "energy_kwh", "generation_kw", "demand_kw", "battery_kw", "exchange_kw", "transfer_kw"),
    *("reactive_kvar", "unserved_kw", "voltage", "reward", "cost_eur"),
)
_ALWAYS = ("generation_kw", "demand_kw", "battery_kw", "exchange_kw", "transfer_kw", "unserved_kw", "reward")
_STILL = 0.01  # kW, below which a device is at rest


class Look(NamedTuple):
    """Everything of a step that is shown."""

    day: jax.Array  # [], int, of the year
    hour: jax.Array  # [], when the step began
    voltage: jax.Array  # [n_bus], p.u., 0 where dead
    lines: Lines
    agents: dict[str, jax.Array]  # [n_agent] each, see `COLUMNS`
    running: jax.Array  # [n_agent], 1 for a generator that runs or a switch that is closed, 0 where not; NaN
    sent: jax.Array  # [n_pair], kW from agent to agent
    metrics: dict[str, jax.Array]  # [] each
    connected: jax.Array  # [], bool: to the grid outside
    islanded: jax.Array  # [], bool: live without it
    energised: jax.Array  # [], share of the buses that agents are about
    converged: jax.Array  # [], bool


@dataclass(frozen=True, eq=False)
class View(ABC):
    """What does not change: the drawing, and who the agents are. Hashed by identity, so made once."""

    env: Any
    network: str
    grid: dict[str, Any]  # buses and lines, see `lines.drawn`
    agents: tuple[dict[str, Any], ...]
    hours: float  # of a step
    voltage_band: tuple[float, float]  # p.u.
    pairs: tuple[tuple[int, int], ...] = ()  # agents of every entry of `Look.sent`
    rated: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))  # [n_branch]
    sources: tuple[int, ...] = (0,)  # rows of the buses that supply the network

    @abstractmethod
    def look(self, state: Any, actions: PerGroup, out: Transition, params: Any) -> Look:
        """The step that led from `state` by `actions`, `[n_agents, ...]` per group, to `out`; traced."""

    def picture(self, look: Look) -> dict[str, Any]:
        """`look`, of one step, as data for JSON: numbers are finite, what is unknown is None."""
        look = jax.tree.map(np.asarray, look)
        kw = look.lines.kw
        lines, buses = self.grid["lines"], self.grid["buses"]
        service = look.lines.service.tolist()
        flows = [
            {"source": line["source"], "target": line["target"], "kind": "line", "kw": number(power)}
            for line, power, live in zip(lines, kw.tolist(), service)
            if live
        ]
        flows += [
            {"source": self.agents[i]["id"], "target": self.agents[j]["id"], "kind": "transfer", "kw": power}
            for (i, j), power in ((pair, number(kw)) for pair, kw in zip(self.pairs, look.sent.tolist()))
            if power and power >= _STILL
        ]
        return {
            "stability": min(max(number(look.metrics["stability"]) or 0.0, 0.0), 1.0),
            "agents": self._agents(look),
            "energy_flows": flows,
            "buses": {
                "voltage": [number(v) or 0.0 for v in look.voltage.tolist()],
                "energised": (look.voltage > 0.0).tolist(),
            },
            "lines": {
                "loading": [
                    number(share) if rated else None
                    for share, rated in zip(look.lines.loading.tolist(), self.rated)
                ],
                "kw": [number(power) or 0.0 for power in kw.tolist()],
                "service": service,
            },
            "metrics": {name: number(value) for name, value in look.metrics.items()},
            "grid": {
                "connected": bool(look.connected),
                "islanded": bool(look.islanded),
                "energised_share": min(max(number(look.energised) or 0.0, 0.0), 1.0),
            },
            **({} if len(buses) == look.voltage.size else _misfit(len(buses), look.voltage.size)),
        }

    def clock(self, look: Look) -> dict[str, Any]:
        """When the step began."""
        return {"day": int(look.day), "hour": float(np.round(float(look.hour), 4)) % 24.0}

    def _agents(self, look: Look) -> list[dict[str, Any]]:
        columns = {name: look.agents[name].tolist() for name in COLUMNS}
        found = []
        for k, (agent, running) in enumerate(zip(self.agents, look.running.tolist())):
            now: dict[str, Any] = {name: number(column[k]) for name, column in columns.items()}
            now |= {name: now[name] or 0.0 for name in _ALWAYS}
            if now["charge"] is not None:
                now["charge"] = min(max(now["charge"], 0.0), 1.0)
            found.append({"id": agent["id"], "status": status(agent["group"], now, running), **now})
        return found


def status(group: str, now: dict[str, Any], running: float) -> str:
    """One word for what an agent does, the most urgent first."""
    if group == "switch":
        if not running:
            return "open"
    elif now["voltage"] is not None and now["voltage"] <= 0.0:
        return "dark"
    elif group == "generator":
        return "running" if running else "off"
    if now["unserved_kw"] > _STILL:
        return "shortage"
    power, exchange = now["battery_kw"], now["exchange_kw"]
    if abs(power) > max(_STILL, abs(exchange)):
        return "discharging" if power > 0.0 else "charging"
    if abs(exchange) > _STILL:
        return "importing" if exchange > 0.0 else "exporting"
    return "ok"


def agent(
    name: str,
    group: str,
    bus: int | None,
    capacity_kwh: float | None = None,
    generation_kw_peak: float | None = None,
    line: str | None = None,
) -> dict[str, Any]:
    """Who an agent is; its id is its name without spaces."""
    return {
        "id": name.replace(" ", "-"),
        "name": name,
        "group": group,
        "bus": None if bus is None else bus_id(bus),
        "capacity_kwh": capacity_kwh,
        "generation_kw_peak": generation_kw_peak,
        "line": line,
    }


def number(value: Any) -> float | None:
    """A float of six digits, None where it is not finite."""
    value = float(value)
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _misfit(expected: int, got: int) -> dict[str, Any]:
    raise ValueError(f"voltage has {got} entries, expected one for each of {expected} buses")
