"""What there is to win in SmartGrid-v0: `python -m experiments.community`.

Scores the idle battery, self-consumption, the rules, the rule tuned on training days and the plan with
perfect information on held-out days, beside the linear bound on the cost, and prints a Markdown table. Days,
noise and events are the same for all.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import tyro

import gridjax
from experiments.cases import chosen_days
from experiments.prosumer_yardsticks import cost_bounds, foresight, rules, tuned_rule
from gridjax.evaluation.rollout import score_days
from gridjax.evaluation.tables.markdown import table


@dataclass(frozen=True)
class Command:
    """Compare controllers of SmartGrid-v0 on held-out days."""

    agents: int = 5
    days: int = 24  # of the 120 held-out days, spread over the year
    iterations: int = 300  # of the plan with perfect information
    cooperation: float | None = None  # weight of the cooperation bonus, default the task's
    events: tuple[str, ...] = ()  # that happen every day


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 for bad input."""
    command = tyro.cli(Command, args=arguments, prog="python -m experiments.community")
    try:
        if not 1 <= command.days <= 120:
            raise ValueError(f"--days is {command.days}, expected 1 to 120")
        if command.iterations < 1:
            raise ValueError(f"--iterations is {command.iterations}, expected at least 1")
        weights = None if command.cooperation is None else {"cooperation": command.cooperation}
        env, params = gridjax.make(
            "SmartGrid-v0", agents=command.agents, weights=weights, events=command.events
        )
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(compare(env, params, chosen_days(command.days), command.iterations))
    return 0


def compare(env: Any, params: Any, days: np.ndarray, iterations: int) -> str:
    """Markdown table of all controllers on `days`."""
    key, tuned = jax.random.key(0), tuned_rule(env, params)
    acts = rules(env, tuned) | {"foresight": foresight(env, params, days, key, tuned, iterations)}
    rows = [["controller", "reward", "cost (EUR/day)", *(title for _, title, _ in _COLUMNS)]]
    n = env.n_agent * env.steps_per_day
    for name, act in acts.items():
        scores = score_days(env, params, act, days, key, chunk=24)
        m = {measure: float(np.mean(value)) for measure, value in scores.metrics.items()}
        cost = (m["idle_bill"] - m["reward_cost"] * float(params.reference_bill)) * n
        values = [f"{m[measure] * (factor or n):.3f}" for measure, _, factor in _COLUMNS]
        rows.append([name.replace("_", " "), f"{float(np.mean(scores.reward)):.4f}", f"{cost:.2f}", *values])
    bound = np.mean(cost_bounds(env, params, days, key))
    rows.append(["linear bound", "-", f"{bound:.2f}", *("-" for _ in _COLUMNS)])
    constants = ", ".join(f"{name} {float(value):.3f}" for name, value in vars(tuned).items())
    return f"{table(rows)}\n\nTuned rule: {constants}."


# measure, heading, factor on its mean over steps and agents; None: sum over all of a day
_COLUMNS = (
    ("reward_stability", "stability", 1.0),
    ("reward_efficiency", "efficiency", 1.0),
    ("reward_cost", "cost", 1.0),
    ("reward_cooperation", "cooperation", 1.0),
    ("import", "import (kWh/day)", None),
    ("received", "peers (kWh/day)", None),
    ("losses", "losses (kWh/day)", 96.0),
    ("unserved", "unserved (kWh/day)", None),
)


if __name__ == "__main__":
    sys.exit(main())
