"""What learning is measured against.

VoltageControl-v0: no control, Volt-VAR droop (standard, steep, tuned), optimum. SmartGrid-v0: idle battery,
self-consumption, rules by tariff and among peers, all in one rule and tuned, foresight, a bound on the cost.
Resilience-v0: doing nothing, droop alone, the engineer's rule and its tuning, a plan that knows the outage.

A controller is a pure function `(state, params) -> actions` of the whole state of one environment, so that
`jax.vmap` runs it over a batch; it may know more than an agent may.
"""

from gridjax.controllers.campus import CampusRule, campus_rule
from gridjax.controllers.campus_steering import SteeredCampus
from gridjax.controllers.campus_tuning import refine_campus_rule, tune_campus_rule
from gridjax.controllers.cost_bound import cost_bound
from gridjax.controllers.droop import CATEGORY_B, STEEP, Droop, droop
from gridjax.controllers.foresight import Plan, plan_day
from gridjax.controllers.optimum import optimum
from gridjax.controllers.outage_plan import Foreseen, OutagePlan, plan_outage
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
    "CampusRule",
    "Droop",
    "Foreseen",
    "OutagePlan",
    "Plan",
    "Rule",
    "SteeredCampus",
    "SteeredRule",
    "campus_rule",
    "cost_bound",
    "droop",
    "idle_battery",
    "no_control",
    "optimum",
    "peer_to_peer",
    "plan_day",
    "plan_outage",
    "prosumer_rule",
    "refine_campus_rule",
    "self_consumption",
    "time_of_use",
    "tune_campus_rule",
    "tune_droop",
    "tune_rule",
]
