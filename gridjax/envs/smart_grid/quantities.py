"""What the metrics and costs of SmartGrid-v0 are, each with its unit in brackets.

Energies and money are those of one step. Metrics of agents have an entry for each, `[n_agent]`.
"""

from __future__ import annotations

from collections.abc import Mapping

METRICS: Mapping[str, str] = {
    # of agents
    "reward_stability": "term of the reward before its weight",
    "reward_efficiency": "term of the reward before its weight",
    "reward_cost": "term of the reward before its weight",
    "reward_cooperation": "term of the reward before its weight",
    "paid_grid": "paid for trade and imbalance, negative where the agent earns [EUR]",
    "paid_peers": "paid to neighbours, likewise [EUR]",
    "paid_losses": "paid for the losses of transfers, likewise [EUR]",
    "wear": "wear of the battery [EUR]",
    "idle_bill": "what the agent would pay alone with its battery idle [EUR]",
    "stored_value": "growth of what is stored, at its price [EUR]",
    "discomfort": "temperature outside the comfort band, over time [K h]",
    "demand": "demand, vehicle and heat pump included [kWh]",
    "sun": "available from the sun [kWh]",
    "import": "taken from the grid [kWh]",
    "export": "given to the grid [kWh]",
    "received": "received from neighbours [kWh]",
    "sent": "sent to neighbours [kWh]",
    "throughput": "through the battery, either way [kWh]",
    "curtailed": "sun that was not used [kWh]",
    "unserved": "demand that was not met, trips of vehicles included [kWh]",
    # of the whole
    "losses": "losses of the network [kWh]",
    "slack": "supplied at the transformer, or by the grid-forming unit of an island [kWh]",
    "others": "taken by those who are no agents [kWh]",
    "shed": "what an island cannot feed of their demand [kWh]",
    "loss_cost": "what the operator pays for the losses [EUR]",
    "import_price": "import price [EUR/kWh]",
    "stability": "stability index, 1 at rest and 0 at a limit",
    "frequency": "frequency [Hz]",
    "voltage_min": "lowest voltage magnitude [p.u.]",
    "voltage_max": "highest voltage magnitude [p.u.]",
    "loading_max": "highest branch current over its rating [share]",
    "out_of_band": "buses outside the band, all of them where the power flow fails [share]",
    "controllable": "every bus is within the band [0 or 1]",
    "converged": "the power flow has a solution [0 or 1]",
}
COSTS: Mapping[str, str] = {
    "voltage": "mean over buses of what is beyond the band, 1 where the power flow fails [p.u.]",
    "loading": "mean over branches of what is beyond the rating, 1 where the power flow fails [share]",
    "unserved": "demand of all agents that was not met [kWh]",
    "peak": "import of the community as a whole beyond its contract [kW]",
}
