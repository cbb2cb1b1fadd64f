"""Evaluated runs of one task side by side: `python -m experiments.compare NAME=RUN NAME=RUN ... --out FILE`.

Reads `RUN/evaluation.json` of each, such as those of several ways to share parameters, or of several
weights of a reward term. Every run is compared with the first, day by day. Rewards compare only where the
weights are the same; costs and energies always do.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from experiments.files import write_json
from gridjax.evaluation.runs_table import runs_table

MEASURES = (
    *("reward", "community_cost", "losses", "unserved", "peer_energy", "self_sufficiency", "peak_import"),
    *("fairness", "reward_cooperation"),
    *("ens_critical", "ens_priority", "ens_discretionary", "unserved_cost", "energy_cost", "critical_served"),
)


@dataclass(frozen=True)
class Command:
    """Compare evaluated runs with the first of them."""

    runs: Annotated[tuple[str, ...], tyro.conf.Positional]  # NAME=FOLDER each
    out: Path  # JSON


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 for bad input."""
    command = tyro.cli(Command, args=arguments, prog="python -m experiments.compare")
    try:
        named = {}
        for entry in command.runs:
            name, sign, folder = entry.partition("=")
            if not (name and sign and folder):
                raise ValueError(f"{entry!r} is not of the form NAME=FOLDER")
            source = Path(folder) / "evaluation.json"
            if not source.is_file():
                raise FileNotFoundError(f"{source} does not exist: python -m experiments.evaluate {folder}")
            named[name] = json.loads(source.read_text(encoding="utf-8"))
        report = compare(named)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    write_json(command.out, report)
    print(runs_table(report))
    return 0


def compare(named: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Summaries of the learner of each evaluation, and paired differences from the first.

    Raises `ValueError` for fewer than two, or evaluations of other days or networks.
    """
    from gridjax.evaluation.comparison import METHOD
    from gridjax.evaluation.statistics import paired_difference

    if len(named) < 2:
        raise ValueError(f"got {len(named)} runs, expected at least 2")
    first_name, first = next(iter(named.items()))
    for name, found in named.items():
        for key in ("days", "network"):
            if found.get(key) != first.get(key):
                raise ValueError(f"{key} of {name} are not those of {first_name}")
    base = _scores(first)
    measures = [measure for measure in MEASURES if measure in base]
    runs = {}
    for name, found in named.items():
        scores, learner = _scores(found), _learner(found)
        differences = {}
        for measure in measures:
            gap = paired_difference(scores[measure], base[measure])
            differences[measure] = {"value": gap.value, "over_days": [gap.low, gap.high]}
        runs[name] = {
            "learner": learner,
            "seeds": found["seeds"],
            "steps_per_seed": found["steps_per_seed"],
            "task": found["task"],
            "settings": found["learner"],
            "share_of_way": found["controllers"][learner]["share_of_way"],
            "summary": {measure: found["controllers"][learner]["summary"][measure] for measure in measures},
            "difference": differences,
        }
    return {
        "network": first["network"],
        "days": first["days"],
        "first": first_name,
        "runs": runs,
        "method": METHOD,
        "command": "python -m experiments.compare " + " ".join(f"{name}=RUN" for name in named),
        "versions": first["versions"],
    }


def _learner(evaluation: dict[str, Any]) -> str:
    return next(name for name, found in evaluation["controllers"].items() if found["seeds"])


def _scores(evaluation: dict[str, Any]) -> dict[str, np.ndarray]:
    found = evaluation["per_day"][_learner(evaluation)]
    return {measure: np.array(scores, float) for measure, scores in found.items()}


if __name__ == "__main__":
    sys.exit(main())
