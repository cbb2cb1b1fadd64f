"""Train a forecaster and measure it against persistence on held-out days: `python -m experiments.forecast`.

Without a folder, on SimBench's loads and sun; with one, on the pack that `gridjax.scenarios.prepare` wrote.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from experiments.files import write_json
from experiments.versions import versions
from gridjax.evaluation.statistics import Estimate, interval_over_days, mean, relative_excess
from gridjax.evaluation.tables.forecasts import forecasts_table
from gridjax.learners.forecaster import Forecaster
from gridjax.scenarios import ScenarioPack, load_simbench
from gridjax.scenarios.windows import Batch, windows

HOURS = (1, 4, 8, 24)


@dataclass(frozen=True)
class Command:
    """Mean absolute and root mean square error by horizon, in standard deviations of each column."""

    pack: Annotated[Path | None, tyro.conf.Positional] = None  # folder of a pack; default: SimBench
    name: str = "scenario"  # of its files
    out: Path | None = None  # JSON of the result
    seeds: int = 5
    updates: int = 3000
    hidden: tuple[int, ...] = (128, 128)
    learning_rate: float = 1e-3
    batch_size: int = 256
    split: str = "test"  # of the days that it is measured on


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 for bad input."""
    command = tyro.cli(Command, args=arguments, prog="python -m experiments.forecast")
    try:
        result = measured(command)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(forecasts_table(result))
    if command.out is not None:
        command.out.parent.mkdir(parents=True, exist_ok=True)
        write_json(command.out, result)
    return 0


def measured(command: Command) -> dict[str, Any]:
    """The result of a command, ready for a file. Raises `ValueError` naming what is out of range."""
    if command.seeds < 1:
        raise ValueError(f"seeds is {command.seeds}, expected at least 1")
    if command.pack is None:
        pack, source = ScenarioPack.of(load_simbench()), "SimBench, 2016"
    else:
        pack = ScenarioPack.load_from(command.pack, command.name)
        source = pack.source
    forecaster = Forecaster.create(
        pack,
        hidden=command.hidden,
        learning_rate=command.learning_rate,
        batch_size=command.batch_size,
        n_update=command.updates,
    )
    day, kept = pack.steps_per_day, pack.statistics()
    train = windows(pack, "train", day, day).normalised(kept)
    # every hour: those in between differ little
    held_out = windows(pack, command.split, day, day, stride=max(day // 24, 1)).normalised(kept).arrays()
    keys = jax.random.split(jax.random.key(0), command.seeds)
    fitted, _ = jax.jit(jax.vmap(lambda key: forecaster.fit(train, key)))(keys)
    predict = jax.jit(lambda parameters: _foretold(forecaster, parameters, held_out))
    each = (jax.tree.map(lambda leaf, seed=seed: leaf[seed], fitted) for seed in range(command.seeds))
    told = [np.asarray(predict(parameters)) for parameters in each]
    methods = {
        "forecaster": told,
        "day before": [held_out.history],
        "last value": [np.repeat(held_out.history[:, -1:], day, axis=1)],
    }
    errors = {name: [each - held_out.target for each in all_] for name, all_ in methods.items()}
    days, place = np.unique(held_out.row // day, return_inverse=True)
    absolute = {name: np.stack([_by_day(np.abs(e), place) for e in each]) for name, each in errors.items()}
    squared = {name: np.stack([_by_day(e**2, place) for e in each]) for name, each in errors.items()}
    return {
        "source": source,
        "columns": len(pack.names),
        "split": command.split,
        "days": len(days),
        "windows": len(held_out.row),
        "seeds": command.seeds,
        "updates": command.updates,
        "hidden": list(command.hidden),
        "batch_size": command.batch_size,
        "learning_rate": command.learning_rate,
        "hours": list(HOURS),
        "unit": "standard deviations of each column in training days",
        "methods": [
            {
                "name": name,
                "mae": _estimates(absolute[name], day),
                "rmse": _estimates(squared[name], day, root=True),
            }
            for name in methods
        ],
        "mae_against": {
            name: relative_excess(absolute["forecaster"].mean(axis=2), absolute[name].mean(axis=2))._asdict()
            for name in ("day before", "last value")
        },
        "versions": versions(),
    }


def _foretold(forecaster: Forecaster, parameters: Any, batch: Batch) -> jax.Array:
    def of_column(history: jax.Array) -> jax.Array:
        return forecaster.predict(parameters, history, jnp.asarray(batch.row))

    told = jax.lax.map(of_column, jnp.moveaxis(jnp.asarray(batch.history), 2, 0))
    return jnp.moveaxis(told, 0, 2)


def _by_day(error: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Means of `[n_window, n_horizon, n_column]` over columns and windows of a day: `[n_day, n_horizon]`."""
    of_window = error.mean(axis=2, dtype=np.float64)
    return np.stack([of_window[place == day].mean(axis=0) for day in range(place.max() + 1)])


def _estimates(scores: np.ndarray, day: int, root: bool = False) -> dict[str, dict[str, float]]:
    """Of `[n_run, n_day, n_horizon]`: of every hour in `HOURS` ahead, and over the whole day."""
    parts = {str(hours): scores[:, :, hours * day // 24 - 1] for hours in HOURS if hours * day % 24 == 0}
    parts["all"] = scores.mean(axis=2)

    def rooted(each: Estimate) -> Estimate:
        return Estimate(*(float(np.sqrt(value)) for value in each)) if root else each

    return {name: rooted(interval_over_days(part, mean))._asdict() for name, part in parts.items()}


if __name__ == "__main__":
    sys.exit(main())
