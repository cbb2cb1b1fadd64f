"""AC power flow over batches of scenarios: one entry point, several methods, status, derivatives.

`solve(method="auto")` chooses from the network and the device:

- slack and PQ buses only: the nominal-deviation chord (`chord`), whose matrix M is torn into small
  dense blocks (`inverse.cut`), or on an accelerator dense below 200 buses; `inverse.tree` needs the least
  memory of all, linear in the size of a radial network;
- PV buses: the log-polar chord (`polar`) with Anderson acceleration;
- changed topology (`branch_status`), up to two branches: the log-polar chord with its inverse compensated;
- what a chord does not solve, reactive limits that bind, and larger changes of topology: Newton's method
  (`newton`), on the scenarios concerned only, in small groups.

In float64 a chord begins in float32. The error of a scenario is estimated from the rate at which its
iterates approached; `Status` says how it ended. Derivatives are those of the implicit function theorem.
"""

from gridjax.powerflow.chord import Chord
from gridjax.powerflow.contingencies import Contingencies, contingencies, rank
from gridjax.powerflow.dc import DirectFlow, lodf, ptdf, solve_dc
from gridjax.powerflow.flow import Flow
from gridjax.powerflow.newton import Newton
from gridjax.powerflow.polar import Polar
from gridjax.powerflow.prepare import METHODS, prepare
from gridjax.powerflow.solve import solve
from gridjax.powerflow.status import Status
from gridjax.powerflow.tables import to_pandas
from gridjax.powerflow.timeseries import time_series

__all__ = [
    "METHODS",
    "Chord",
    "Contingencies",
    "DirectFlow",
    "Flow",
    "Newton",
    "Polar",
    "Status",
    "contingencies",
    "lodf",
    "prepare",
    "ptdf",
    "rank",
    "solve",
    "solve_dc",
    "time_series",
    "to_pandas",
]
