"""Resilience-v0: a campus with critical loads rides through outages of the grid."""

from gridjax.envs.resilience.campus import BUILDINGS, TIERS, Building, Campus
from gridjax.envs.resilience.cases import calm_cases, outage_cases
from gridjax.envs.resilience.environment import GROUPS, Resilience
from gridjax.envs.resilience.factory import make
from gridjax.envs.resilience.state import Params, Scenario, State, Weights

__all__ = [
    "BUILDINGS",
    "GROUPS",
    "TIERS",
    "Building",
    "Campus",
    "Params",
    "Resilience",
    "Scenario",
    "State",
    "Weights",
    "calm_cases",
    "make",
    "outage_cases",
]
