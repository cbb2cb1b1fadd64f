"""Tune the constants of the engineer's rule on training outages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.controllers.campus import CampusRule, campus_rule, default_rule
from gridjax.controllers.search import cross_entropy
from gridjax.controllers.spread import spread
from gridjax.envs.resilience import Params, Resilience, Scenario

# reserve, charge_below, discharge_above, storm, start_below, stop_above, stagger, recharge,
# discretionary_hours, priority_hours, fuel_credit, heat
LOW = (0.0, 0.4, 0.8, 5.0, 0.1, 0.3, 0.0, -0.2, 0.0, 0.0, 0.0, -1.0)
HIGH = (1.0, 1.1, 2.5, 60.0, 1.01, 1.01, 0.8, 1.0, 72.0, 48.0, 1.0, 1.0)
# of a line search: moves of one constant, shares of its range, and rounds over all of them
_MOVES = (-0.4, -0.15, -0.05, -0.015, 0.015, 0.05, 0.15, 0.4)
_TURNS = 3


@partial(jax.jit, static_argnums=(0, 4))
def tune_campus_rule(
    env: Resilience, params: Params, key: jax.Array, scenarios: Scenario, generations: int = 14
) -> tuple[CampusRule, jax.Array]:
    """The rule with the largest mean reward over `scenarios` (leading axis `[n_scenario]`), and that reward.

    Cross-entropy search, constants shared by all agents. Noise is drawn once, so that candidates are compared
    like for like.
    """
    noise_key, search_key = jax.random.split(key)
    number = scenarios.day.shape[0]
    keys = jax.random.split(noise_key, number)

    def reward(genes):
        rule = CampusRule(*genes)
        return jnp.mean(jax.vmap(partial(_return, env, params, rule))(keys, scenarios))

    best, value = cross_entropy(
        search_key,
        reward,
        LOW,
        HIGH,
        population=24,
        elite=6,
        generations=generations,
        spread=0.3,
        least=1e-2,
        start=jnp.stack(list(vars(default_rule()).values())),
    )
    return CampusRule(*best), value


def refine_campus_rule(
    env: Resilience,
    params: Params,
    key: jax.Array,
    rules: Sequence[CampusRule],
    scenarios: Scenario,
    done: Callable[[str], None] = lambda _: None,
) -> CampusRule:
    """The best of `rules` after line searches over one constant after another, until a round finds no gain.

    Values are tried on a third of `scenarios` (leading axis `[n_scenario]`), the best of them on all. It is
    taken where it gains more than a standard error of the paired differences: outages are chaotic, and the
    best of many values is often the luckiest. `done(note)` is called after each constant.
    """
    number = scenarios.day.shape[0]
    keys = jax.random.split(key, number)
    # every third: spread over the year as all are
    few = jnp.arange(0, number, 3)
    low, high = np.array(LOW, np.float32), np.array(HIGH, np.float32)
    moves = np.array(_MOVES, np.float32)[:, None] * (high - low)

    def rewards(genes: np.ndarray, chosen: jax.Array) -> np.ndarray:
        some = jax.tree.map(lambda x: x[chosen], (keys, scenarios))
        return np.asarray(_returns(env, params, jnp.asarray(genes), *some))

    every = jnp.arange(number)
    starts = [np.array([float(value) for value in vars(rule).values()], np.float32) for rule in rules]
    scored = [rewards(start, every) for start in starts]
    first = int(np.argmax([scores.mean() for scores in scored]))
    best, reached = starts[first], scored[first]
    for turn in range(_TURNS):
        found = False
        for k, name in enumerate(vars(rules[0])):
            tried = np.repeat(best[None], len(moves), axis=0)
            tried[:, k] = np.clip(best[k] + moves[:, k], low[k], high[k])
            means = [float(rewards(genes, few).mean()) for genes in tried]
            most = tried[int(np.argmax(means))]
            if max(means) > float(reached[few].mean()):
                scores = rewards(most, every)
                gain = scores - reached
                if gain.mean() > gain.std(ddof=1) / np.sqrt(number):
                    best, reached, found = most, scores, True
            done(f"round {turn + 1}, {name} {best[k]:.3g}, reward {reached.mean():.4f}")
        if not found:
            break
    return CampusRule(*(jnp.float32(value) for value in best))


@partial(jax.jit, static_argnums=0)
def _returns(env, params, genes, keys, scenarios):
    """Mean reward per step of a rule in each scenario, `[n_scenario]`."""

    def one(shared, key, scenario):
        params, genes = shared
        return _return(env, params, CampusRule(*genes), key, scenario)

    return spread(one, (params, genes), keys, scenarios)


def _return(
    env: Resilience, params: Params, rule: CampusRule, key: jax.Array, scenario: Scenario
) -> jax.Array:
    """Mean reward per step of `rule` in one scenario."""
    listed = env.on_scenario(params, scenario)
    reset_key, step_key = jax.random.split(key)

    def step(state, key):
        out = env.transition(key, state, campus_rule(rule, env, state, listed), listed)
        return out.state, out.reward["load"][0]

    first = env.initial(reset_key, listed)
    return jnp.mean(jax.lax.scan(step, first, jax.random.split(step_key, env.case_steps))[1])
