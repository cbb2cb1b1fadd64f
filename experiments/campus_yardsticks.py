"""Resilience-v0: doing nothing, droop alone, the engineer's rule, and the plan that knows the outage."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from experiments.campus_foresight import foresight
from experiments.yardsticks import Measures, Yardsticks, named_costs
from gridjax.controllers.campus import CampusRule, campus_rule, do_nothing, droop
from gridjax.controllers.campus_tuning import refine_campus_rule, tune_campus_rule
from gridjax.envs.resilience import TIERS, Resilience, outage_cases
from gridjax.evaluation.resilience import energy_not_served, interruptions
from gridjax.evaluation.rollout import Act, Recalling, Scores, record_days

SEARCHES = 3  # for the constants of the rule: two over all of them, one along each
_SEARCHED, _REFINED = 40, 240  # training outages, of each of them
_CHUNK = 40  # cases in one compiled call


def rules(env: Resilience, tuned: CampusRule) -> dict[str, Act]:
    """Controllers without learning, from the worst to the best that is expected."""
    names = ("do_nothing", "droop_alone", "tuned_rule")
    # one program for all: compiled ones take memory that Linux counts
    act = partial(_one_of, env)
    return {name: Partial(act, jnp.int32(which), tuned) for which, name in enumerate(names)}


def tuned_campus_rule(
    env: Resilience, params: Any, done: Callable[[int, str], None] = lambda *_: None
) -> CampusRule:
    """The rule with the best constants found on training outages: searched for on some, refined on many.

    `done(n, note)` is called after every `n` of the `SEARCHES`, and with 0 in between.
    """
    some = outage_cases(env, params, "train", _SEARCHED)
    found = []
    for seed in range(SEARCHES - 1):
        rule, value = tune_campus_rule(env, params, jax.random.key(seed), some)
        found.append(rule)
        done(1, f"reward {float(value):.3f} on {_SEARCHED} training outages")
    many = outage_cases(env, params, "train", _REFINED)
    rule = refine_campus_rule(env, params, jax.random.key(1), found, many, lambda note: done(0, note))
    done(1, "refined")
    return rule


def campus_yardsticks(
    env: Resilience,
    params: Any,
    rows: np.ndarray,
    done: Callable[[int, str], None],
    tuned: CampusRule | None = None,
) -> Yardsticks:
    """See `yardsticks.Yardsticks`; `rows` are those of `params.scenarios`. `tuned`: a rule tuned already."""
    if tuned is None:
        tuned = tuned_campus_rule(env, params, lambda _, note: done(0, f"tuning the rule: {note}"))
    key = jax.random.key(0)

    def score(act: Act | Recalling, note: str) -> Measures:
        scores = record_days(env, params, act, rows, key, _CHUNK, lambda number: done(number, note))
        return measures(env, scores)

    def plan() -> Act:
        done(0, "optimum: planning with perfect knowledge")
        return foresight(env, params, rows, key, tuned, lambda note: done(0, f"optimum: {note}"))

    return Yardsticks(
        before=rules(env, tuned),
        best=plan,
        score=score,
        start="do_nothing",
        order=("do_nothing", "tuned_rule"),
        constants={"rule": {name: round(float(value), 5) for name, value in vars(tuned).items()}},
    )


def measures(env: Resilience, scores: Scores) -> Measures:
    """Scores of every case from all its steps; energies in kWh and money in EUR are those of the case."""
    m = {name: np.asarray(value, float) for name, value in scores.metrics.items()}
    demand = np.stack([m[f"demand_{tier}"] for tier in TIERS], axis=-1) / env.hours
    served = np.stack([m[f"served_{tier}"] for tier in TIERS], axis=-1) / env.hours
    served = np.minimum(served, demand)
    lost = energy_not_served(demand, served, env.hours)
    critical = interruptions(demand[..., 0], served[..., 0], env.hours)
    asked = demand.sum(axis=1) * env.hours
    by_step = {name: value.reshape(*value.shape[:2], -1).sum(axis=-1) for name, value in m.items()}
    return {
        "reward": np.asarray(scores.reward, float).mean(axis=1),
        **{f"ens_{tier}": lost[:, k] for k, tier in enumerate(TIERS)},
        "critical_served": 1.0 - lost[:, 0] / asked[:, 0],
        "critical_interruptions": critical.count.astype(float),
        "critical_hours": critical.hours,
        "unserved_cost": by_step["unserved_cost"].sum(axis=1),
        "energy_cost": (by_step["energy_cost"] - by_step["stored_value"]).sum(axis=1),
        "fuel": by_step["burnt"].sum(axis=1),
        "emissions": by_step["emissions"].sum(axis=1),
        "nadir": m["nadir"].min(axis=1),
        "discomfort": by_step["discomfort"].sum(axis=1),
        **named_costs(scores),
        "diverged": np.asarray(1.0 - m["converged"]).sum(axis=1),
    }


def _one_of(env, which, rule: CampusRule, key, obs, state, params):
    choices = (
        do_nothing(env, state, params),
        droop(env, state, params),
        campus_rule(rule, env, state, params),
    )
    return jax.tree.map(lambda *acts: jnp.stack(acts)[which], *choices)
