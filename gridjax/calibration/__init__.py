"""Offline: pandapower in, calibrated `Network` and validation report out.

The only room that imports pandapower (`pip install "gridjax[calibration]"`).
"""

from gridjax.calibration.conversion import from_pandapower
from gridjax.calibration.validation import validate

__all__ = ["from_pandapower", "validate"]
