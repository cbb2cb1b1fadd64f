"""AC power flow over batches of scenarios: one entry point, several methods, status, derivatives."""

from gridjax.powerflow.chord import Chord
from gridjax.powerflow.flow import Flow
from gridjax.powerflow.newton import Newton
from gridjax.powerflow.prepare import METHODS, prepare
from gridjax.powerflow.solve import solve
from gridjax.powerflow.status import Status

__all__ = ["METHODS", "Chord", "Flow", "Newton", "Status", "prepare", "solve"]
