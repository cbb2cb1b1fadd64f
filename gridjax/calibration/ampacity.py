"""Thermal ratings for test feeders that were published without any."""

from __future__ import annotations

import numpy as np
import pandapower as pp
from pandapower.auxiliary import pandapowerNet

STANDARD_AMPERES = (200, 300, 400, 600, 800, 1200)
MARGIN = 1.5

RULE = (
    f"stated by gridjax, not by the source: the smallest of {', '.join(map(str, STANDARD_AMPERES))} A "
    f"that is at least {MARGIN} times the branch current at nominal load"
)


def give_ratings(net: pandapowerNet) -> pandapowerNet:
    """Set `max_i_ka` of every line of `net` by `RULE` and return `net`.

    Raises `ValueError` where a line carries more than the largest standard ampacity allows.
    """
    pp.runpp(net, calculate_voltage_angles=True, trafo_model="t", numba=False)
    needed = MARGIN * 1e3 * net.res_line["i_ka"].fillna(0.0).to_numpy()
    steps = np.asarray(STANDARD_AMPERES, float)
    if needed.max() > steps[-1]:
        raise ValueError(
            f"line {net.line.index[needed.argmax()]} needs {needed.max():.0f} A, above {steps[-1]} A"
        )
    net.line["max_i_ka"] = steps[np.searchsorted(steps, needed)] / 1e3
    return net
