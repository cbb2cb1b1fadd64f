"""Tune the constants of the engineer's rule on training outages."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from gridjax.controllers.campus import CampusRule, campus_rule, default_rule
from gridjax.controllers.search import cross_entropy
from gridjax.envs.resilience import Params, Resilience, Scenario

# reserve, charge_below, discharge_above, storm, start_below, stop_above, stagger, recharge,
# discretionary_hours, priority_hours, fuel_credit, heat
LOW = (0.0, 0.4, 0.8, 5.0, 0.1, 0.3, 0.0, -0.2, 0.0, 0.0, 0.0, -1.0)
HIGH = (1.0, 1.1, 2.5, 60.0, 1.01, 1.01, 0.8, 1.0, 72.0, 48.0, 1.0, 1.0)


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
