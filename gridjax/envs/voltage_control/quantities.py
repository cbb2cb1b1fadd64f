"""What the metrics and costs of VoltageControl-v0 are, each with its unit in brackets."""

from __future__ import annotations

from collections.abc import Mapping

METRICS: Mapping[str, str] = {
    "voltage_min": "lowest voltage magnitude [p.u.]",
    "voltage_max": "highest voltage magnitude [p.u.]",
    "controllable": "every bus is within the band; the mean over steps is MAPDN's CR [0 or 1]",
    "out_of_band": "buses outside the band, all of them where the power flow fails [share]",
    "reactive_mvar": "mean |q| of an inverter, MAPDN's QL [MVAr]",
    "losses_mw": "losses of the network [MW]",
    "converged": "the power flow has a solution [0 or 1]",
}
COSTS: Mapping[str, str] = {
    "voltage": "mean over buses of what is beyond the band, 1 where the power flow fails [p.u.]",
}
