"""A user's loads, generation and prices as checked, regular arrays, kept with where they come from."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gridjax import archive
from gridjax.scenarios.normalise import Statistics, statistics
from gridjax.scenarios.profiles import Profiles, columns
from gridjax.scenarios.task_year import splits_of

KINDS = ("load", "reactive", "generation", "price")


@dataclasses.dataclass(frozen=True)
class ScenarioPack:
    """Whole days of equidistant rows, read-only numpy arrays on the host."""

    load: np.ndarray  # [n_time, n_load], float32, kW
    reactive: np.ndarray  # [n_time, n_load], float32, kVAr; [n_time, 0] where there is none
    generation: np.ndarray  # [n_time, n_generation], float32, kW
    price: np.ndarray  # [n_time, n_price], float32, EUR/kWh
    filled: np.ndarray  # [n_time], bool, where a long gap was filled
    load_names: tuple[str, ...]
    generation_names: tuple[str, ...]
    price_names: tuple[str, ...]
    start: datetime.datetime  # first midnight, in standard time
    step_hours: float  # h
    utc_offset: float = 0.0  # h from UTC
    notes: tuple[str, ...] = ()  # the choices that were made when the table was read
    source: str = ""  # where it came from

    def __post_init__(self) -> None:
        for kind in KINDS:
            value = np.array(getattr(self, kind), np.float32)
            if value.ndim != 2 or value.shape[0] != self.filled.shape[0]:
                raise ValueError(
                    f"{kind} has shape {value.shape}, expected {self.filled.shape[0]} rows and two axes"
                )
            value.flags.writeable = False
            object.__setattr__(self, kind, value)
        if self.filled.shape[0] % self.steps_per_day or self.start.time() != datetime.time():
            raise ValueError(
                f"{self.filled.shape[0]} rows from {self.start}, expected whole days from midnight"
            )

    @classmethod
    def of(cls, profiles: Profiles) -> ScenarioPack:
        """Loads and generation of `profiles` as those of sites whose peak is 1 kW."""
        nothing = np.empty((profiles.load_p.shape[0], 0))
        return cls(
            load=profiles.load_p,
            reactive=nothing,
            generation=profiles.pv,
            price=nothing,
            filled=np.zeros(profiles.load_p.shape[0], bool),
            load_names=profiles.load_names,
            generation_names=profiles.pv_names,
            price_names=(),
            start=profiles.start,
            step_hours=profiles.step_hours,
        )

    @property
    def steps_per_day(self) -> int:
        """Rows of a day."""
        return round(24 / self.step_hours)

    @property
    def n_days(self) -> int:
        """Whole days."""
        return self.filled.shape[0] // self.steps_per_day

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of `values`: loads, generation, prices."""
        return (*self.load_names, *self.generation_names, *self.price_names)

    @property
    def values(self) -> np.ndarray:
        """Loads and generation (kW) and prices (EUR/kWh) side by side, `[n_time, n_column]` float32."""
        return np.concatenate([self.load, self.generation, self.price], axis=1)

    @property
    def splits(self) -> np.ndarray:
        """Split of every day, `[n_days]` str: see `gridjax.scenarios.task_year.splits_of`."""
        return splits_of(self.start, self.n_days)

    def statistics(self) -> Statistics:
        """Mean and spread of every column of `values`, from its training days alone, long gaps left out.

        Raises `ValueError` if there is none.
        """
        rows = np.repeat(self.splits == "train", self.steps_per_day) & ~self.filled
        if not rows.any():
            raise ValueError(f"the {self.n_days} days from {self.start:%Y-%m-%d} on hold no training day")
        return statistics(self.values[rows], self.names)

    def select(
        self,
        loads: Sequence[str] | None = None,
        generation: Sequence[str] | None = None,
        prices: Sequence[str] | None = None,
    ) -> ScenarioPack:
        """The same days with only the named columns, in the order given; None keeps all of that kind.

        Raises `ValueError` with the nearest names if one is unknown.
        """
        load = columns(self.load_names, loads, "load")
        made = columns(self.generation_names, generation, "generation")
        price = columns(self.price_names, prices, "price")
        return dataclasses.replace(
            self,
            load=self.load[:, load],
            reactive=self.reactive[:, load] if self.reactive.shape[1] else self.reactive,
            generation=self.generation[:, made],
            price=self.price[:, price],
            load_names=tuple(self.load_names[i] for i in load),
            generation_names=tuple(self.generation_names[i] for i in made),
            price_names=tuple(self.price_names[i] for i in price),
        )

    def views(self, agents: Mapping[str, Sequence[str]]) -> dict[str, ScenarioPack]:
        """What each agent sees: its own columns of loads and generation, and the prices, which all see.

            pack.views({"house 1": ("load 1 [kW]", "roof 1 [kW]"), "house 2": ("load 2 [kW]",)})

        Raises `ValueError` if an agent has no column, or one that is unknown.
        """
        found = {}
        for agent, own in agents.items():
            if isinstance(own, str) or not own:
                raise ValueError(f"agent {agent!r} has the columns {own!r}, expected a list of at least one")
            columns((*self.load_names, *self.generation_names), own, "load or generation")
            found[agent] = self.select(
                [name for name in own if name in self.load_names],
                [name for name in own if name in self.generation_names],
            )
        return found

    def save(self, folder: str | os.PathLike, name: str = "scenario") -> None:
        """Write `<folder>/<name>.npz` and `<name>.json`, with its statistics where it has training days."""
        arrays = {kind: getattr(self, kind) for kind in KINDS} | {"filled": self.filled}
        sheet = {
            "source": self.source,
            "start": self.start.isoformat(),
            "utc_offset": self.utc_offset,
            "step_hours": self.step_hours,
            "units": {"load": "kW", "reactive": "kVAr", "generation": "kW", "price": "EUR/kWh"},
            "load_names": list(self.load_names),
            "generation_names": list(self.generation_names),
            "price_names": list(self.price_names),
            "notes": list(self.notes),
        }
        if (self.splits == "train").any():
            sheet["statistics"] = self.statistics().as_dict()
        archive.write(Path(folder) / name, arrays, sheet)

    @classmethod
    def load_from(cls, folder: str | os.PathLike, name: str = "scenario") -> ScenarioPack:
        """The pack that `save` wrote.

        Raises `FileNotFoundError` naming the missing file, `ValueError` if its checksum does not match or its
        sheet lacks an entry.
        """
        arrays, sheet = archive.read(Path(folder) / name, "scenario pack")
        try:
            return cls(
                load=arrays["load"],
                reactive=arrays["reactive"],
                generation=arrays["generation"],
                price=arrays["price"],
                filled=arrays["filled"],
                load_names=tuple(sheet["load_names"]),
                generation_names=tuple(sheet["generation_names"]),
                price_names=tuple(sheet["price_names"]),
                start=datetime.datetime.fromisoformat(sheet["start"]),
                step_hours=float(sheet["step_hours"]),
                utc_offset=float(sheet["utc_offset"]),
                notes=tuple(sheet["notes"]),
                source=sheet["source"],
            )
        except KeyError as error:
            raise ValueError(f"{Path(folder) / name}.json is not the sheet of a pack: no {error}") from error
