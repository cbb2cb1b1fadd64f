"""An evaluation as a Markdown table: every controller, and who beats whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from gridjax.evaluation.tables.markdown import interval, percent, table
from gridjax.evaluation.tables.titles import COLUMNS, TITLES


def evaluation_table(evaluation: Mapping[str, Any]) -> str:
    """The controllers of an `evaluation.json`, from worst to best as listed there, and who beats whom."""
    controllers = evaluation["controllers"]
    columns = [column for column in COLUMNS if all(column[0] in c["summary"] for c in controllers.values())]
    heading = [
        "controller",
        "reward per step, IQM",
        "95 % over seeds",
        "95 % over days",
        "share of the way (%)",
    ]
    rows = [heading + [title for _, title, _, _ in columns] + ["diverged steps"]]
    for name, controller in controllers.items():
        summary = controller["summary"]
        reward = summary["reward"]
        row = [TITLES.get(name, name), f"{reward['iqm']:.5f}"]
        row.append(interval(reward["over_seeds"], 5) if controller["seeds"] > 1 else "-")
        row.append(interval(reward["over_days"], 5))
        share = controller["share_of_way"]
        row.append(percent(share["value"], share["over_days"]) if share else "-")
        row += [f"{factor * summary[key]['mean']:.{digits}f}" for key, _, factor, digits in columns]
        # on average over the seeds: a controller with more seeds runs through more steps
        row.append(f"{len(evaluation['days']) * summary['diverged']['mean']:g}")
        rows.append(row)
    claims = _claims(evaluation["order"])
    if "order_iqm" in evaluation:
        claims += "\n\nThe same of the interquartile mean of the differences:\n\n" + _claims(
            evaluation["order_iqm"]
        )
    for name, checks in evaluation.get("also_in_order", {}).items():
        title = next(heading for key, heading, _, _ in COLUMNS if key == name)
        claims += f"\n\nThe same of the {title}, lower being better:\n\n{_claims(checks, '>', 3)}"
        if name in evaluation.get("bounds", {}):
            bound = fmean(evaluation["bounds"][name])
            gap = controllers["optimum"]["summary"][name]["mean"] - bound
            claims += (
                "\n\nThe optimum is the best plan found. Without network, limits and losses, all known "
                f"ahead, a linear programme finds {bound:.2f}, which nothing can pass: the plan is {gap:.2f} "
                "above it."
            )
    if evaluation.get("cost_bounds"):
        claims += f"\n\nMean costs and their bounds:\n\n{_bounded(evaluation['cost_bounds'])}"
    kind = "outage" if evaluation["task"]["env"] == "Resilience-v0" else "day"
    seeds = max(controller["seeds"] for controller in controllers.values())
    note = (
        f"{_described(evaluation)}; {len(evaluation['days'])} held-out {kind}s of "
        f"{evaluation.get('steps_per_day', 480)} steps; training seeds: {seeds}. "
        "IQM is the interquartile mean over seeds and days, the other columns are means. Paired differences "
        f"of the mean reward, {kind} by {kind}, with 95 % intervals:"
    )
    return f"{table(rows)}\n\n{note}\n\n{claims}"


def _claims(checks: Sequence[Mapping[str, Any]], sign: str = "<", digits: int = 5) -> str:
    return "\n".join(
        f"- {_named(check['claim'].replace('<', sign))}: {'holds' if check['holds'] else 'does not hold'}, "
        f"by {check['difference']:.{digits}f} ({interval(check['over_days'], digits)})"
        for check in checks
    )


def _bounded(checks: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for check in checks:
        low, high = check["over_days"]
        held = "holds" if check["holds"] else "does not hold"
        lines.append(
            f"- {check['cost']}: {check['mean']:.3g} ({low:.3g} to {high:.3g}), "
            f"at most {check['bound']:g}: {held}"
        )
    return "\n".join(lines)


def _described(evaluation: Mapping[str, Any]) -> str:
    task = evaluation["task"]
    if task["env"] == "SmartGrid-v0":
        return f"{task['agents']} prosumers on {evaluation['network']}"
    if task["env"] == "Resilience-v0":
        return f"a campus on {evaluation['network']}"
    return f"{task['network']}, barrier {task['barrier']}, weight {task['reactive_weight']:g} on |q|"


def _named(claim: str) -> str:
    lower, sign, higher = claim.split()
    return f"{TITLES.get(lower, lower)} {sign} {TITLES.get(higher, higher)}"
