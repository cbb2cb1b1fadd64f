"""What controllers, measures and machines are called in tables and figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TITLES = {
    "no_control": "no control",
    "category_b": "droop, category B",
    "steep": "droop, steep",
    "tuned_droop": "droop, tuned",
    "idle_battery": "idle battery",
    "self_consumption": "self-consumption",
    "time_of_use": "time of use",
    "peer_to_peer": "peer to peer",
    "tuned_rule": "rule, tuned",
    "do_nothing": "do nothing",
    "droop_alone": "droop alone",
    "mappo": "MAPPO",
    "mappo_stochastic": "MAPPO, sampled",
    "ippo": "IPPO",
    "ippo_stochastic": "IPPO, sampled",
    "optimum": "optimum",
}


# measure, heading, factor, digits
COLUMNS = (
    ("controllable", "CR (%)", 100.0, 2),
    ("controllable_tolerant", "CR ± 0.001 (%)", 100.0, 2),
    ("out_of_band", "buses out of band (%)", 100.0, 3),
    ("reactive_mvar", "QL (MVAr)", 1.0, 3),
    ("losses_mw", "losses (MW)", 1.0, 4),
    ("energy_loss_mwh", "losses (MWh/day)", 1.0, 2),
    ("community_cost", "community cost (EUR/day)", 1.0, 2),
    ("self_sufficiency", "self-sufficiency (%)", 100.0, 1),
    ("self_consumption", "self-consumption (%)", 100.0, 1),
    ("peak_import", "peak import (kW)", 1.0, 1),
    ("losses", "losses (kWh/day)", 1.0, 2),
    ("peer_energy", "between peers (kWh/day)", 1.0, 1),
    ("fairness", "fairness (Jain)", 1.0, 3),
    ("battery_cycles", "battery cycles a day", 1.0, 2),
    ("co2", "CO2 (kg/day)", 1.0, 1),
    ("unserved", "unserved (kWh/day)", 1.0, 3),
    ("steps_out_of_band", "steps out of band (%)", 100.0, 2),
    ("critical_served", "critical load served (%)", 100.0, 3),
    ("ens_critical", "not served, critical (kWh)", 1.0, 1),
    ("ens_priority", "priority", 1.0, 0),
    ("ens_discretionary", "discretionary", 1.0, 0),
    ("critical_interruptions", "interruptions of critical load", 1.0, 2),
    ("critical_hours", "hours of them", 1.0, 2),
    ("energy_cost", "energy cost (EUR)", 1.0, 0),
    ("fuel", "fuel (l)", 1.0, 0),
    ("emissions", "CO2 (kg)", 1.0, 0),
    ("nadir", "lowest frequency (Hz)", 1.0, 2),
)

# costs that are bounded, means of a step
COSTS = {
    "cost_voltage": "voltage beyond the band (p.u.)",
    "cost_peak": "import beyond the contract (kW)",
    "cost_unserved": "not served (kWh)",
}


def machine(versions: Mapping[str, Any]) -> str:
    """What a program ran on, from a `versions.json`."""
    if versions["platform"] == "cpu":
        return f"{versions['cpu_cores']} CPU cores"
    return f"{versions['device_count']} x {versions['device']}"
