"""SmartGrid-v0: idle batteries, self-consumption, rules, and the plan with perfect information."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from experiments.yardsticks import Measures, Yardsticks, named_costs
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
from gridjax.envs.smart_grid import GROUP, SmartGrid
from gridjax.evaluation.community import community_figures
from gridjax.evaluation.rollout import Act, Recalling, Scores, record_days, score_days
from gridjax.scenarios import days as split_days

ITERATIONS = 400  # of the plan with perfect information
SEARCHES = 4  # for the constants of the rule
_CHUNK = 40  # days in one compiled call

# of `CommunityFigures`; per agent, the mean over agents
_FIGURES = (
    *("community_cost", "self_sufficiency", "self_consumption", "peak_import", "losses", "peer_energy"),
    *("fairness", "battery_cycles", "co2", "curtailed", "unserved", "steps_out_of_band"),
)
_TERMS = ("stability", "efficiency", "cost", "cooperation")


def rules(env: SmartGrid, tuned: Rule) -> dict[str, Act]:
    """Controllers without learning, from the worst to the best that is expected."""
    by_rule = partial(_follow, env)
    return {
        "idle_battery": Partial(partial(_idle, env)),
        "self_consumption": Partial(partial(_rest, env)),
        "time_of_use": Partial(by_rule, time_of_use()),
        "peer_to_peer": Partial(by_rule, peer_to_peer()),
        "tuned_rule": Partial(by_rule, tuned),
    }


def tuned_rule(env: SmartGrid, params: Any, done: Callable[[int, str], None] = lambda *_: None) -> Rule:
    """The best rule on validation days of `SEARCHES` that were tuned on training days.

    As hard as a learner is tuned: it, too, keeps of all its policies the best on validation days.
    `done(n, note)` is called after every `n` of the searches.
    """
    found = []
    for seed in range(SEARCHES):
        rule, value = tune_rule(env, params, jax.random.key(seed))
        found.append(rule)
        done(1, f"reward {float(value):.4f} on training days")
    every = split_days("validation")

    def reward(rule: Rule) -> float:
        act = Partial(partial(_follow, env), rule)
        return float(np.mean(score_days(env, params, act, every, jax.random.key(0)).reward))

    return max(found, key=reward)


def prosumer_yardsticks(
    env: SmartGrid,
    params: Any,
    days: np.ndarray,
    done: Callable[[int, str], None],
    tuned: Rule | None = None,
    iterations: int | None = None,
) -> Yardsticks:
    """See `yardsticks.Yardsticks`. `tuned` is a rule that is tuned already."""
    if tuned is None:
        tuned = tuned_rule(env, params, lambda _, note: done(0, f"tuning the rule: {note}"))
    acts = rules(env, tuned)
    key = jax.random.key(0)
    alone = _record(env, params, acts["idle_battery"], days, key, lambda number: None)
    reference = _agent_cost(env, params, alone)

    def score(act: Act | Recalling, note: str) -> Measures:
        scores = _record(env, params, act, days, key, lambda number: done(number, note))
        return measures(env, params, scores, reference)

    def plan() -> Act:
        told = partial(done, 0)
        return foresight(env, params, days, key, tuned, iterations or ITERATIONS, told)

    def bounds() -> Measures:
        # a vehicle or a heat pump can wait, which the bound does not know
        flexible = env.vehicles or env.heat_pumps
        return {} if flexible else {"community_cost": cost_bounds(env, params, days, key)}

    return Yardsticks(
        before=acts,
        best=plan,
        score=score,
        start="self_consumption",
        order=("idle_battery", "self_consumption", "tuned_rule"),
        lower_is_better=("community_cost",),
        bounds=bounds,
        constants={"rule": {name: round(float(value), 5) for name, value in vars(tuned).items()}},
    )


def measures(env: SmartGrid, params: Any, scores: Scores, reference: np.ndarray) -> Measures:
    """Scores of every day from all its steps; `reference` is what each agent pays alone, `[n_day, n_agent]`.

    Energies in kWh and money in EUR are those of the day.
    """
    capacity = np.asarray(params.households.battery.capacity)
    found: dict[str, list[float]] = {name: [] for name in _FIGURES}
    for day in range(reference.shape[0]):
        figures = community_figures(
            {name: value[day] for name, value in scores.metrics.items()},
            capacity,
            env.hours,
            float(params.unserved_price),
            reference[day],
        )
        for name in _FIGURES:
            value = np.asarray(getattr(figures, name), float)
            if name == "battery_cycles":
                value = value[capacity > 0] if np.any(capacity > 0) else value
            found[name].append(float(value.mean()))
    terms = {f"reward_{name}": _of_days(scores.metrics[f"reward_{name}"]) for name in _TERMS}
    return {
        "reward": _of_days(scores.reward),
        **{name: np.array(value) for name, value in found.items()},
        **terms,
        "stability_index": _of_days(scores.metrics["stability"]),
        "shed": np.asarray(scores.metrics["shed"], float).sum(axis=1),
        **named_costs(scores),
        "diverged": np.asarray(scores.failed, float).sum(axis=1),
    }


def foresight(
    env: SmartGrid,
    params: Any,
    days: np.ndarray,
    key: jax.Array,
    rule: Rule,
    iterations: int,
    told: Callable[[str], None] | None = None,
) -> Act:
    """Plays the best actions found for each of `days`, with the noise and events they are scored with."""
    size = -(-days.size // -(-days.size // _CHUNK))
    keys = jax.random.split(key, days.size)
    plans = []
    for first in range(0, days.size, size):
        if told is not None:
            told(f"optimum: planned with perfect information {first} of {days.size} days")
        rows = np.minimum(np.arange(first, first + size), days.size - 1)
        plans.append(np.asarray(_plan(env, iterations, keys[rows], jnp.asarray(days[rows]), params, rule)))
    every = np.zeros((366, *plans[0].shape[1:]), np.float32)
    every[days] = np.concatenate(plans)[: days.size]
    return Partial(partial(_planned, env), jnp.asarray(every))


@partial(jax.jit, static_argnums=(0, 1))
def _plan(env, iterations, keys, days, params, rule):
    def one(key, day):
        state, steps = beginning(env, params, key, day)
        return plan_day(env, params, state, steps, rule, iterations).actions

    return jax.vmap(one)(keys, days)


def beginning(env: SmartGrid, params: Any, key: jax.Array, day: jax.Array) -> tuple[Any, jax.Array]:
    """First state and transition keys `[n_step]` of a day as `score_days` runs it with `key`."""
    key, reset_key = jax.random.split(key)
    state = env.initial(reset_key, env.on_case(params, day))
    steps = jax.vmap(lambda k: jax.random.split(k)[1])(jax.random.split(key, env.steps_per_day))
    return state, jax.vmap(lambda k: jax.random.split(k)[0])(steps)


def cost_bounds(env: SmartGrid, params: Any, days: np.ndarray, key: jax.Array) -> np.ndarray:
    """Linear bound on the community cost of each of `days` as they are scored with `key`, EUR."""

    @jax.jit
    @jax.vmap
    def given(key, day):
        first, keys = beginning(env, params, key, day)

        def step(state, key):
            actions = self_consumption(env, state, params)
            return env.transition(key, state, actions, params).state, state.now

        return first.energy, jax.lax.scan(step, first, keys)[1]

    energy, now = given(jax.random.split(key, days.size), jnp.asarray(days))
    found = [
        cost_bound(
            now.demand[k],
            now.sun[k],
            now.buy[k],
            now.sell[k],
            params.households.battery,
            energy[k],
            float(params.stored_price),
            env.hours,
        )
        for k in range(days.size)
    ]
    return np.array(found)


def _record(env, params, act, days, key, done) -> Scores:
    return record_days(env, params, act, days, key, _CHUNK, done)


def _agent_cost(env: SmartGrid, params: Any, scores: Scores) -> np.ndarray:
    m = {name: np.asarray(value, float) for name, value in scores.metrics.items() if np.ndim(value) == 3}
    spent = m["paid_grid"] + m["paid_peers"] + m["paid_losses"] + m["wear"] - m["stored_value"]
    return (spent + float(params.unserved_price) * m["unserved"]).sum(axis=1)


def _of_days(steps: Any) -> np.ndarray:
    every = np.asarray(steps, float)
    return every.reshape(every.shape[0], -1).mean(axis=1)


def _idle(env, key, obs, state, params):
    return idle_battery(env, state, params)


def _rest(env, key, obs, state, params):
    return self_consumption(env, state, params)


def _follow(env, rule: Rule, key, obs, state, params):
    return prosumer_rule(rule, env, state, params)


def _planned(env, plans, key, obs, state, params):
    day = (state.clock - state.step) // env.steps_per_day
    return {GROUP: plans[day, state.step]}
