"""Controllers on cases of other kinds, as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.tables.markdown import interval, percent, table
from gridjax.evaluation.tables.titles import TITLES

FAMILIES = {
    "plain": "no event",
    "price_shock": "price shock",
    "cloud_front": "cloud front",
    "demand_peak": "demand peak",
    "islanded": "islanded",
    "outages": "an outage",
    "calm": "no outage",
    "storms": "storms",
    "overhead": "overhead lines",
    "blind": "lost sensors",
}
# of a task: cost measure, its unit, what the kinds of cases are
_KINDS = {
    "SmartGrid-v0": (
        "community_cost",
        "EUR/day",
        "the policies never met an event in training; the rule is tuned on the same training days. "
        "One event a day.",
    ),
    "Resilience-v0": (
        "energy_cost",
        "EUR",
        "energy cost without energy not served; rule and policies are those of the outages above. No outage: "
        "three days without any event begin on each held-out day.",
    ),
}


def families_table(report: Mapping[str, Any]) -> str:
    """Cost and reward per family, from a `families.json`."""
    learner = report["learner"]
    cost, unit, note = _KINDS[report["task"]["env"]]
    names = list(dict.fromkeys(n for found in report["families"].values() for n in found["controllers"]))
    planned = any("cost_over_optimum" in found for found in report["families"].values())
    heading = ["cases with", *(f"{TITLES.get(name, name)}: reward" for name in names)]
    heading += [f"{TITLES.get(name, name)}: {unit}" for name in names]
    middle = all("iqm" in found["better_than_tuned_rule"]["reward"] for found in report["families"].values())
    heading += ["reward over tuned rule", f"{unit} under tuned rule"]
    heading += ["reward over tuned rule, IQM of the differences"] if middle else []
    heading += (
        [f"{TITLES.get(name, name)}: reward, IQM" for name in ("tuned_rule", learner)] if middle else []
    )
    heading += ["cost over optimum (%)"] if planned else []
    rows = [heading]
    for family, found in report["families"].items():
        every, gains = found["controllers"], found["better_than_tuned_rule"]
        row = [str(FAMILIES.get(family, family))]
        for measure, digits in (("reward", 4), (cost, 2)):
            row += [f"{every[name][measure]['mean']:.{digits}f}" if name in every else "-" for name in names]
        for measure, digits in (("reward", 4), (cost, 2)):
            gain = gains[measure]
            row.append(f"{gain['value']:.{digits}f} ({interval(gain['over_days'], digits)})")
        if middle:
            gain = gains["reward"]["iqm"]
            row.append(f"{gain['value']:.4f} ({interval(gain['over_days'], 4)})")
            row.append(f"{every['tuned_rule']['reward']['iqm']:.4f}")
            mine = every[learner]["reward"]
            row.append(f"{mine['iqm']:.4f} ({interval(mine['over_seeds'], 4)})")
        if planned:
            over = found.get("cost_over_optimum")
            row.append(percent(over["value"], over["over_days"]) if over else "-")
        rows.append(row)
    return (
        f"{table(rows)}\n\nMeans over {len(report['days'])} held-out cases and {len(report['seeds'])} seeds "
        f"of {TITLES.get(learner, learner)}; {note} Differences are paired case by case, with 95 % intervals."
        + (" IQM: interquartile mean over seeds and cases, its interval over seeds." if middle else "")
    )
