"""What the metrics and costs of Resilience-v0 are, each with its unit in brackets.

Energies, fuel burnt, money and emissions are those of one step, and of the campus, not of the town outside.
"""

from __future__ import annotations

from collections.abc import Mapping

from gridjax.envs.resilience.campus import TIERS

METRICS: Mapping[str, str] = {
    "reward_cost": "term of the reward before its weight",
    "reward_resilience": "term of the reward before its weight",
    "reward_efficiency": "term of the reward before its weight",
    "reward_stability": "term of the reward before its weight",
    **{f"demand_{tier}": f"{tier} demand [kWh]" for tier in TIERS},
    **{f"served_{tier}": f"{tier} demand that was served [kWh]" for tier in TIERS},
    "import": "taken from the grid [kWh]",
    "export": "given to the grid [kWh]",
    "sun": "used of the sun [kWh]",
    "curtailed": "sun that was not used [kWh]",
    "losses": "losses of the network [kWh]",
    "dumped": "burnt in the load banks of islands [kWh]",
    "wasted": "lost in batteries and network, curtailed or dumped [kWh]",
    "imbalance": "supplied less consumed in these accounts: rounding [kWh]",
    "stored": "in all batteries after the step [kWh]",
    "discharged": "from each battery, negative for charging [kWh]",
    "generated": "by each generator [kWh]",
    "burnt": "fuel burnt by each generator [l]",
    "fuel": "left in each tank after the step [l]",
    "energy_cost": "bill, fuel, starts and wear together [EUR]",
    "bill": "paid for import, less what export earns [EUR]",
    "fuel_cost": "fuel burnt [EUR]",
    "start_cost": "starts of generators [EUR]",
    "wear": "wear of batteries [EUR]",
    "stored_value": "growth of what is stored, at its price [EUR]",
    "unserved_cost": "energy not served, at the price of its tier [EUR]",
    "discomfort": "temperature outside the comfort band, over time, of all managers [K h]",
    "emissions": "of import and of fuel burnt [kg CO2]",
    "import_price": "import price [EUR/kWh]",
    "grid_present": "the grid is there [0 or 1]",
    "connected": "some of the campus is beside the grid [0 or 1]",
    "energised": "buses of the campus that are live [share]",
    "running": "each generator runs after the step [0 or 1]",
    "stages_shed": "most stages of load shedding in an island [stages]",
    "frequency": "settled, of the live bus farthest from nominal [Hz]",
    "nadir": "lowest frequency of any island within the step, nominal without one [Hz]",
    "zenith": "highest frequency, likewise [Hz]",
    "rate": "largest rate of change of frequency of any island within the step [Hz/s]",
    "stability": "stability index, 1 at rest and 0 at a limit",
    "voltage_min": "lowest voltage magnitude of live buses, 1 where none is [p.u.]",
    "voltage_max": "highest voltage magnitude of live buses, 1 where none is [p.u.]",
    "loading_max": "highest branch current over its rating [share]",
    "converged": "the power flow has a solution that the units can hold [0 or 1]",
}
COSTS: Mapping[str, str] = {
    "unserved": "demand of all tiers that was not served [kWh]",
    "voltage": "mean over buses of what is beyond the band [p.u.]",
    "loading": "mean over branches of what is beyond the rating [share]",
    "frequency": "of the farthest live bus, beyond the 2 % that EN 50160 allows an island [p.u.]",
}
