"""The truth: Newton's method in polar coordinates on sparse matrices, float64, to the rounding floor.

Shares no code and no admittance matrix with gridjax: pandapower assembles the matrix, this module solves
(Tinney and Hart, Power flow solution by Newton's method, IEEE Transactions PAS-86, 1967).
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import splu

from benchmarks.peers.case import Array, Case


class Reference:
    """Solves scenarios of one case one by one; rows are those of `case.buses`."""

    def __init__(self, case: Case):
        internal = case.net._ppc["internal"]
        lookup = case.net._pd2ppc_lookups["bus"]
        self._rows = np.array([lookup[bus] for bus in case.buses])
        self._load_rows = np.array([lookup[bus] for bus in case.load_buses])
        self._admittance = sparse.csr_matrix(internal["Ybus"])
        self._start = np.asarray(internal["V"])
        self._pv, self._pq = np.asarray(internal["pv"], int), np.asarray(internal["pq"], int)
        self._base = float(internal["baseMVA"])
        self._nominal = np.asarray(internal["Sbus"])
        self._case = case

    def solve(self, injection: Array) -> Array:
        """Voltages, complex p.u. `[scenarios, n_row]`, NaN where Newton's method finds no solution.

        `injection` is complex p.u. `[scenarios, n_bus]`; pandapower's own power enters where it is constant.
        """
        found = np.full((len(injection), self._rows.size), np.nan, complex)
        for k, state in enumerate(self._case.consumption(injection)):
            power = self._nominal.copy()
            np.add.at(power, self._load_rows, (self._case.load - state) / self._base)
            voltage = self._newton(power)
            if voltage is not None:
                found[k] = voltage[self._rows]
        return found

    def _newton(self, power: Array, limit: int = 30) -> Array | None:
        pv, pq, y = self._pv, self._pq, self._admittance
        free = np.concatenate([pv, pq])
        voltage, last = self._start.copy(), np.inf
        for _ in range(limit):
            current = y @ voltage
            apart = voltage * np.conj(current) - power
            residual = np.concatenate([apart[free].real, apart[pq].imag])
            by_angle = 1j * sparse.diags(voltage) @ (sparse.diags(current) - y @ sparse.diags(voltage)).conj()
            unit = voltage / np.abs(voltage)
            by_magnitude = sparse.diags(voltage) @ (y @ sparse.diags(unit)).conj()
            by_magnitude = by_magnitude + sparse.diags(current.conj() * unit)
            angle, magnitude = sparse.csr_matrix(by_angle), sparse.csr_matrix(by_magnitude)
            jacobian = sparse.bmat(
                [
                    [angle[free][:, free].real, magnitude[free][:, pq].real],
                    [angle[pq][:, free].imag, magnitude[pq][:, pq].imag],
                ],
                format="csc",
            )
            step = splu(jacobian).solve(residual)
            theta, size = np.angle(voltage), np.abs(voltage)
            theta[free] -= step[: free.size]
            size[pq] -= step[free.size :]
            voltage = size * np.exp(1j * theta)
            change = float(np.max(np.abs(step), initial=0.0))
            if not np.isfinite(change):
                return None
            if change < 1e-12 or (change < 1e-9 and change >= 0.5 * last):  # the floor of rounding
                return voltage
            last = change
        return None
