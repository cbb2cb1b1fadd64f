"""VoltageControl-v0: photovoltaic inverters hold the voltage of a feeder with reactive power."""

from gridjax.envs.voltage_control.barriers import BARRIERS
from gridjax.envs.voltage_control.environment import Params, State, VoltageControl
from gridjax.envs.voltage_control.factory import make

__all__ = ["BARRIERS", "Params", "State", "VoltageControl", "make"]
