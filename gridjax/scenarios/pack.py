"""Pack the SimBench profiles into the wheel: `python -m gridjax.scenarios.pack` (extra `calibration`)."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gridjax import archive
from gridjax.scenarios.profiles import FOLDER

LOAD_NAMES = (
    # households; commerce (G0 general, G1 weekdays, G2 evening, G3 continuous, G4 shop, G5 bakery,
    # G6 weekend); agriculture; two whose days are nearly flat (BL-H, WB-H)
    *("H0-A", "H0-B", "H0-C", "H0-G", "H0-H", "H0-L"),
    *("G0-A", "G0-M", "G1-A", "G1-B", "G1-C", "G2-A", "G3-A", "G3-H", "G3-M"),
    *("G4-A", "G4-B", "G4-H", "G4-M", "G5-A", "G6-A"),
    *("L0-A", "L1-A", "L2-A", "L2-M", "BL-H", "WB-H"),
    # whole grids; lv_urban6, the other mv_* and hv_* are near copies of these or net of generation
    *("lv_rural1", "lv_rural2", "lv_rural3", "lv_semiurb4", "lv_semiurb5", "lv_urban6"),
    *("mv_rural", "mv_comm"),
    # industry at constant power factor: those used most that are not near copies of one another
    *("HS0", "HS1", "HS4", "HS5", "HS7", "HS9", "HS13", "HS15", "HS16", "HS20", "HS23"),
)
PV_NAMES = tuple(f"PV{i}" for i in range(1, 9))
N_TIME = 366 * 96
GRID = 1024
"""Values are rounded to 1/GRID of nominal: float16 is no finer near 1, and the archive is a fifth smaller."""

_DATABASE = Path("networks", "1-complete_data-mixed-all-0-sw")


def pack(out: str | os.PathLike = FOLDER) -> None:
    """Write `simbench.npz` and `simbench.json` into `out`.

    Raises `ModuleNotFoundError` without simbench, `FileNotFoundError` without `NOTICE.md` beside the
    shipped data, `ValueError` if a series is not what the rest of gridjax counts on.
    """
    if not (FOLDER / "NOTICE.md").is_file():
        raise FileNotFoundError(f"{FOLDER / 'NOTICE.md'} must accompany the SimBench data (ODbL 1.0)")
    database = _database()
    columns = [f"{name}_{kind}load" for kind in "pq" for name in LOAD_NAMES]
    load = _read(database / "LoadProfile.csv", columns)
    arrays = {
        "load_p": _compact(load[: len(LOAD_NAMES)]),
        "load_q": _compact(load[len(LOAD_NAMES) :]),
        "pv": _compact(_read(database / "RESProfile.csv", PV_NAMES)),
    }
    for name, bound in (("load_p", (0, 1)), ("load_q", (-1, 3)), ("pv", (0, 1))):
        low, high = float(arrays[name].min()), float(arrays[name].max())
        if not (bound[0] <= low and high <= bound[1]):
            raise ValueError(f"{name} spans [{low}, {high}], expected within {list(bound)}")
    archive.write(Path(out) / "simbench", arrays, _sheet(arrays))


def _database() -> Path:
    """The folder of the SimBench tables, found without importing simbench (which imports pandapower)."""
    spec = importlib.util.find_spec("simbench")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("packing needs simbench: install the extra gridjax[calibration]")
    return Path(spec.origin).parent / _DATABASE


def _read(table: Path, columns: Sequence[str]) -> np.ndarray:
    """`columns` of a SimBench profile table as `[n_column, n_time]` float64."""
    import pandas as pd

    frame = pd.read_csv(table, sep=";", usecols=["time", *columns])  # pyright: ignore
    first, last = frame["time"].iloc[0], frame["time"].iloc[-1]
    if len(frame) != N_TIME or (first, last) != ("01.01.2016 00:00", "31.12.2016 23:45"):
        raise ValueError(
            f"{table.name} holds {len(frame)} rows from {first} to {last}, expected {N_TIME} of 2016"
        )
    values = frame[list(columns)].to_numpy(np.float64).T
    if not np.isfinite(values).all():
        raise ValueError(f"{table.name} holds values that are not finite")
    return values


def _compact(values: np.ndarray) -> np.ndarray:
    # adding zero turns -0.0 into 0.0, which would otherwise be another byte pattern
    return (np.round(values * GRID) / GRID + 0.0).astype(np.float16)


def _sheet(arrays: dict[str, np.ndarray]) -> dict:
    return {
        "source": "SimBench database, tables LoadProfile and RESProfile of 1-complete_data-mixed-all-0-sw",
        "package": "simbench",
        "version": importlib.metadata.version("simbench"),
        "licence": "Open Database License (ODbL) 1.0; contents: Database Contents License (DbCL) 1.0",
        "notice": "NOTICE.md",
        "citation": "Meinecke et al., SimBench: A Benchmark Dataset of Electric Power Systems to Compare "
        "Innovative Solutions Based on Power Flow Analysis, Energies 13(12), 3290, 2020, "
        "doi:10.3390/en13123290",
        "made_by": "python -m gridjax.scenarios.pack",
        "changes": f"columns chosen; values rounded to 1/{GRID} and stored as float16 [profile, time]",
        "start": "2016-01-01T00:00:00",
        "step_hours": 0.25,
        "time": "equidistant rows in standard time; the source labels follow summer time from 27 March to "
        "30 October, when demand, which keeps to the clock on the wall, comes one hour earlier in these "
        "rows. PV is centred near 11:30 all year",
        "units": {
            "load_p": "active demand / nominal active power",
            "load_q": "reactive demand / nominal reactive power (SimBench: 0.395 of active; HS 0.329)",
            "pv": "generation / installed peak power",
        },
        "load_names": list(LOAD_NAMES),
        "pv_names": list(PV_NAMES),
        "shape": {name: list(value.shape) for name, value in arrays.items()},
        "maximum": {name: float(value.max()) for name, value in arrays.items()},
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Write the packed profiles anew from SimBench."""
    parser = argparse.ArgumentParser(prog="python -m gridjax.scenarios.pack", description=__doc__)
    parser.add_argument("--out", default=str(FOLDER), help="folder to write to")
    arguments = parser.parse_args(argv)
    pack(arguments.out)
    size = (Path(arguments.out) / "simbench.npz").stat().st_size
    print(f"simbench.npz: {len(LOAD_NAMES)} load and {len(PV_NAMES)} PV profiles, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
