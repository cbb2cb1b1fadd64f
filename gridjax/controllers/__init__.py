"""What learning is measured against: no control, Volt-VAR droop (standard, steep, tuned), optimum.

A controller is a pure function `(state, params) -> actions` of the whole state of one environment, so that
`jax.vmap` runs it over a batch; it may know more than an agent may.
"""

from gridjax.controllers.droop import CATEGORY_B, STEEP, Droop, droop
from gridjax.controllers.optimum import optimum
from gridjax.controllers.rest import no_control
from gridjax.controllers.tuning import tune_droop

__all__ = ["CATEGORY_B", "STEEP", "Droop", "droop", "no_control", "optimum", "tune_droop"]
