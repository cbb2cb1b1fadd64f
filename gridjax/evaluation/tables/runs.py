"""Runs side by side, as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.evaluated_run import reward_terms
from gridjax.evaluation.tables.markdown import interval, percent, table
from gridjax.evaluation.tables.titles import COLUMNS, COSTS, TITLES

# measures of runs side by side, and their digits
_COMPARED = {
    "reward": 4,
    "controllable": 2,
    "losses_mw": 4,
    "community_cost": 2,
    "losses": 3,
    "unserved": 4,
    "peer_energy": 1,
    "unserved_cost": 0,
    "energy_cost": 0,
    "cost_voltage": 6,
    "cost_peak": 3,
}


def runs_table(report: Mapping[str, Any]) -> str:
    """Runs side by side, from a result of `experiments.compare`: a table for every task."""
    # a comparison on one task may stand alone
    return "\n\n".join(_of_task(found) for found in report.get("tasks", {"": report}).values())


def _of_task(report: Mapping[str, Any]) -> str:
    first = report["first"]
    titles = {key: heading for key, heading, _, _ in COLUMNS}
    factors = {key: factor for key, _, factor, _ in COLUMNS}
    titles |= {
        "reward": "reward",
        "unserved_cost": "not served (EUR)",
    } | COSTS
    measured = report["runs"][first]["summary"]
    shown = [name for name in _COMPARED if name in measured and (name != "reward" or _same_reward(report))]
    heading = ["run", "learner", "seeds", "steps each", "reward, IQM", "share of the way (%)"]
    heading += [title for name in shown for title in (titles[name], f"minus {first}'s")]
    rows = [heading]
    for name, run in report["runs"].items():
        share, summary = run["share_of_way"], run["summary"]
        learner = TITLES.get(run["learner"], run["learner"])
        row = [name, learner, str(len(run["seeds"])), f"{run['steps_per_seed']:,}"]
        row.append(f"{summary['reward']['iqm']:.4f}")
        row.append(percent(share["value"], share["over_days"]) if share else "-")
        for measure in shown:
            factor, digits = factors.get(measure, 1.0), _COMPARED[measure]
            row.append(f"{factor * summary[measure]['mean']:.{digits}f}")
            gap = run["difference"][measure]
            over = interval([factor * bound for bound in gap["over_days"]], digits)
            row.append("-" if name == first else f"{factor * gap['value']:.{digits}f} ({over})")
        rows.append(row)
    return (
        f"{table(rows)}\n\n{report['network']}, {len(report['days'])} held-out days; means, and differences "
        "paired day by day, with 95 % intervals over days and seeds. The share of the way is that of each "
        "run's own reward."
    )


def _same_reward(report: Mapping[str, Any]) -> bool:
    """Whether the rewards of all runs are made of the same."""
    made_of = [reward_terms(run["task"]) for run in report["runs"].values()]
    return all(found == made_of[0] for found in made_of)
