"""SmartGrid-v0: prosumers with batteries trade with the grid and help each other over a real feeder."""

from gridjax.envs.smart_grid.environment import GROUP, SmartGrid
from gridjax.envs.smart_grid.factory import make
from gridjax.envs.smart_grid.households import Households, Shares
from gridjax.envs.smart_grid.state import Params, State, Weights
from gridjax.envs.stability import stability_index

__all__ = [
    "GROUP",
    "Households",
    "Params",
    "Shares",
    "SmartGrid",
    "State",
    "Weights",
    "make",
    "stability_index",
]
