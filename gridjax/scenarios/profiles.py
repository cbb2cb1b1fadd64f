"""The real year: SimBench demand and photovoltaic profiles as host arrays."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from gridjax import archive

FOLDER = Path(__file__).parent / "data"
HOUSEHOLDS = ("H0-A", "H0-B", "H0-C", "H0-G", "H0-L")
"""Demand of single households; `H0-H`, as smooth as a sum of many, is not one of them."""


@dataclasses.dataclass(frozen=True)
class Profiles:
    """One year of relative time series, read-only numpy arrays on the host.

    SimBench's nominal reactive power is 0.395 of the nominal active power, 0.329 for the HS profiles.
    """

    load_p: np.ndarray  # [n_time, n_load], float32, active demand over the load's nominal (its year's peak)
    load_q: np.ndarray  # [n_time, n_load], float32, reactive over its nominal; negative is capacitive
    pv: np.ndarray  # [n_time, n_pv], float32, generation over installed peak power
    load_names: tuple[str, ...]
    pv_names: tuple[str, ...]
    step_hours: float = 0.25  # h
    start: datetime.datetime = datetime.datetime(2016, 1, 1)  # of the first step; no summer time

    @property
    def steps_per_day(self) -> int:
        """Rows of a day."""
        return round(24 / self.step_hours)

    @property
    def n_days(self) -> int:
        """Whole days."""
        return self.load_p.shape[0] // self.steps_per_day

    def select(
        self, load_names: Sequence[str] | None = None, pv_names: Sequence[str] | None = None
    ) -> Profiles:
        """The same year with only the named columns, in the order given; None keeps all of that kind.

        Raises `ValueError` with the nearest names if one is unknown.
        """
        loads = columns(self.load_names, load_names, "load")
        pvs = columns(self.pv_names, pv_names, "pv")
        return dataclasses.replace(
            self,
            load_p=self.load_p[:, loads],
            load_q=self.load_q[:, loads],
            pv=self.pv[:, pvs],
            load_names=tuple(self.load_names[i] for i in loads),
            pv_names=tuple(self.pv_names[i] for i in pvs),
        )


@cache
def load_simbench() -> Profiles:
    """The shipped SimBench profiles: 35,136 quarter hours of 2016 (ODbL 1.0, see `data/NOTICE.md`).

    Raises `FileNotFoundError` if a data file is missing, `ValueError` if its checksum does not match.
    """
    return read_simbench(FOLDER)


def read_simbench(folder: str | Path) -> Profiles:
    """As `load_simbench`, from another folder that `python -m gridjax.scenarios.pack` wrote."""
    arrays, sheet = archive.read(Path(folder) / "simbench", "time series")
    # stored [profile, time], which compresses better; read by time, which is how it is used
    series = {name: np.ascontiguousarray(arrays[name].T, np.float32) for name in ("load_p", "load_q", "pv")}
    for value in series.values():
        value.flags.writeable = False
    return Profiles(
        **series,
        load_names=tuple(sheet["load_names"]),
        pv_names=tuple(sheet["pv_names"]),
        step_hours=float(sheet["step_hours"]),
        start=datetime.datetime.fromisoformat(sheet["start"]),
    )


def columns(known: tuple[str, ...], names: Sequence[str] | None, kind: str) -> list[int]:
    """Places of `names` in `known`, all for None. Raises `ValueError` with the nearest if one is unknown."""
    if names is None:
        return list(range(len(known)))
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.3)
            hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(known)}"
            raise ValueError(f"unknown {kind} profile {name!r}; {hint}")
    return [known.index(name) for name in names]
