"""Resilience-v0: doing nothing, droop alone, the engineer's rule, and the plan that knows the outage."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from experiments.cases import validation_cases
from experiments.yardsticks import Measures, Yardsticks
from gridjax.controllers.campus import CampusRule, campus_rule, do_nothing, droop
from gridjax.controllers.campus_tuning import tune_campus_rule
from gridjax.controllers.outage_plan import Foreseen, follow, plan_outage
from gridjax.envs.resilience import TIERS, Resilience, outage_cases
from gridjax.evaluation.resilience import energy_not_served, interruptions
from gridjax.evaluation.rollout import Act, Scores, record_days, score_days
from gridjax.powerflow.topology import components
from gridjax.scenarios import outages

SEARCHES = 2  # for the constants of the rule
_TRAINING = 16  # outages that they are tuned on
_VALIDATION = 42  # outages that the best is chosen by
_CHUNK = 40  # cases in one compiled call
_REFINEMENTS = 2  # plans, each with the deliveries and failures that the one before met


def rules(env: Resilience, tuned: CampusRule) -> dict[str, Act]:
    """Controllers without learning, from the worst to the best that is expected."""
    return {
        "do_nothing": Partial(partial(_nothing, env)),
        "droop_alone": Partial(partial(_droop, env)),
        "tuned_rule": Partial(partial(_follow, env), tuned),
    }


def tuned_campus_rule(
    env: Resilience, params: Any, done: Callable[[int, str], None] = lambda *_: None
) -> CampusRule:
    """The best rule on validation outages of `SEARCHES` that were tuned on training outages.

    `done(n, note)` is called after every `n` of the searches.
    """
    training = outage_cases(env, params, "train", _TRAINING)
    found = []
    for seed in range(SEARCHES):
        rule, value = tune_campus_rule(env, params, jax.random.key(seed), training)
        found.append(rule)
        done(1, f"reward {float(value):.3f} on training outages")
    cases = validation_cases(env, params, _VALIDATION)

    def reward(rule: CampusRule) -> float:
        act = Partial(partial(_follow, env), rule)
        return float(np.mean(score_days(env, cases.params, act, cases.rows, jax.random.key(0)).reward))

    return max(found, key=reward)


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

    def score(act: Act, note: str) -> Measures:
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
        "diverged": np.asarray(1.0 - m["converged"]).sum(axis=1),
    }


def foresight(
    env: Resilience,
    params: Any,
    rows: np.ndarray,
    key: jax.Array,
    rule: CampusRule,
    note: Callable[[str], None],
) -> Act:
    """Plays the best found for each case, with the noise and events it is scored with.

    What `rule` does, or a plan that knows what came of what was played before: prices, failures, deliveries.
    """
    keys = jax.random.split(key, rows.size)
    actions = jax.tree.map(np.asarray, _by_rule(env, keys, jnp.asarray(rows), params, rule))
    played = _play(env, keys, jnp.asarray(rows), params, actions)
    best, reward = actions, np.asarray(played["reward"])
    generators, delivered = np.asarray(played["able"]), np.asarray(played["delivered"])
    for turn in range(_REFINEMENTS):
        plans = []
        for k in range(rows.size):
            known = _known(played, k, generators[k], delivered[k])
            plans.append(follow(env, params, plan_outage(env, params, known), known))
            if k % 10 == 9:
                note(f"plan {turn + 1}, {k + 1} of {rows.size} cases")
        tried = {g: np.stack([p[g] for p in plans]).astype(np.float32) for g in actions}
        played = _play(env, keys, jnp.asarray(rows), params, tried)
        found = np.asarray(played["reward"])
        better = found > reward
        reward = np.where(better, found, reward)
        best = {g: np.where(better[:, None, None, None], tried[g], best[g]) for g in best}
        generators, delivered = np.asarray(played["able"]), np.asarray(played["delivered"])
    of_day = np.zeros(366, np.int32)
    of_day[np.asarray(params.scenarios.day)[rows]] = np.arange(rows.size)
    plans = {group: jnp.asarray(value) for group, value in best.items()}
    return Partial(partial(_planned, env), plans, jnp.asarray(of_day))


@partial(jax.jit, static_argnums=0)
def _by_rule(env, keys, rows, params, rule):
    """Actions of `rule` in every case, `[n_case, n_step, ...]`, with the keys of the scores."""

    def one(key, row):
        case = env.on_case(params, row)
        key, reset_key = jax.random.split(key)

        def step(state, key):
            acts = campus_rule(rule, env, state, case)
            step_key = jax.random.split(jax.random.split(key)[1])[0]
            return env.transition(step_key, state, acts, case).state, acts

        return jax.lax.scan(step, env.initial(reset_key, case), jax.random.split(key, env.case_steps))[1]

    return jax.vmap(one)(keys, rows)


@partial(jax.jit, static_argnums=0)
def _play(env, keys, rows, params, actions):
    """What is known after playing `actions` `[n_case, n_step, ...]`, with the keys of the scores."""

    def one(key, row, acts):
        case = env.on_case(params, row)
        key, reset_key = jax.random.split(key)
        first = env.initial(reset_key, case)

        def step(state, given):
            key, act = given
            step_key = jax.random.split(jax.random.split(key)[1])[0]
            out = env.transition(step_key, state, act, case)
            sound = outages.branch_sound(state.timeline, state.step)
            label = components(case.network, sound)
            slack = label[jnp.array(case.network.slack_buses)][0]
            inside = jnp.array(env.layout.campus)
            present = outages.grid_present(state.timeline, state.step)
            arrived = jnp.where(
                out.state.delivered > state.delivered,
                jnp.sum(case.campus.generator.tank - state.generator.fuel),
                0.0,
            )
            kept = {
                "demand": jnp.stack([out.metrics[f"demand_{tier}"] for tier in TIERS]) / env.hours,
                "sun": jnp.sum(state.now.sun),
                "buy": state.now.buy,
                "sell": state.now.sell,
                "reachable": present & jnp.any((label == slack) & inside),
                "able": jnp.sum(state.generator.repair <= 0.0),
                "delivered": arrived,
                "reward": out.reward["load"][0],
            }
            return out.state, kept

        steps = jax.lax.scan(step, first, (jax.random.split(key, env.case_steps), acts))[1]
        return steps | {"energy": jnp.sum(first.energy), "fuel": jnp.sum(first.generator.fuel)}

    found = jax.vmap(one)(keys, rows, actions)
    return found | {"reward": jnp.mean(found["reward"], axis=1)}


def _known(played: dict[str, Any], k: int, generators: np.ndarray, delivered: np.ndarray) -> Foreseen:
    row = {name: np.asarray(value[k], float) for name, value in played.items()}
    return Foreseen(
        demand=row["demand"],
        sun=row["sun"],
        buy=row["buy"],
        sell=row["sell"],
        reachable=row["reachable"] > 0.5,
        generators=generators,
        delivered=delivered,
        energy=float(row["energy"]),
        fuel=float(row["fuel"]),
    )


def _nothing(env, key, obs, state, params):
    return do_nothing(env, state, params)


def _droop(env, key, obs, state, params):
    return droop(env, state, params)


def _follow(env, rule: CampusRule, key, obs, state, params):
    return campus_rule(rule, env, state, params)


def _planned(env, plans, of_day, key, obs, state, params):
    day = (state.clock - state.step) // env.steps_per_day
    return {group: every[of_day[day], state.step] for group, every in plans.items()}
