"""pandapower's power flow, carried on to the last digit.

pandapower stops at a mismatch that leaves 1e-10 to 1e-7 p.u. of voltage, and where branches are short the
rounding of V conj(Y V) hides what is missing. So its Newton solution is refined here: the same tables,
the same Jacobian, but the mismatch in extended precision and branch by branch. What comes out is the
solution of pandapower's model, not merely near it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pandapower.pf.ppci_variables import _get_pf_variables_from_ppci
from pandapower.pf.run_dc_pf import _run_dc_pf
from pandapower.pypower import idx_brch, idx_bus
from pandapower.pypower.dSbus_dV import dSbus_dV
from pandapower.pypower.makeSbus import makeSbus
from pandapower.pypower.makeYbus import makeYbus
from pandapower.pypower.newtonpf import newtonpf
from scipy.sparse import bmat, coo_array, diags
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from gridjax.calibration.conversion import bus_powers
from gridjax.calibration.tables import Tables

_LONG = np.clongdouble
_TOLERANCE = 1e-7  # p.u., of pandapower's Newton; refinement does the rest
_REFINED = 1e-14  # p.u., a last step below this is rounding
_MAX_REFINEMENTS = 12
_OPTIONS = {
    "max_iteration": 15,
    "numba": True,
    "algorithm": "nr",
    "distributed_slack": False,
    "v_debug": False,
    "use_umfpack": False,
    "permc_spec": None,
    "tdpf": False,
}


def _dc_start(ppci: Tables) -> np.ndarray:
    """Set-points with the angles of a DC power flow, as `runpp` starts: it carries the phase shifts."""
    copied = {**ppci, **{table: ppci[table].copy() for table in ("bus", "gen", "branch")}}
    copied["internal"] = dict(ppci["internal"])
    solved = _run_dc_pf(copied, False)
    return _get_pf_variables_from_ppci(solved)[13]


@dataclass(frozen=True)
class Solution:
    """One solved state in p.u.; complex numbers of double precision, computed in extended precision."""

    voltage: np.ndarray  # [n_bus]
    power: np.ndarray  # [n_branch, 2], into the branch at its from and to end
    current: np.ndarray  # [n_branch, 2], magnitude
    losses: float  # active, all branches
    drawn: np.ndarray  # [n_bus], V conj(Y V)
    orientation: int  # sign of the determinant of the Jacobian; it changes at the point of collapse
    last_step: float  # largest change of voltage in the last refinement


def _orientation(factor: Any) -> int:
    """Sign of the determinant of a matrix with the sparse LU factorisation `factor`."""
    negative = np.count_nonzero(factor.U.diagonal() < 0.0)
    return int((-1) ** (negative + _transpositions(factor.perm_r) + _transpositions(factor.perm_c)))


def _transpositions(permutation: np.ndarray) -> int:
    """Number of exchanges that make up `permutation`: its length less the number of its cycles."""
    size = permutation.size
    cycles, _ = connected_components(coo_array((np.ones(size), (np.arange(size), permutation)), (size, size)))
    return size - cycles


class Truth:
    """pandapower's admittances and bus types, shared by all states of a network."""

    def __init__(self, ppci: Tables):
        branch = ppci["branch"].real
        self.admittance, _, _ = makeYbus(ppci["baseMVA"], ppci["bus"], ppci["branch"])
        variables = _get_pf_variables_from_ppci(ppci)
        self.ref, self.pv, self.pq = (np.asarray(rows) for rows in variables[8:11])
        self.start = _dc_start(ppci)
        self.ends = branch[:, [idx_brch.F_BUS, idx_brch.T_BUS]].astype(int)

        def extended(column: int) -> np.ndarray:
            return branch[:, column].astype(np.longdouble)

        self.series = 1 / (extended(idx_brch.BR_R) + 1j * extended(idx_brch.BR_X))
        charging = extended(idx_brch.BR_G) + 1j * extended(idx_brch.BR_B)
        excess = extended(idx_brch.BR_G_ASYM) + 1j * extended(idx_brch.BR_B_ASYM)
        self.charging = charging / 2, (charging + excess) / 2
        tap = extended(idx_brch.TAP)
        turn = np.exp(1j * extended(idx_brch.SHIFT) * (np.arccos(np.longdouble(-1)) / 180))
        self.tap = np.where(tap == 0, 1, tap) * turn
        shunt = ppci["bus"][:, idx_bus.GS] + 1j * ppci["bus"][:, idx_bus.BS]
        self.shunt = shunt.astype(_LONG) / np.longdouble(ppci["baseMVA"])
        self._check(self.start)
        self.nominal = self.solve(ppci)

    def solve(
        self,
        ppci: Tables,
        pv: np.ndarray | None = None,
        start: np.ndarray | None = None,
        powers: tuple[np.ndarray, ...] | None = None,
    ) -> Solution | None:
        """Solve the state in `ppci` (its powers; the rest as at construction); None if Newton fails.

        A solution beyond the point of collapse, where the Jacobian is oriented otherwise than at nominal,
        is a failure: Newton's method has left the branch of solutions on which the network is operated.

        `pv` overrides the PV rows; what it leaves out of the network's becomes PQ. `start` overrides the
        voltages to start from, otherwise the nominal solution and, if that fails, the DC angles. `powers`,
        as `bus_powers` but for rounding, is what the solution is refined to.
        """
        nominal = getattr(self, "nominal", None)
        # the Jacobian of other bus types is another one
        side = nominal.orientation if nominal is not None and pv is None else None
        pv = self.pv if pv is None else pv
        pq = np.union1d(self.pq, np.setdiff1d(self.pv, pv))
        powers = bus_powers(ppci) if powers is None else powers
        starts = [start] if start is not None else [nominal.voltage] if nominal else []
        for first in [*starts, self.start]:
            voltage = self._newton(ppci, first, pv, pq)
            refined = None if voltage is None else self._refine(powers, voltage, pv, pq)
            if refined is not None and side in (None, refined.orientation):
                return refined
        return None

    def _newton(self, ppci: Tables, start, pv, pq) -> np.ndarray | None:
        base, bus, gen = ppci["baseMVA"], ppci["bus"], ppci["gen"]
        dependent = bool(bus[:, [idx_bus.CID_P, idx_bus.CID_Q, idx_bus.CZD_P, idx_bus.CZD_Q]].any())
        options = {**_OPTIONS, "tolerance_mva": _TOLERANCE, "voltage_depend_loads": dependent}
        power = makeSbus(base, bus, gen, vm=np.abs(start) if dependent else None)
        with np.errstate(all="ignore"):
            voltage, good, *_ = newtonpf(
                self.admittance, power, start.copy(), self.ref, pv, pq, {**ppci, "internal": {}}, options
            )
        return voltage if good and np.isfinite(voltage).all() else None

    def _refine(self, powers: tuple[np.ndarray, ...], voltage: np.ndarray, pv, pq) -> Solution | None:
        """Newton steps with one Jacobian at `voltage` and the mismatch in extended precision."""
        constant, current, impedance = powers
        pvpq = np.concatenate([pv, pq])
        by_magnitude, by_angle = dSbus_dV(self.admittance, voltage)
        by_magnitude = by_magnitude - diags(current + 2 * impedance * np.abs(voltage))
        by_magnitude, by_angle = by_magnitude.tocsr(), by_angle.tocsr()
        jacobian = bmat(
            [
                [by_angle[pvpq][:, pvpq].real, by_magnitude[pvpq][:, pq].real],
                [by_angle[pq][:, pvpq].imag, by_magnitude[pq][:, pq].imag],
            ],
            format="csc",
        )
        try:
            factor = splu(jacobian)
        except RuntimeError:  # singular: the point of collapse
            return None
        magnitude, angle = np.abs(voltage.astype(_LONG)), np.angle(voltage.astype(_LONG))
        magnitude[pv] = np.abs(self.start[pv])
        largest = np.inf
        for _ in range(_MAX_REFINEMENTS):
            precise = magnitude * np.exp(1j * angle)
            drawn = self._drawn(precise)[0]
            missing = constant + current * magnitude + impedance * magnitude**2 - drawn
            rhs = np.concatenate([np.real(missing[pvpq]), np.imag(missing[pq])]).astype(float)
            step = factor.solve(rhs)
            previous, largest = largest, float(np.max(np.abs(step), initial=0.0))
            if not np.isfinite(largest) or largest > 0.1:
                return None
            angle[pvpq] += step[: pvpq.size]
            magnitude[pq] += step[pvpq.size :]
            if largest < _REFINED or (largest > 0.3 * previous and largest < 1e-9):
                break
        else:
            return None
        precise = magnitude * np.exp(1j * angle)
        drawn, ends = self._drawn(precise)
        power = np.stack([precise[self.ends[:, k]] * np.conj(ends[k]) for k in (0, 1)], axis=-1)
        return Solution(
            voltage=precise.astype(complex),
            power=power.astype(complex),
            current=np.abs(np.stack(ends, axis=-1)).astype(float),
            losses=float(np.real(power).sum()),
            drawn=drawn.astype(complex),
            orientation=_orientation(factor),
            last_step=largest,
        )

    def _drawn(self, voltage: np.ndarray) -> tuple[np.ndarray, Any]:
        """V conj(Y V) `[n_bus]` and the currents of both branch ends `[n_branch]`, branch by branch."""
        at_from, at_to = voltage[self.ends[:, 0]], voltage[self.ends[:, 1]]
        inner = at_from / self.tap
        through = self.series * (inner - at_to)
        current_from = (through + self.charging[0] * inner) / np.conj(self.tap)
        current_to = self.charging[1] * at_to - through
        total = self.shunt * voltage
        np.add.at(total, self.ends[:, 0], current_from)
        np.add.at(total, self.ends[:, 1], current_to)
        return voltage * np.conj(total), (current_from, current_to)

    def _check(self, voltage: np.ndarray) -> None:
        """The branch-wise equations are those of pandapower's own admittance matrix."""
        expected = voltage * np.conj(self.admittance @ voltage)
        found = self._drawn(voltage.astype(_LONG))[0].astype(complex)
        scale = np.abs(self.admittance).sum(axis=1).max()
        if not np.abs(found - expected).max() < 1e-12 * scale:
            raise RuntimeError("branch equations differ from pandapower's admittance matrix")
