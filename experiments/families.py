"""A run of SmartGrid-v0 on days of another kind: `python -m experiments.families RUN`.

The policies, trained as the run's config says, and the rule tuned on the same training days, on held-out
days with a price shock, a cloud front, a demand peak, or hours without connection, one a day. Writes
`RUN/families.json` and prints a Markdown table.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import numpy as np
import tyro

from experiments.files import write_json
from experiments.run_directory import RunDirectory
from gridjax.evaluation.report import families_table
from gridjax.scenarios.events import EVENTS

_SHOWN = ("idle_battery", "self_consumption", "peer_to_peer", "tuned_rule")


@dataclass(frozen=True)
class Command:
    """Evaluate the policies of a run on days with events."""

    run: Annotated[str, tyro.conf.Positional]  # folder of the run
    days: int = 120  # of the held-out days, spread over the year
    families: tuple[str, ...] = ("plain", *EVENTS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 for bad input."""
    command = tyro.cli(Command, args=arguments, prog="python -m experiments.families")
    try:
        run = RunDirectory.existing(command.run)
        unknown = sorted(set(command.families) - {"plain", *EVENTS})
        if unknown:
            raise ValueError(f"--families has {unknown}, expected plain, {', '.join(EVENTS)}")
        if not 1 <= command.days <= 120:
            raise ValueError(f"--days is {command.days}, expected 1 to 120")
        report = compare(run, command.families, command.days)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    write_json(run.path / "families.json", report)
    print(families_table(report))
    return 0


def compare(run: RunDirectory, families: Sequence[str], number: int) -> dict[str, Any]:
    """Scores of every controller in every family.

    Raises `ValueError` for a run of another task or without a checkpoint that fits.
    """
    import gridjax
    from experiments.cases import chosen_days
    from experiments.held_out import learner_name
    from experiments.prosumer_yardsticks import prosumer_yardsticks, tuned_rule
    from experiments.steering import known_rule
    from experiments.training import Trainer, at_seed
    from experiments.versions import versions
    from gridjax.envs.smart_grid import SmartGrid
    from gridjax.evaluation.comparison import METHOD, summarise
    from gridjax.evaluation.statistics import paired_difference

    began = time.monotonic()
    config = run.read_config()
    trainer = Trainer.of(config)
    if not isinstance(trainer.task, SmartGrid):
        raise ValueError(f"{run.path} is a run of {trainer.task.name}, expected SmartGrid-v0")
    policies, updates, _ = run.policies(trainer)
    days, name = chosen_days(number), learner_name(trainer.learner.central_critic)
    tuned = known_rule(trainer.learner.env) or tuned_rule(trainer.task, trainer.learner.env_params)
    report = {}
    for family in families:
        events = () if family == "plain" else (family,)
        task = replace(config.task, events=events, event_probability=1.0)
        env, params = gridjax.make(task.env, **task.options())
        sticks = prosumer_yardsticks(env, params, days, lambda n, note: None, tuned)
        found = {key: _stacked([sticks.score(sticks.before[key], key)]) for key in _SHOWN}
        found[name] = _stacked(
            [sticks.score(trainer.act(at_seed(policies, k)), name) for k in range(len(trainer.seeds))]
        )
        gains = {}
        for measure, sign in (("reward", 1.0), ("community_cost", -1.0)):
            gain = paired_difference(sign * found[name][measure], sign * found["tuned_rule"][measure])
            gains[measure] = {"value": gain.value, "over_days": [gain.low, gain.high]}
        report[family] = {
            "controllers": {key: summarise(measures) for key, measures in found.items()},
            "better_than_tuned_rule": gains,
        }
        print(f"{family}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return {
        "task": asdict(config.task),
        "network": trainer.learner.env_params.network.name,
        "learner": name,
        "seeds": trainer.seeds,
        "updates": np.asarray(updates),
        "days": days,
        "families": report,
        "method": METHOD,
        "command": f"python -m experiments.families RUN --days {number}",
        "versions": versions(),
        "seconds": round(time.monotonic() - began, 1),
    }


def _stacked(runs: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {measure: np.stack([run[measure] for run in runs]) for measure in runs[0]}


if __name__ == "__main__":
    sys.exit(main())
