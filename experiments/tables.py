"""Keep the tables of documents equal to what was measured: `python -m experiments.tables README.md`.

Rewrites what stands between `<!-- table: NAME source=PATH -->` and `<!-- end -->`. PATH is relative to the
document; NAME is `evaluation` (of an `evaluation.json`), `results` (of several of these, PATH,PATH,...),
`families` (of a result of `experiments.families`), `forecasts` (of one of `experiments.forecast`),
`runs`, `learners` or `bounds` (of a result of `experiments.compare`), `adapters`, `communities`, `live`,
`live_page`, `throughput` or `powerflow` (of a result of `benchmarks.adapters`, `benchmarks.communities`,
...), `networks` (of `gridjax.calibration --survey`) or `calibration` (of the folder with the reports of
`gridjax.calibration`).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from experiments.files import write_text
from gridjax.evaluation.tables.adapters import adapters_table
from gridjax.evaluation.tables.bounds import bounds_table
from gridjax.evaluation.tables.calibration import calibration_table
from gridjax.evaluation.tables.communities import communities_table
from gridjax.evaluation.tables.evaluation import evaluation_table
from gridjax.evaluation.tables.families import families_table
from gridjax.evaluation.tables.forecasts import forecasts_table
from gridjax.evaluation.tables.learners import learners_table
from gridjax.evaluation.tables.live import live_page_table, live_table
from gridjax.evaluation.tables.networks import networks_table
from gridjax.evaluation.tables.powerflow import powerflow_table
from gridjax.evaluation.tables.results import results_table
from gridjax.evaluation.tables.runs import runs_table
from gridjax.evaluation.tables.throughput import throughput_table

TABLES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "adapters": adapters_table,
    "bounds": bounds_table,
    "calibration": calibration_table,
    "communities": communities_table,
    "evaluation": evaluation_table,
    "families": families_table,
    "forecasts": forecasts_table,
    "learners": learners_table,
    "live": live_table,
    "live_page": live_page_table,
    "networks": networks_table,
    "powerflow": powerflow_table,
    "results": results_table,
    "runs": runs_table,
    "throughput": throughput_table,
}

_REGION = re.compile(
    r"(?P<open><!-- table: (?P<name>\S+) source=(?P<source>\S+) -->\n)(?P<body>.*?)(?P<close><!-- end -->)",
    re.S,
)
_OPENING = re.compile(r"<!-- table:")


@dataclass(frozen=True)
class Command:
    """Rewrite the tables of Markdown documents from the files they were measured in."""

    documents: Annotated[tuple[Path, ...], tyro.conf.Positional]
    check: bool = False  # change nothing, and fail where a table is stale


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, 1 where `--check` finds a stale table, 2 for bad input."""
    command = tyro.cli(Command, args=arguments, prog="python -m experiments.tables")
    if not command.documents:
        print("error: name a document, such as README.md", file=sys.stderr)
        return 2
    try:
        found = {path: path.read_text(encoding="utf-8") for path in command.documents}
        stale = {path: new for path, old in found.items() if (new := renewed(old, path.parent)) != old}
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for path, new in stale.items():
        if command.check:
            print(
                f"{path} has stale tables; renew them: python -m experiments.tables {path}", file=sys.stderr
            )
        else:
            write_text(path, new)
    return 1 if command.check and stale else 0


def renewed(document: str, folder: Path) -> str:
    """`document` with every table written anew.

    Raises `ValueError` or `FileNotFoundError` naming the table and what is wrong with it.
    """
    if len(_OPENING.findall(document)) != len(_REGION.findall(document)):
        raise ValueError("a table is not of the form <!-- table: NAME source=PATH --> ... <!-- end -->")

    def rewrite(match: re.Match[str]) -> str:
        name, sources = match["name"], [folder / source for source in match["source"].split(",")]
        if name not in TABLES:
            raise ValueError(f"unknown table {name!r}, expected one of {', '.join(TABLES)}")
        for source in sources:
            if not source.exists():
                raise FileNotFoundError(f"{source}, the source of table {name!r}, does not exist")
        if _OPENING.search(match["body"]):
            raise ValueError(f"table {name!r} with source {match['source']} has no <!-- end -->")
        try:
            content = TABLES[name](_read_all(sources))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{match['source']} is no source for table {name!r}: {error!r}") from None
        return f"{match['open']}{content}\n{match['close']}"

    return _REGION.sub(rewrite, document)


def _read_all(sources: Sequence[Path]) -> Any:
    return _read(sources[0]) if len(sources) == 1 else {path.stem: _read(path) for path in sources}


def _read(source: Path) -> Any:
    if source.is_dir():
        return {path.stem: _read(path) for path in sorted(source.glob("*.json"))}
    return json.loads(source.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
