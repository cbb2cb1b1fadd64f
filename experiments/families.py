"""A run on cases of another kind: `python -m experiments.families RUN`.

The policies, trained as the run's config says, and the rule tuned on the same training days: in SmartGrid-v0
on held-out days with a price shock, a cloud front, a demand peak, or hours without connection, one a day; in
Resilience-v0 through a year without outages (beside the optimum), in outages by storms alone, where wind
breaks lines, and where sensors fail. Writes `RUN/families.json` (`--name`) and prints a Markdown table.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np
import tyro

from experiments.bad_input import BAD_INPUT
from experiments.files import write_json
from experiments.run_directory import RunDirectory
from gridjax.evaluation.tables.families import families_table

MOST_CASES = 480


@dataclass(frozen=True)
class Command:
    """Evaluate the policies of a run on cases of other kinds."""

    run: Annotated[str, tyro.conf.Positional]  # folder of the run
    days: int = 120  # cases of each kind, spread over the year
    families: tuple[str, ...] = ()  # all that the task has
    name: str = "families"  # of the result in the folder of the run


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 for bad input."""
    command = tyro.cli(Command, args=arguments, prog="python -m experiments.families")
    try:
        run = RunDirectory.existing(command.run)
        from experiments.family_cases import kinds_of

        known = kinds_of(run.read_config().task).names
        unknown = sorted(set(command.families) - set(known))
        if unknown:
            raise ValueError(f"--families has {unknown}, expected {', '.join(known)}")
        if not 1 <= command.days <= MOST_CASES:
            raise ValueError(f"--days is {command.days}, expected 1 to {MOST_CASES}")
        report = compare(run, command.families or known, command.days)
    except BAD_INPUT as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    write_json(run.path / f"{command.name}.json", report)
    print(families_table(report))
    return 0


def compare(run: RunDirectory, families: Sequence[str], number: int) -> dict[str, Any]:
    """Scores of every controller in every family.

    Raises `ValueError` for a run of a task without families, or without a checkpoint that fits.
    """
    from experiments.family_cases import cases_of, kinds_of
    from experiments.held_out import learner_name
    from experiments.steering import known_rule, tuned
    from experiments.training import Trainer, at_seed, use_cpu_devices
    from experiments.versions import versions
    from experiments.yardsticks import stacked, yardsticks
    from gridjax.envs.resilience import Resilience
    from gridjax.envs.smart_grid import SmartGrid
    from gridjax.evaluation.comparison import METHOD, summarise
    from gridjax.evaluation.normalised import entry
    from gridjax.evaluation.statistics import iqm, paired_difference, relative_excess

    began = time.monotonic()
    config = run.read_config()
    kinds = kinds_of(config.task)
    use_cpu_devices(config)
    trainer = Trainer.of(config)
    policies, updates, _ = run.policies(trainer, config.run.evaluated)
    name = learner_name(trainer.learner.central_critic)
    task = trainer.task
    assert isinstance(task, SmartGrid | Resilience)
    rule = known_rule(trainer.learner.env) or tuned(task, trainer.learner.env_params)
    days = np.arange(0)
    report = {}
    for family in families:
        env, cases = cases_of(config.task, family, number)
        days = cases.rows
        sticks = yardsticks(env, cases.params, cases.rows, _told(family), rule)
        found = {key: stacked([sticks.score(sticks.before[key], key)]) for key in kinds.shown}
        found[name] = stacked(
            [sticks.score(trainer.act(at_seed(policies, k)), name) for k in range(len(trainer.seeds))]
        )
        gains = {}
        for measure, sign in (("reward", 1.0), (kinds.cost, -1.0)):
            pair = sign * found[name][measure], sign * found["tuned_rule"][measure]
            gains[measure] = entry(paired_difference(*pair), "over_days")
            gains[measure]["iqm"] = entry(paired_difference(*pair, statistic=iqm), "over_days")
        report[family] = {"better_than_tuned_rule": gains}
        if family in kinds.planned:
            found["optimum"] = stacked([sticks.score(sticks.best(), "optimum")])
            over = relative_excess(found[name][kinds.cost], found["optimum"][kinds.cost])
            report[family]["cost_over_optimum"] = entry(over, "over_days")
        report[family]["controllers"] = {key: summarise(measures) for key, measures in found.items()}
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


def _told(family: str) -> Callable[[int, str], None]:
    def tell(number: int, note: str) -> None:
        if number == 0:
            print(f"{family}: {note}", file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    sys.exit(main())
