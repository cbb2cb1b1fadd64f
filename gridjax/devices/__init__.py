"""Devices of a grid as pure functions."""

from gridjax.devices import battery, heat_pump, vehicle
from gridjax.devices.battery import Battery
from gridjax.devices.frequency import droop_frequency
from gridjax.devices.heat_pump import HeatPump
from gridjax.devices.inverter import reactive_limit, volt_var
from gridjax.devices.vehicle import Vehicle

__all__ = [
    "Battery",
    "HeatPump",
    "Vehicle",
    "battery",
    "droop_frequency",
    "heat_pump",
    "reactive_limit",
    "vehicle",
    "volt_var",
]
