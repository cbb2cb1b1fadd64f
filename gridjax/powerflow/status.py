"""How a power flow ended, per scenario."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """Outcome of one scenario. Only `CONVERGED` results are solutions; all results are finite."""

    CONVERGED = 0
    ITERATION_LIMIT = 1  # still moving, or not a solution by the independent mismatch
    COLLAPSED = 2  # no solution found and a voltage fell below the guard: beyond the nose
    NOT_FINITE = 3  # the injection held NaN or infinity; the nominal state is returned
