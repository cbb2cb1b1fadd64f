"""Time stamps of a user's table as seconds of UTC: offsets, zones, and the two days a year that are odd."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from typing import Any

import numpy as np

_WITH_OFFSET = re.compile(r"\d:\d\d(:\d\d(\.\d+)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)$")
_FIXED = re.compile(r"^(?:UTC|GMT)?([+-])(\d\d?)(?::?(\d\d))?$")


def zone_of(name: str) -> datetime.tzinfo:
    """A zone such as `Europe/Berlin` or `UTC`, or a fixed offset such as `+01:00`.

    Raises `ValueError` for a name that is neither.
    """
    fixed = _FIXED.match(name)
    if fixed:
        minutes = int(fixed[2]) * 60 + int(fixed[3] or 0)
        if minutes <= 14 * 60:
            return datetime.timezone(datetime.timedelta(minutes=minutes if fixed[1] == "+" else -minutes))
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, IsADirectoryError) as error:
        raise ValueError(
            f"timezone is {name!r}, expected one such as 'Europe/Berlin', 'UTC' or '+01:00'"
        ) from error


def standard_offset(zone: datetime.tzinfo, year: int) -> float:
    """Hours from UTC to standard time, the lower of the zone's offsets in January and July of `year`."""
    both = [datetime.datetime(year, month, 1, tzinfo=zone).utcoffset() for month in (1, 7)]
    return min(offset.total_seconds() for offset in both if offset is not None) / 3600.0


def utc_seconds(
    stamps: Any, timezone: str | None, time_format: str | None = None
) -> tuple[np.ndarray, list[str]]:
    """Seconds since 1970 in UTC, int64 `[n_row]`, of a pandas Series, and the choices that were made.

    Stamps that carry an offset need no zone. Those of an hour that autumn repeats are told apart by their
    order in the table; where such a stamp occurs but once, it is taken as standard time.

    Raises `ValueError` for stamps that cannot be read, that carry no offset where no zone is given, or that
    spring skips in the given zone.
    """
    import pandas as pd

    notes: list[str] = []
    if isinstance(stamps.dtype, pd.DatetimeTZDtype):
        return _seconds(pd.DatetimeIndex(stamps)), notes
    if not pd.api.types.is_datetime64_any_dtype(stamps.dtype):
        text = stamps.astype(str).str.strip()
        aware = text.map(lambda value: _WITH_OFFSET.search(value) is not None).to_numpy(bool)
        if aware.any() and not aware.all():
            row = int(np.flatnonzero(aware != aware[0])[0])
            raise ValueError(
                f"row {row} has the time {text.iloc[row]!r}, unlike {text.iloc[0]!r} of row 0: "
                "expected an offset in all or in none"
            )
        read = pd.to_datetime(text, format=time_format or "ISO8601", errors="coerce", utc=bool(aware.any()))
        bad = np.flatnonzero(read.isna().to_numpy())
        if bad.size:
            expected = f"the format {time_format!r}" if time_format else "ISO 8601, or give time_format"
            raise ValueError(
                f"{bad.size} times cannot be read, the first in row {bad[0]}, {text.iloc[bad[0]]!r}: "
                f"expected {expected}"
            )
        if aware.any():
            return _seconds(pd.DatetimeIndex(read)), notes
        stamps = read
    elif stamps.isna().any():
        raise ValueError(f"row {int(np.flatnonzero(stamps.isna())[0])} has no time")
    if timezone is None:
        raise ValueError(
            f"times such as {str(stamps.iloc[0])!r} carry no offset: give timezone='Europe/Berlin' for a "
            "clock on the wall, 'UTC', or '+01:00' for a clock that keeps standard time all year"
        )
    zone = zone_of(timezone)
    wall = pd.DatetimeIndex(stamps)
    second = np.zeros(len(wall), bool)
    exists = wall.tz_localize(zone, ambiguous=second, nonexistent="NaT")
    skipped = np.flatnonzero(exists.isna())
    if skipped.size:
        raise ValueError(
            f"{skipped.size} times do not exist in {timezone}, the first {wall[skipped[0]]}: summer time "
            "began then. A clock that keeps standard time all year has a fixed offset: timezone='+01:00'"
        )
    twice = np.asarray(wall.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").isna())
    if twice.any():
        place = pd.Series(wall).groupby(wall).cumcount().to_numpy()
        count = pd.Series(wall).groupby(wall).transform("size").to_numpy()
        summer = twice & (place == 0) & (count > 1)
        alone = int((twice & (count == 1)).sum())
        if alone:
            notes.append(f"{alone} times that autumn repeats occur once: taken as standard time")
        return _seconds(wall.tz_localize(zone, ambiguous=summer)), notes
    return _seconds(exists), notes


def _seconds(index: Any) -> np.ndarray:
    return index.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[s]").astype(np.int64)
