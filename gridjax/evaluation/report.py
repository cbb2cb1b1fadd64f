"""Markdown tables of what was measured: evaluations, throughput, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

TITLES = {
    "no_control": "no control",
    "category_b": "droop, category B",
    "steep": "droop, steep",
    "tuned_droop": "droop, tuned",
    "idle_battery": "idle battery",
    "self_consumption": "self-consumption",
    "time_of_use": "time of use",
    "peer_to_peer": "peer to peer",
    "tuned_rule": "rule, tuned",
    "do_nothing": "do nothing",
    "droop_alone": "droop alone",
    "mappo": "MAPPO",
    "ippo": "IPPO",
    "optimum": "optimum",
}

# measure, heading, factor, digits
_COLUMNS = (
    ("controllable", "CR (%)", 100.0, 2),
    ("controllable_tolerant", "CR ± 0.001 (%)", 100.0, 2),
    ("out_of_band", "buses out of band (%)", 100.0, 3),
    ("reactive_mvar", "QL (MVAr)", 1.0, 3),
    ("losses_mw", "losses (MW)", 1.0, 4),
    ("energy_loss_mwh", "losses (MWh/day)", 1.0, 2),
    ("community_cost", "community cost (EUR/day)", 1.0, 2),
    ("self_sufficiency", "self-sufficiency (%)", 100.0, 1),
    ("self_consumption", "self-consumption (%)", 100.0, 1),
    ("peak_import", "peak import (kW)", 1.0, 1),
    ("losses", "losses (kWh/day)", 1.0, 2),
    ("peer_energy", "between peers (kWh/day)", 1.0, 1),
    ("fairness", "fairness (Jain)", 1.0, 3),
    ("battery_cycles", "battery cycles a day", 1.0, 2),
    ("co2", "CO2 (kg/day)", 1.0, 1),
    ("unserved", "unserved (kWh/day)", 1.0, 3),
    ("steps_out_of_band", "steps out of band (%)", 100.0, 2),
    ("critical_served", "critical load served (%)", 100.0, 3),
    ("ens_critical", "not served, critical (kWh)", 1.0, 1),
    ("ens_priority", "priority", 1.0, 0),
    ("ens_discretionary", "discretionary", 1.0, 0),
    ("critical_interruptions", "interruptions of critical load", 1.0, 2),
    ("critical_hours", "hours of them", 1.0, 2),
    ("energy_cost", "energy cost (EUR)", 1.0, 0),
    ("fuel", "fuel (l)", 1.0, 0),
    ("emissions", "CO2 (kg)", 1.0, 0),
    ("nadir", "lowest frequency (Hz)", 1.0, 2),
)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, the first of them the heading, as an aligned Markdown table."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if k else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(cells, widths))
        ]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(rows[0]), line(rule), *(line(row) for row in rows[1:])])


def evaluation_table(evaluation: Mapping[str, Any]) -> str:
    """The controllers of an `evaluation.json`, from worst to best as listed there, and who beats whom."""
    controllers = evaluation["controllers"]
    columns = [column for column in _COLUMNS if all(column[0] in c["summary"] for c in controllers.values())]
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
        row.append(_interval(reward["over_seeds"], 5) if controller["seeds"] > 1 else "-")
        row.append(_interval(reward["over_days"], 5))
        share = controller["share_of_way"]
        row.append(
            f"{100 * share['value']:.1f} ({_interval([100 * x for x in share['over_days']], 1)})"
            if share
            else "-"
        )
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
        title = next(heading for key, heading, _, _ in _COLUMNS if key == name)
        claims += f"\n\nThe same of the {title}, lower being better:\n\n{_claims(checks, '>', 3)}"
        if name in evaluation.get("bounds", {}):
            bound = fmean(evaluation["bounds"][name])
            gap = controllers["optimum"]["summary"][name]["mean"] - bound
            claims += (
                "\n\nThe optimum is the best plan found. Without network, limits and losses, all known "
                f"ahead, a linear programme finds {bound:.2f}, which nothing can pass: the plan is {gap:.2f} "
                "above it."
            )
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
        f"by {check['difference']:.{digits}f} ({_interval(check['over_days'], digits)})"
        for check in checks
    )


def _described(evaluation: Mapping[str, Any]) -> str:
    task = evaluation["task"]
    if task["env"] == "SmartGrid-v0":
        return f"{task['agents']} prosumers on {evaluation['network']}"
    if task["env"] == "Resilience-v0":
        return f"a campus on {evaluation['network']}"
    return f"{task['network']}, barrier {task['barrier']}, weight {task['reactive_weight']:g} on |q|"


FAMILIES = {
    "plain": "no event",
    "price_shock": "price shock",
    "cloud_front": "cloud front",
    "demand_peak": "demand peak",
    "islanded": "islanded",
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
    heading += ["reward over tuned rule", f"{unit} under tuned rule"]
    heading += ["cost over optimum (%)"] if planned else []
    rows = [heading]
    for family, found in report["families"].items():
        every, gains = found["controllers"], found["better_than_tuned_rule"]
        row = [str(FAMILIES.get(family, family))]
        for measure, digits in (("reward", 4), (cost, 2)):
            row += [f"{every[name][measure]['mean']:.{digits}f}" if name in every else "-" for name in names]
        for measure, digits in (("reward", 4), (cost, 2)):
            gain = gains[measure]
            row.append(f"{gain['value']:.{digits}f} ({_interval(gain['over_days'], digits)})")
        if planned:
            over = found.get("cost_over_optimum")
            row.append(_percent(over["value"], over["over_days"]) if over else "-")
        rows.append(row)
    return (
        f"{table(rows)}\n\nMeans over {len(report['days'])} held-out cases and {len(report['seeds'])} seeds "
        f"of {TITLES.get(learner, learner)}; {note} Differences are paired case by case, with 95 % intervals."
    )


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
    titles = {key: heading for key, heading, _, _ in _COLUMNS}
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
        row.append(_percent(share["value"], share["over_days"]) if share else "-")
        for measure in shown:
            row.append(f"{summary[measure]['mean']:.{digits[measure]}f}")
            gap = run["difference"][measure]
            row.append(
                "-"
                if name == first
                else f"{gap['value']:.{digits[measure]}f} ({_interval(gap['over_days'], digits[measure])})"
            )
        rows.append(row)
    return (
        f"{table(rows)}\n\n{report['network']}, {len(report['days'])} held-out days; means, and differences "
        "paired day by day, with 95 % intervals over days and seeds. The share of the way is that of each "
        "run's own reward."
    )


def throughput_table(report: Mapping[str, Any]) -> str:
    """The rows of a result of `benchmarks.throughput`, beside the fastest peer measured in the same run."""
    peers = [row for row in report["rows"] if row["name"].startswith(("pandapower", "lightsim2grid"))]
    fastest = max(peers, key=lambda row: row["per_second_median"], default=None)
    heading = ["what", "batch", "per second, median", "best", "compile (s)"]
    rows = [heading + ([f"times {fastest['name']}"] if fastest else [])]
    for row in report["rows"]:
        peer = row in peers
        cells = [
            row["name"],
            f"{row['batch']:,}",
            f"{row['per_second_median']:,.0f}",
            f"{row['per_second_best']:,.0f}",
            "-" if peer else f"{row['compile_seconds']:.1f}",
        ]
        if fastest:
            cells.append(f"{row['per_second_median'] / fastest['per_second_median']:.3g}")
        rows.append(cells)
    versions = ", ".join(f"{name} {value}" for name, value in report["versions"].items() if value)
    note = (
        f"{report['network']}, {report['precision']}, {report['devices']} x {report['device']} on "
        f"{report['cores']} cores; {versions}. One run, rows interleaved over {report['rounds']} rounds."
    )
    return f"{table(rows)}\n\n{note}"


def adapters_table(report: Mapping[str, Any]) -> str:
    """The rows of a result of `benchmarks.adapters`, beside the native loop of the same batch."""
    native = {r["batch"]: r["per_second_median"] for r in report["rows"] if r["name"] == "native"}
    rows = [["adapter", "copies", "steps per second, median", "best", "of native (%)"]]
    for row in report["rows"]:
        rows.append(
            [
                row["name"],
                f"{row['batch']:,}",
                f"{row['per_second_median']:,.0f}",
                f"{row['per_second_best']:,.0f}",
                f"{100 * row['per_second_median'] / native[row['batch']]:.3g}",
            ]
        )
    versions = ", ".join(f"{name} {value}" for name, value in report["versions"].items() if value)
    busy = (
        f" Other processes ran beside it (load average {report['load_before']:g} before): rates are too low."
        if report["load_before"] > 0.5
        else ""
    )
    return (
        f"{table(rows)}\n\n{report['task']} on {report['network']}, {report['precision']}, one "
        f"{report['device']} device on {report['cores']} cores; {versions}. One run of "
        f"{report['steps_per_call']} steps a call, rows interleaved over {report['rounds']} rounds.{busy}"
    )


def communities_table(report: Mapping[str, Any]) -> str:
    """Rates of every community of a result of `benchmarks.communities`, and how they grow."""
    names = [row["name"] for row in report["communities"][0]["rows"]]
    rows = [
        ["agents", "network", "buses", *(f"{name}, per second" for name in names), "agent steps per second"]
    ]
    for one in report["communities"]:
        rates = {row["name"]: row["per_second_median"] for row in one["rows"]}
        row = [str(one["agents"]), one["network"], str(one["buses"])]
        row += [f"{rates[name]:,.0f}" for name in names]
        rows.append([*row, f"{one['agents'] * rates['environment step']:,.0f}"])
    versions = ", ".join(f"{name} {value}" for name, value in report["versions"].items() if value)
    busy = (
        f" Other processes ran beside it (load average {report['load_before']:g} before): rates are too low."
        if report["load_before"] > 0.5
        else ""
    )
    return (
        f"{table(rows)}\n\nBatches of {report['batch']}, {report['precision']}, one {report['device']} "
        f"device on {report['cores']} cores; {versions}. Medians of {report['rounds']} rounds.{busy}"
    )


def calibration_table(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """Largest errors against pandapower over random states, from the reports of `gridjax.calibration`."""
    rows = [
        [
            "network",
            "buses",
            "PV",
            "states",
            "V, float64 (p.u.)",
            "V, float32 (p.u.)",
            "losses, float32",
            "states with overload (%)",
            "lowest V (p.u.)",
            "losses (kW)",
        ]
    ]
    for name, report in reports.items():
        checked, base = report["validation"], report["base_case"]
        rows.append(
            [
                name,
                str(len(set(report["bus_index"].values()))),
                str(len(report["pv_buses"])),
                str(checked["states"]),
                f"{checked['float64']['voltage_error']:.1e}",
                f"{checked['float32']['voltage_error']:.1e}",
                f"{checked['float32']['losses_relative']:.1e}",
                f"{100 * checked['overloaded_states']:.0f}",
                f"{base['lowest_voltage_pu']:.5f}",
                f"{base['losses_kw']:,.2f}",
            ]
        )
    return (
        f"{table(rows)}\n\nLargest error in complex voltage, and in losses as a share of them, over random "
        "loads and generation; lowest voltage and losses at the network's own loads. The report in each "
        "network's JSON says more: quantiles, branch flows, loading, slack power, ratings and their source."
    )


def _named(claim: str) -> str:
    lower, sign, higher = claim.split()
    return f"{TITLES.get(lower, lower)} {sign} {TITLES.get(higher, higher)}"


def _percent(share: float, bounds: Sequence[float]) -> str:
    return f"{100 * share:.1f} ({_interval([100 * bound for bound in bounds], 1)})"


def _interval(bounds: Sequence[float], digits: int) -> str:
    return f"{bounds[0]:.{digits}f} to {bounds[1]:.{digits}f}"
