"""A user's CSV or Parquet of loads, generation and prices, checked and made regular: a `ScenarioPack`."""

from __future__ import annotations

import datetime
import difflib
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gridjax.scenarios.clock_time import standard_offset, utc_seconds, zone_of
from gridjax.scenarios.regular import LONG_GAPS, native_step, regular
from gridjax.scenarios.scenario_pack import KINDS, ScenarioPack
from gridjax.scenarios.units import factor, unit_of

NEGATIVE = ("error", "clip")
LABELS = ("start", "end")
_log = logging.getLogger(__name__)
_TIMES = ("time", "timestamp", "datetime", "date", "utc_timestamp")


def read_table(
    source: str | os.PathLike | Any,
    *,
    loads: Sequence[str],
    generation: Sequence[str] = (),
    reactive: Sequence[str] = (),
    prices: Sequence[str] = (),
    units: Mapping[str, str] | None = None,
    time: str | None = None,
    time_format: str | None = None,
    timezone: str | None = None,
    label: str = "start",
    step_hours: float = 0.25,
    longest_gap: float = 1.0,
    long_gaps: str = "error",
    negative: str = "error",
    separator: str = ",",
    decimal: str = ".",
) -> ScenarioPack:
    """The named columns of a table, in kW, kVAr and EUR/kWh, at equidistant steps of standard time.

    Every choice that is made on the way is logged as a warning and kept in the pack's `notes`.

    Args:
        source: a `.csv` (also `.csv.gz`, `.txt`) or `.parquet` file, or a pandas DataFrame.
        loads, generation, reactive, prices: columns of each kind; consumption and generation are positive.
            `reactive` is empty, or one for every load.
        units: of a column or of a kind ("load", "reactive", "generation", "price"), where names do not tell,
            like `house [kW]`: W, kW, MW, or the energy of a row in Wh, kWh, MWh; var, kvar, Mvar; EUR/kWh,
            ct/kWh, EUR/MWh.
        time: column of times; default the index of a DataFrame, or the column named time or timestamp.
        time_format: of times that are not ISO 8601, like "%d.%m.%Y %H:%M".
        timezone: of times without an offset: "Europe/Berlin" for a clock on the wall, "UTC", or "+01:00". The
            pack is in the standard time of this zone; UTC where times have offsets and none is given.
        label: whether a row's time is the "start" or the "end" of its step.
        step_hours: h, of the pack. Finer tables are averaged, coarser ones repeated.
        longest_gap: h that are bridged by straight lines.
        long_gaps: for longer ones "error", or "week_before", with whose values they are filled and marked
            (`filled`); windows leave such steps out.
        negative: for negative loads and generation "error", or "clip", to zero.
        separator, decimal: of a CSV.

    Raises `FileNotFoundError`, `ImportError` without pandas (pyarrow for Parquet), and `ValueError` that
    names the option, column or time and what was expected.
    """
    asked = {"load": loads, "reactive": reactive, "generation": generation, "price": prices}
    for option, given, known in (
        ("label", label, LABELS),
        ("long_gaps", long_gaps, LONG_GAPS),
        ("negative", negative, NEGATIVE),
    ):
        if given not in known:
            raise ValueError(f"{option} is {given!r}, expected one of {', '.join(known)}")
    for kind, given in asked.items():
        if isinstance(given, str):
            raise ValueError(f"columns of kind {kind} are {given!r}, expected a list of names")
    step = round(step_hours * 3600) if np.isfinite(step_hours) else 0
    if step <= 0 or abs(step - step_hours * 3600) > 1e-6 or 86_400 % step:
        raise ValueError(f"step_hours is {step_hours!r}, expected whole seconds that divide a day")
    if not (np.isfinite(longest_gap) and longest_gap >= 0):
        raise ValueError(f"longest_gap is {longest_gap!r}, expected hours, not negative")
    if not any(asked.values()):
        raise ValueError("no column is named: give loads, generation or prices")
    if reactive and len(reactive) != len(loads):
        raise ValueError(
            f"reactive names {len(reactive)} columns, expected one for each of {len(loads)} loads"
        )
    units = dict(units or {})
    unknown = set(units) - set(KINDS) - {name for given in asked.values() for name in given}
    if unknown:
        raise ValueError(
            f"units names {sorted(unknown)}, expected columns that are read or {', '.join(KINDS)}"
        )

    frame, origin = _frame(source, separator, decimal)
    stamps = _stamps(frame, time)
    names = tuple(name for given in asked.values() for name in given)
    for name in names:
        _known(name, frame)
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"column {twice!r} is named twice")
    if len(frame) < 2:
        raise ValueError(f"{origin} has {len(frame)} rows, expected at least two")
    seconds, notes = utc_seconds(stamps, timezone, time_format)
    zone = zone_of(timezone or "UTC")
    year = datetime.datetime.fromtimestamp(int(seconds.min()), datetime.UTC).year
    offset = standard_offset(zone, year)
    native = native_step(seconds)
    local = seconds + round(offset * 3600) - (native if label == "end" else 0)
    parts = []
    for kind, given in asked.items():
        for name in given:
            value = _numbers(frame, name, stamps, decimal)
            if kind in ("load", "generation"):
                value = _not_negative(value, name, kind, stamps, negative, notes)
            parts.append(value * factor(kind, unit_of(name, kind, units), native / 3600))
    rows, more = regular(local, np.stack(parts, axis=1), names, step, longest_gap, long_gaps)
    notes += more
    for note in notes:
        _log.warning("%s: %s", origin, note)
    sizes = np.cumsum([len(given) for given in asked.values()])[:-1]
    values = dict(zip(asked, np.split(rows.values, sizes, axis=1)))
    return ScenarioPack(
        **values,
        filled=rows.filled,
        load_names=tuple(loads),
        generation_names=tuple(generation),
        price_names=tuple(prices),
        start=datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=rows.start),
        step_hours=step / 3600,
        utc_offset=offset,
        notes=tuple(notes),
        source=origin,
    )


def _frame(source: Any, separator: str, decimal: str) -> tuple[Any, str]:
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("reading tables needs pandas: install the extra gridjax[data]") from error
    if isinstance(source, pd.DataFrame):
        return source, "table"
    path = Path(source)
    if not path.is_file():
        raise FileNotFoundError(f"table {path} does not exist")
    suffix = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if suffix == "parquet":
        try:
            return pd.read_parquet(path, engine="pyarrow"), path.name
        except ImportError as error:
            raise ImportError("reading Parquet needs pyarrow: install the extra gridjax[data]") from error
        except (OSError, ValueError) as error:
            raise ValueError(f"table {path} cannot be read as Parquet: {error}") from error
    if suffix not in ("csv", "txt"):
        raise ValueError(f"table {path} is of kind {suffix!r}, expected csv, txt or parquet")
    try:
        return pd.read_csv(path, sep=separator, decimal=decimal), path.name
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(
            f"table {path} cannot be read as CSV with separator {separator!r}: {error}"
        ) from error


def _stamps(frame: Any, time: str | None) -> Any:
    import pandas as pd

    if time is None and isinstance(frame.index, pd.DatetimeIndex):
        return frame.index.to_series()
    if time is None:
        time = next((str(name) for name in frame.columns if str(name).lower() in _TIMES), None)
        if time is None:
            have = ", ".join(map(str, frame.columns[:8]))
            raise ValueError(f"no column is named {' or '.join(_TIMES[:2])}: give time; the table has {have}")
    _known(time, frame)
    stamps = frame[time]
    if pd.api.types.is_numeric_dtype(stamps.dtype):
        raise ValueError(f"times in {time!r} are numbers such as {stamps.iloc[0]}, expected dates with times")
    return stamps


def _known(name: str, frame: Any) -> None:
    have = [str(column) for column in frame.columns]
    if name not in have:
        near = difflib.get_close_matches(name, have, n=3, cutoff=0.3)
        hint = f"did you mean {', '.join(map(repr, near))}?" if near else f"it has {', '.join(have[:8])}"
        if len(have) == 1 and any(mark in have[0] for mark in ";\t|"):
            hint = f"its one column is {have[0]!r}: give separator"
        raise ValueError(f"the table has no column {name!r}; {hint}")
    if have.count(name) > 1:
        raise ValueError(f"the table has {have.count(name)} columns {name!r}, expected one")


def _numbers(frame: Any, name: str, stamps: Any, decimal: str) -> np.ndarray:
    import pandas as pd

    values = pd.Series(pd.to_numeric(frame[name], errors="coerce"))
    bad = np.flatnonzero((values.isna() & frame[name].notna()).to_numpy())
    if bad.size:
        found = frame[name].iloc[bad[0]]
        hint = ": give decimal=','" if "," in str(found) and decimal == "." else ""
        raise ValueError(
            f"column {name!r} holds {found!r} at {stamps.iloc[bad[0]]}, expected a number{hint} "
            f"({bad.size} such values; leave a cell empty where nothing was measured)"
        )
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    if np.isinf(numbers).any():
        raise ValueError(f"column {name!r} is infinite at {stamps.iloc[int(np.argmax(np.isinf(numbers)))]}")
    return numbers


def _not_negative(
    value: np.ndarray, name: str, kind: str, stamps: Any, negative: str, notes: list[str]
) -> np.ndarray:
    below = np.flatnonzero(value < 0)
    if not below.size:
        return value
    if negative == "error":
        other = (
            "generation behind the meter belongs in its own column"
            if kind == "load"
            else "is its sign turned?"
        )
        raise ValueError(
            f"column {name!r} ({kind}) is negative {below.size} times, first {value[below[0]]:g} at "
            f"{stamps.iloc[below[0]]}, down to {np.nanmin(value):g}: {other}; or give negative='clip'"
        )
    notes.append(f"column {name!r}: {below.size} negative values, down to {np.nanmin(value):g}, set to zero")
    return np.where(value < 0, 0.0, value)
