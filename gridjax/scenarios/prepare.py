"""Make a scenario pack of a table: `python -m gridjax.scenarios.prepare data.csv --load ... --out FOLDER`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from gridjax.scenarios.reading import LABELS, NEGATIVE, read_table
from gridjax.scenarios.regular import LONG_GAPS
from gridjax.scenarios.scenario_pack import ScenarioPack
from gridjax.scenarios.split import SPLITS


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 for bad input, with one line that says what was expected."""
    parser = argparse.ArgumentParser(prog="python -m gridjax.scenarios.prepare", description=__doc__)
    parser.add_argument("table", help=".csv, .csv.gz, .txt or .parquet")
    for flag, what in (
        ("load", "consumption"),
        ("reactive", "reactive demand, one column for each load"),
        ("generation", "generation"),
        ("price", "prices"),
    ):
        parser.add_argument(f"--{flag}", nargs="+", default=[], metavar="COLUMN", help=f"columns of {what}")
    parser.add_argument(
        "--unit",
        nargs="+",
        default=[],
        metavar="NAME=UNIT",
        help="unit of a column or of a kind, such as load=kW, where names do not tell (like 'house [kW]')",
    )
    parser.add_argument("--time", help="column of times (default: the one named time or timestamp)")
    parser.add_argument("--time-format", help="of times that are not ISO 8601, such as '%%d.%%m.%%Y %%H:%%M'")
    parser.add_argument("--timezone", help="of times without offset: Europe/Berlin, UTC, +01:00")
    parser.add_argument("--label", choices=LABELS, default="start", help="which end of its step a time marks")
    parser.add_argument("--step-minutes", type=float, default=15.0, help="of the pack (default: 15)")
    parser.add_argument(
        "--longest-gap", type=float, default=1.0, help="hours bridged by straight lines (default: 1)"
    )
    parser.add_argument("--long-gaps", choices=LONG_GAPS, default="error", help="what to do with longer ones")
    parser.add_argument("--negative", choices=NEGATIVE, default="error", help="negative loads and generation")
    parser.add_argument("--separator", default=",", help="of a CSV (default: a comma)")
    parser.add_argument("--decimal", default=".", help="of a CSV (default: a point)")
    parser.add_argument("--out", required=True, help="folder to write to")
    parser.add_argument("--name", default="scenario", help="of the files: NAME.npz and NAME.json")
    given = parser.parse_args(argv)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    try:
        pack = read_table(
            given.table,
            loads=given.load,
            reactive=given.reactive,
            generation=given.generation,
            prices=given.price,
            units=_units(given.unit),
            time=given.time,
            time_format=given.time_format,
            timezone=given.timezone,
            label=given.label,
            step_hours=given.step_minutes / 60,
            longest_gap=given.longest_gap,
            long_gaps=given.long_gaps,
            negative=given.negative,
            separator=given.separator,
            decimal=given.decimal,
        )
        pack.save(given.out, given.name)
    except (ValueError, OSError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(summary(pack))
    return 0


def summary(pack: ScenarioPack) -> str:
    """What is in a pack, in a few lines."""
    days = ", ".join(f"{int((pack.splits == split).sum())} {split}" for split in SPLITS)
    lines = [
        f"{pack.n_days} days of {pack.step_hours * 60:g} min from {pack.start:%Y-%m-%d} on, standard time "
        f"(UTC{pack.utc_offset:+g} h): {days}"
    ]
    for kind, unit, names, values in (
        ("load", "kW", pack.load_names, pack.load),
        ("generation", "kW", pack.generation_names, pack.generation),
        ("price", "EUR/kWh", pack.price_names, pack.price),
    ):
        for name, column in zip(names, values.T):
            span = f"{column.min():.4g} to {column.max():.4g}"
            lines.append(f"{kind:>10}  {name}: mean {column.mean():.4g}, {span} {unit}")
    return "\n".join(lines)


def _units(pairs: Sequence[str]) -> dict[str, str]:
    units = {}
    for pair in pairs:
        name, equals, unit = pair.rpartition("=")
        if not (name and equals and unit):
            raise ValueError(f"--unit is {pair!r}, expected NAME=UNIT")
        units[name] = unit
    return units


if __name__ == "__main__":
    sys.exit(main())
