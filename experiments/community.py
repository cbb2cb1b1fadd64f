"""What there is to win in SmartGrid-v0: `python -m experiments.community`.

Scores the idle battery, self-consumption, the rules, the rule tuned on training days and the plan with
perfect information on held-out days, beside the linear bound on the cost, and prints a Markdown table. Days,
noise and events are the same for all.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from jax.tree_util import Partial

import gridjax
from gridjax.controllers import (
    Rule,
    cost_bound,
    idle_battery,
    peer_to_peer,
    plan_day,
    prosumer_rule,
    self_consumption,
    time_of_use,
    tune_rule,
)
from gridjax.evaluation.report import table
from gridjax.evaluation.rollout import Act, score_days
from gridjax.scenarios import held_out_days


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
    held_out = held_out_days()
    days = held_out[np.linspace(0, held_out.size, command.days, endpoint=False).astype(int)]
    print(compare(env, params, days, command.iterations))
    return 0


def compare(env: Any, params: Any, days: np.ndarray, iterations: int) -> str:
    """Markdown table of all controllers on `days`."""
    key = jax.random.key(0)
    tuned, _ = tune_rule(env, params, jax.random.key(1))
    by_rule = partial(_rule, env)
    acts: dict[str, Act] = {
        "idle battery": partial(_idle, env),
        "self-consumption": partial(_rest, env),
        "time of use": Partial(by_rule, time_of_use()),
        "peer to peer": Partial(by_rule, peer_to_peer()),
        "tuned rule": Partial(by_rule, tuned),
    }
    states, keys = _beginnings(env, params, days, key)
    plans = jax.vmap(lambda state, keys: plan_day(env, params, state, keys, tuned, iterations))(states, keys)
    every = jnp.zeros((366, *plans.actions.shape[1:])).at[jnp.asarray(days)].set(plans.actions)
    acts["foresight"] = Partial(partial(_planned, env), every)
    rows = [["controller", "reward", "cost (EUR/day)", *(title for _, title, _ in _COLUMNS)]]
    n = env.n_agent * env.steps_per_day
    for name, act in acts.items():
        scores = score_days(env, params, act, days, key, chunk=24)
        m = {measure: float(np.mean(value)) for measure, value in scores.metrics.items()}
        cost = (m["idle_bill"] - m["reward_cost"] * float(params.reference_bill)) * n
        values = [f"{m[measure] * (factor or n):.3f}" for measure, _, factor in _COLUMNS]
        rows.append([name, f"{float(np.mean(scores.reward)):.4f}", f"{cost:.2f}", *values])
    bound = np.mean(_bounds(env, params, states, keys))
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


def _idle(env, key, obs, state, params):
    return idle_battery(env, state, params)


def _rest(env, key, obs, state, params):
    return self_consumption(env, state, params)


def _rule(env, rule: Rule, key, obs, state, params):
    return prosumer_rule(rule, env, state, params)


def _planned(env, plans, key, obs, state, params):
    day = (state.clock - state.step) // env.steps_per_day
    return {"prosumer": plans[day, state.step]}


def _beginnings(env, params, days: np.ndarray, key: jax.Array):
    """First states `[n_day]` and transition keys `[n_day, n_step]` of the days as `score_days` runs them."""

    def begin(key, day):
        key, reset_key = jax.random.split(key)
        state = env.initial(reset_key, env.on_day(params, day))
        steps = jax.vmap(lambda k: jax.random.split(k)[1])(jax.random.split(key, env.steps_per_day))
        return state, jax.vmap(lambda k: jax.random.split(k)[0])(steps)

    return jax.vmap(begin)(jax.random.split(key, days.size), jnp.asarray(days))


def _bounds(env, params, states, keys) -> list[float]:
    """Linear bound on the cost of every day, EUR."""

    @jax.jit
    @jax.vmap
    def given(state, keys):
        def step(state, key):
            actions = self_consumption(env, state, params)
            return env.transition(key, state, actions, params).state, state.now

        return jax.lax.scan(step, state, keys)[1]

    now, pile = given(states, keys), params.households.battery
    return [
        cost_bound(
            now.demand[k],
            now.sun[k],
            now.buy[k],
            now.sell[k],
            pile,
            states.energy[k],
            float(params.stored_price),
            env.hours,
        )
        for k in range(now.buy.shape[0])
    ]


if __name__ == "__main__":
    sys.exit(main())
