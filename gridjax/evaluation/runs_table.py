"""Runs side by side, as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.markdown import interval, percent, table
from gridjax.evaluation.titles import COLUMNS, TITLES

# measures of runs side by side, and their digits
_COMPARED = {
    "reward": 4,
    "community_cost": 2,
    "losses": 3,
    "unserved": 4,
    "peer_energy": 1,
    "unserved_cost": 0,
    "energy_cost": 0,
}


def _same_weights(report: Mapping[str, Any]) -> bool:
    """Whether all runs of a comparison weigh the terms of the reward alike."""
    weights = [
        {key: value for key, value in run["task"].items() if key.endswith("_weight")}
        for run in report["runs"].values()
    ]
    return all(found == weights[0] for found in weights)


def runs_table(report: Mapping[str, Any]) -> str:
    """Runs side by side, from a result of `experiments.compare`."""
    first = report["first"]
    titles = {key: heading for key, heading, _, _ in COLUMNS}
    titles |= {"reward": "reward", "unserved_cost": "not served (EUR)"}
    measured = report["runs"][first]["summary"]
    shown = [name for name in _COMPARED if name in measured and (name != "reward" or _same_weights(report))]
    digits = _COMPARED
    heading = ["run", "learner", "seeds", "steps each", "reward, IQM", "share of the way (%)"]
    heading += [title for name in shown for title in (titles[name], f"less {first}'s")]
    rows = [heading]
    for name, run in report["runs"].items():
        share, summary = run["share_of_way"], run["summary"]
        row = [name, TITLES[run["learner"]], str(len(run["seeds"])), f"{run['steps_per_seed']:,}"]
        row.append(f"{summary['reward']['iqm']:.4f}")
        row.append(percent(share["value"], share["over_days"]) if share else "-")
        for measure in shown:
            row.append(f"{summary[measure]['mean']:.{digits[measure]}f}")
            gap = run["difference"][measure]
            row.append(
                "-"
                if name == first
                else f"{gap['value']:.{digits[measure]}f} ({interval(gap['over_days'], digits[measure])})"
            )
        rows.append(row)
    return (
        f"{table(rows)}\n\n{report['network']}, {len(report['days'])} held-out days; means, and differences "
        "paired day by day, with 95 % intervals over days and seeds. The share of the way is that of each "
        "run's own reward."
    )
