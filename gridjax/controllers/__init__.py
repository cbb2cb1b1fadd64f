"""What learning is measured against.

VoltageControl-v0: no control, Volt-VAR droop (standard, steep, tuned), optimum. SmartGrid-v0: idle battery,
self-consumption, rules by tariff and among peers, all in one rule and tuned, foresight, a bound on the cost.

A controller is a pure function `(state, params) -> actions` of the whole state of one environment, so that
`jax.vmap` runs it over a batch; it may know more than an agent may.
"""

from gridjax.controllers.cost_bound import cost_bound
from gridjax.controllers.droop import CATEGORY_B, STEEP, Droop, droop
from gridjax.controllers.foresight import Plan, plan_day
from gridjax.controllers.optimum import optimum
from gridjax.controllers.prosumer import (
    Rule,
    idle_battery,
    peer_to_peer,
    prosumer_rule,
    self_consumption,
    time_of_use,
)
from gridjax.controllers.prosumer_tuning import tune_rule
from gridjax.controllers.rest import no_control
from gridjax.controllers.steering import SteeredRule
from gridjax.controllers.tuning import tune_droop

__all__ = [
    "CATEGORY_B",
    "STEEP",
    "Droop",
    "Plan",
    "Rule",
    "SteeredRule",
    "cost_bound",
    "droop",
    "idle_battery",
    "no_control",
    "optimum",
    "peer_to_peer",
    "plan_day",
    "prosumer_rule",
    "self_consumption",
    "time_of_use",
    "tune_droop",
    "tune_rule",
]
