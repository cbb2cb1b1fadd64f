"""The best that is known for each outage of a list: with perfect knowledge of the outage."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from gridjax.controllers.campus import CampusRule, campus_rule
from gridjax.controllers.campus_tuning import HIGH, LOW
from gridjax.controllers.outage_plan import Foreseen, follow, plan_outage
from gridjax.controllers.spread import spread
from gridjax.envs.resilience import TIERS, Resilience
from gridjax.evaluation.rollout import Act
from gridjax.powerflow.topology import components
from gridjax.scenarios import outages

_REFINEMENTS = 2  # plans, each with the deliveries and failures that the one before met
_BLOCKS = 12  # parts of a case that have constants of their own
_ROUNDS, _CANDIDATES = 9, 12  # of the search for them


def foresight(
    env: Resilience,
    params: Any,
    rows: np.ndarray,
    key: jax.Array,
    rule: CampusRule,
    note: Callable[[str], None],
) -> Act:
    """Plays the best found for each case, with the noise and events it is scored with.

    The rule with the constants that are best for each part of the case, searched for from those of `rule`, or
    a plan that knows what came of what was played before: prices, failures, deliveries. Raises `ValueError`
    for cases that begin on the same day.
    """
    begun = np.asarray(params.scenarios.day)[rows]
    if np.unique(begun).size < begun.size:
        raise ValueError("rows hold cases that begin on the same day, by which plans are told apart")
    keys = jax.random.split(key, rows.size)
    genes = _fitted(env, params, keys, jnp.asarray(rows), rule, note)
    actions = jax.tree.map(np.asarray, _by_rule(env, params, keys, jnp.asarray(rows), genes))
    played = _play(env, params, keys, jnp.asarray(rows), actions)
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
        played = _play(env, params, keys, jnp.asarray(rows), tried)
        found = np.asarray(played["reward"])
        better = found > reward
        reward = np.where(better, found, reward)
        best = {g: np.where(better[:, None, None, None], tried[g], best[g]) for g in best}
        generators, delivered = np.asarray(played["able"]), np.asarray(played["delivered"])
    of_day = np.zeros(366, np.int32)
    of_day[begun] = np.arange(rows.size)
    plans = {group: jnp.asarray(value) for group, value in best.items()}
    return Partial(partial(_planned, env), plans, jnp.asarray(of_day))


def _fitted(
    env: Resilience,
    params: Any,
    keys: jax.Array,
    rows: jax.Array,
    rule: CampusRule,
    note: Callable[[str], None],
) -> jax.Array:
    """Constants of the rule that are best in hindsight for each case, `[n_case, _BLOCKS, n_constant]`."""
    constants = jnp.stack(list(vars(rule).values()))
    genes = jnp.broadcast_to(constants, (rows.size, _BLOCKS, constants.size))
    if not _interrupted(env, params, np.asarray(rows)):
        return genes
    for turn in range(_ROUNDS):
        note(f"rule for each case, round {turn + 1} of {_ROUNDS}")
        # first constants for the whole case, then for parts of it, in smaller steps every time
        together = jnp.asarray(turn < _ROUNDS // 3)
        turn_keys = jax.random.split(jax.random.key(turn), rows.size)
        genes = _climbed(env, params, keys, rows, genes, turn_keys, 0.3 * 0.8**turn, together)
        jax.block_until_ready(genes)  # or the notes run ahead
    return genes


def _interrupted(env: Resilience, params: Any, rows: np.ndarray) -> bool:
    """Whether the grid is ever lost: beside it the plan alone is as good."""
    begin = np.asarray(params.scenarios.timeline.grid_begin)[rows]
    end = np.asarray(params.scenarios.timeline.grid_end)[rows]
    return bool(((begin < env.case_steps) & (end > begin)).any())


@partial(jax.jit, static_argnums=0)
def _climbed(env, params, keys, rows, genes, turn_keys, size, together):
    """`genes` after `_CANDIDATES` random moves of each case, of which those are kept that are better."""
    low, high = jnp.array(LOW), jnp.array(HIGH)

    def one(shared, key, row, genes, turn_key):
        params, size, together = shared

        def score(genes):
            return jnp.mean(_run(env, params, key, row, genes)[1])

        def move(best, given):
            (genes, reward), (key, still) = best, given
            which_key, block_key, step_key = jax.random.split(key, 3)
            n_block, n_constant = genes.shape
            moved = ~still & jax.random.bernoulli(which_key, 0.4, (n_constant,))
            moved &= together | jax.random.bernoulli(block_key, 0.25, (n_block, 1))
            step = size * (high - low) * jax.random.normal(step_key, (n_constant,))
            tried = jnp.where(moved, jnp.clip(genes + step, low, high), genes)
            found = score(tried)
            better = found > reward
            return (jnp.where(better, tried, genes), jnp.where(better, found, reward)), None

        # scored first is where it stands, as a candidate like others: one program for all
        still = jnp.arange(1 + _CANDIDATES) == 0
        keys = jax.random.split(turn_key, still.size)
        return jax.lax.scan(move, (genes, jnp.float32(-jnp.inf)), (keys, still))[0][0]

    return spread(one, (params, size, together), keys, rows, genes, turn_keys)


@partial(jax.jit, static_argnums=0)
def _by_rule(env, params, keys, rows, genes):
    """Actions of the rule fitted to each case, `[n_case, n_step, ...]`."""
    return spread(lambda params, *case: _run(env, params, *case)[0], params, keys, rows, genes)


def _run(env, params, key, row, genes):
    """Actions of the rule of `genes` `[_BLOCKS, n_constant]` in a case, `[n_step, ...]`, and rewards.

    With the key of the scores.
    """
    case = env.on_case(params, row)
    key, reset_key = jax.random.split(key)
    block = jnp.arange(env.case_steps) * _BLOCKS // env.case_steps

    def step(state, given):
        key, constants = given
        acts = campus_rule(CampusRule(*constants), env, state, case)
        step_key = jax.random.split(jax.random.split(key)[1])[0]
        out = env.transition(step_key, state, acts, case)
        return out.state, (acts, out.reward["load"][0])

    steps = (jax.random.split(key, env.case_steps), genes[block])
    return jax.lax.scan(step, env.initial(reset_key, case), steps)[1]


@partial(jax.jit, static_argnums=0)
def _play(env, params, keys, rows, actions):
    """What is known after playing `actions` `[n_case, n_step, ...]`, with the keys of the scores."""

    def one(params, key, row, acts):
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

    found = spread(one, params, keys, rows, actions)
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


def _planned(env, plans, of_day, key, obs, state, params):
    day = (state.clock - state.step) // env.steps_per_day
    return {group: every[of_day[day], state.step] for group, every in plans.items()}
