"""The task of a run: options of `gridjax.make`, flat, each belonging to some of the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from experiments.files import plain

VOLTAGE_CONTROL, SMART_GRID, RESILIENCE = "VoltageControl-v0", "SmartGrid-v0", "Resilience-v0"
_RATES = ("enrichment", "sensor_losses_per_year", "wind_fragility")

# options of each task, with the values they have where none is given
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    VOLTAGE_CONTROL: {
        "network": "case33bw",
        "episode_length": 240,
        "barrier": "l1",
        "reactive_weight": 0.01,
        "loss_weight": 0.0,
        "peak_load_mw": None,
        "peak_pv_mw": None,
        "action_range": None,
        "assignment_seed": 0,
    },
    SMART_GRID: {
        "network": None,
        "episode_length": 96,
        "agents": 5,
        "neighbours": 4,
        "source": "simbench",
        "season": None,
        "events": (),
        "event_probability": 1.0,
        "forecast_error": 0.2,
        "message_noise": 0.02,
        "message_loss": 0.05,
        "contracted_power": None,
        "ownership_seed": 0,
        "stability_weight": None,
        "efficiency_weight": None,
        "cost_weight": None,
        "cooperation_weight": None,
        "sun_share": None,
        "battery_share": None,
        "vehicle_share": None,
        "heat_pump_share": None,
    },
    RESILIENCE: {
        "network": None,
        "episode_length": 288,
        "managers": 3,
        "forecast_error": 0.2,
        "message_loss": 0.05,
        "measurement_noise": 0.02,
        "delay": 1,
        "memory": (),
        "full_observability": False,
        "enrichment": 100.0,
        "sensor_losses_per_year": 0.1,
        "wind_fragility": 0.0,
        "cost_weight": None,
        "resilience_weight": None,
        "efficiency_weight": None,
        "stability_weight": None,
    },
}


def filled(task: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a file has them, with the values that they have by default."""
    own = plain(OPTIONS.get(task["env"], {}))
    return {**task, **{name: value for name, value in own.items() if task.get(name) is None}}


def network_name(env_params: Any) -> str:
    """Of the grid of a task; a dash where a task of one's own keeps no network in its params."""
    return getattr(getattr(env_params, "network", None), "name", "-")


@dataclass(frozen=True)
class Task:
    """What is learned: options of `gridjax.make`. None: as the task has it by default."""

    env: str = VOLTAGE_CONTROL  # a registered task; MODULE:NAME where a module of one's own registers it
    # a shipped network, or the .json of one's own (`gridjax.network.save_network`)
    network: str | None = None
    episode_length: int | None = None  # steps of a training episode
    # of VoltageControl-v0
    barrier: Literal["l1", "l2", "bowl", "none"] | None = None  # penalty on the voltage of a bus
    reactive_weight: float | None = None  # on the mean |q| in MVAr
    loss_weight: float | None = None  # on the losses in MW
    peak_load_mw: float | None = None  # largest total demand; the network's own where None
    peak_pv_mw: float | None = None  # sum of the inverters' peaks; the network's own where None
    action_range: float | None = None  # share of the reactive capability in use; the network's own where None
    assignment_seed: int | None = None  # which bus follows which demand profile
    # of SmartGrid-v0
    agents: int | None = None  # number of prosumers
    neighbours: int | None = None  # transfer slots of each
    source: Literal["simbench", "synthetic"] | None = None  # of demand and sun
    season: Literal["winter", "spring", "summer", "autumn"] | None = None  # of the days; the year where None
    events: tuple[str, ...] | None = None  # price_shock, cloud_front, demand_peak, islanded
    event_probability: float | None = None  # of each of them in an episode
    forecast_error: float | None = None  # relative, eight hours ahead
    message_noise: float | None = None  # of what neighbours say
    message_loss: float | None = None  # probability of not hearing a neighbour
    # kW of import beyond which there is the cost `peak`; the task's own where None
    contracted_power: float | None = None
    ownership_seed: int | None = None  # of ratings, and of who follows which profile
    stability_weight: float | None = None  # of the global reward term
    efficiency_weight: float | None = None  # of the energy that is not lost or curtailed
    cost_weight: float | None = None  # of what an agent pays
    cooperation_weight: float | None = None  # of what neighbours give each other
    sun_share: float | None = None  # of the agents that own solar panels
    battery_share: float | None = None  # of those that own a battery
    vehicle_share: float | None = None  # of those that own an electric vehicle
    heat_pump_share: float | None = None  # of those that own a heat pump
    # of Resilience-v0
    managers: int | None = None  # of load, who share the buildings
    measurement_noise: float | None = None  # relative
    delay: int | None = None  # steps from a measurement to its arrival
    memory: tuple[float, ...] | None = None  # h over which agents remember means of what they received
    full_observability: bool | None = None  # agents see what is hidden, for comparison
    enrichment: float | None = None  # how many times more often than in reality things fail
    sensor_losses_per_year: float | None = None  # of each, before enrichment
    wind_fragility: float | None = None  # 1: lines are overhead and storms break them, 0: cables
    resilience_weight: float | None = None  # of the reward term

    def resolved(self) -> Task:
        """With the values of the task's own options filled in.

        Raises `ValueError` for an option that the task does not have. An unknown task is left to
        `gridjax.make`.
        """
        own = OPTIONS.get(self.env)
        if own is None:
            return self
        for entry in fields(self):
            if entry.name != "env" and entry.name not in own and getattr(self, entry.name) is not None:
                raise ValueError(
                    f"{entry.name} is {getattr(self, entry.name)!r}, but {self.env} has no such option; "
                    f"it has {', '.join(own)}"
                )
        return replace(self, **{name: value for name, value in own.items() if getattr(self, name) is None})

    def options(self) -> dict[str, Any]:
        """Options of `gridjax.make(task.env, ...)`."""
        chosen = {name: value for name, value in asdict(self.resolved()).items() if value is not None}
        del chosen["env"]
        if "ownership_seed" in chosen:
            chosen["seed"] = chosen.pop("ownership_seed")
        if "measurement_noise" in chosen:
            chosen["noise"] = chosen.pop("measurement_noise")
        rates = {name: chosen.pop(name) for name in _RATES if name in chosen}
        if rates:
            chosen["rates"] = rates
        for group in ("weight", "share"):
            grouped = self.env in (SMART_GRID, RESILIENCE)
            names = [name for name in chosen if grouped and name.endswith(f"_{group}")]
            if names:
                chosen[f"{group}s"] = {name.removesuffix(f"_{group}"): chosen.pop(name) for name in names}
        return chosen

    @property
    def title(self) -> str:
        """A short name for folders and lines: the network, or the task where it chooses one."""
        network = self.resolved().network
        return Path(network).stem if network else self.env.rpartition(":")[2].removesuffix("-v0").lower()
