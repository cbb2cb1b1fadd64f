"""A run directory as the page shows it: curves of its metrics, and its checkpoints."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from gridjax.learners.portable import read_about
from gridjax.live.policies import policy_files

_NEWEST = 32 << 20  # bytes of metrics that are read
_POINTS = 500  # of a curve


def training(run: Path | None) -> dict[str, Any]:
    """`schema.Training`. What cannot be read, as in a run that is just being written, is left out."""
    if run is None:
        return {"run": None, "finished": False, "checkpoints": [], "curves": {}}
    checkpoints, total = [], None
    for path in policy_files(run):
        try:
            about = read_about(path)
            update, per_update = int(about["update"]), about.get("steps_per_update")
        except (OSError, ValueError, KeyError, TypeError):
            continue
        total = about.get("total_updates", total)
        best = path.stem == "best"
        checkpoints.append(
            {
                "policy": "run, best" if best else f"checkpoint {update}",
                "update": update,
                "steps": None if per_update is None else update * per_update,
                "best": best,
            }
        )
    newest = max((found["update"] for found in checkpoints), default=0)
    return {
        "run": run.name,
        "finished": total is not None and newest >= total,
        "checkpoints": checkpoints,
        "curves": curves(run / "metrics.jsonl"),
    }


def curves(path: Path) -> dict[str, list[list[float]]]:
    """Every metric of a `metrics.jsonl` over environment steps, seeds averaged, thinned out evenly."""
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _NEWEST, 0))
        lines = file.read().split(b"\n")
    found: dict[str, list[list[float]]] = {}
    for line in lines:
        try:
            record = json.loads(line)
            step = float(record["step"])
        except (ValueError, KeyError, TypeError):
            continue  # cut off at either end
        for name, value in record.items():
            mean = _mean(value)
            if name not in ("step", "update") and mean is not None:
                found.setdefault(name, []).append([step, mean])
    return {name: points[:: -(-len(points) // _POINTS)] for name, points in found.items()}


def _mean(value: Any) -> float | None:
    values = value if isinstance(value, list) else [value]
    numbers = [float(x) for x in values if isinstance(x, int | float) and math.isfinite(x)]
    return sum(numbers) / len(numbers) if numbers else None
