"""What a campus consists of: buildings with tiers of load, plants, heat pumps, switches.

Units that can form the voltage of an island are counted together, batteries first, then generators.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from gridjax.devices import Battery, HeatPump
from gridjax.devices.generator import Generator
from gridjax.devices.swing import Forming

Array = Any

TIERS = ("critical", "priority", "discretionary")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Campus:
    """Ratings; kW, kVAr, kWh."""

    demand: Array  # [n_bus], kW at profile 1; 0 outside the campus
    reactive: Array  # [n_bus], kVAr at profile 1
    demand_profile: Array  # [n_bus], int, column of the demand table
    tiers: Array  # [n_bus, 3], share of each tier in the demand
    sun: Array  # [n_bus], kW, installed peak
    sun_profile: Array  # [n_bus], int, column of the sun table
    manager: Array  # [n_bus], int, load manager of the bus; -1 outside the campus
    pump_bus: Array  # [n_load], int
    heat_pump: HeatPump  # [n_load], part of the discretionary tier
    battery: Battery  # [n_battery]
    generator: Generator  # [n_generator]
    forming: Forming  # [n_unit]


@dataclass(frozen=True)
class Building:
    """One building of a campus."""

    name: str
    profile: str  # SimBench demand profile
    tiers: tuple[float, float, float]  # shares of critical, priority, discretionary load


# Shares of the tiers are assumptions in the spirit of NFPA 99 (life safety, critical, equipment branch):
# wards, theatres and data are the most critical, housing is not at all.
BUILDINGS = (
    Building("outpatient clinic", "G1-A", (0.10, 0.20, 0.70)),
    Building("administration", "G1-B", (0.05, 0.15, 0.80)),
    Building("wards and intensive care", "G3-A", (0.35, 0.30, 0.35)),
    Building("theatres and imaging", "G3-M", (0.35, 0.25, 0.40)),
    Building("data centre", "BL-H", (0.60, 0.30, 0.10)),
    Building("staff housing", "H0-H", (0.00, 0.10, 0.90)),
    Building("kitchen, laundry, sterilisation", "G3-H", (0.15, 0.35, 0.50)),
    Building("nursing home", "G0-M", (0.15, 0.25, 0.60)),
    Building("laboratories", "G0-A", (0.15, 0.35, 0.50)),
)
