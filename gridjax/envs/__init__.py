"""The environment contract, the tasks and their registry."""

from gridjax.envs import resilience, smart_grid, voltage_control
from gridjax.envs.environment import Environment, Transition
from gridjax.envs.registry import make, register, tasks
from gridjax.envs.spaces import Box, Discrete, Hybrid
from gridjax.envs.wrappers import ActionRepeat, LogState, LogWrapper

__all__ = [
    "ActionRepeat",
    "Box",
    "Discrete",
    "Environment",
    "Hybrid",
    "LogState",
    "LogWrapper",
    "Transition",
    "make",
    "register",
    "resilience",
    "smart_grid",
    "tasks",
    "voltage_control",
]
