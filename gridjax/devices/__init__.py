"""Devices of a grid as pure functions."""

from gridjax.devices.inverter import reactive_limit, volt_var

__all__ = ["reactive_limit", "volt_var"]
