"""Tune the constants of the prosumer rule on training days."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.controllers.prosumer import Rule, prosumer_rule
from gridjax.controllers.search import cross_entropy
from gridjax.envs.smart_grid import GROUP, Params, SmartGrid

# hold_below, charge_below, target, sun_credit, help_above, give, ask, reactive, centre
_LOW = (0.5, 0.4, 0.0, 0.0, 0.5, 0.5, 0.5, 0.0, 0.97)
_HIGH = (1.3, 1.1, 1.0, 4.0, 1.6, 1.5, 1.5, 4.0, 1.03)


def rule_from(genes: jax.Array) -> Rule:
    """Rule with the constants in the order above."""
    return Rule(*genes)


@partial(jax.jit, static_argnums=(0, 3, 4))
def tune_rule(
    env: SmartGrid, params: Params, key: jax.Array, n_day: int = 60, generations: int = 16
) -> tuple[Rule, jax.Array]:
    """The rule with the largest mean reward over `n_day` days of `params.days`, and that reward.

    Cross-entropy search, constants shared by all agents. The days are spread evenly over those there are, run
    as they are scored (`env.on_case`), and their noise is drawn once, so that candidates are compared like
    for like.
    """
    start_key, noise_key, search_key = jax.random.split(key, 3)
    days = params.days[np.linspace(0, params.days.shape[0], n_day, endpoint=False).astype(int)]

    def beginning(key, day):
        return env.initial(key, env.on_case(params, day))

    states = jax.vmap(beginning)(jax.random.split(start_key, n_day), days)
    noise = jax.random.split(noise_key, (env.steps_per_day, n_day))

    def reward(genes):
        rule = rule_from(genes)

        def step(state, keys):
            actions = jax.vmap(lambda one: prosumer_rule(rule, env, one, params))(state)
            out = jax.vmap(env.transition, (0, 0, 0, None))(keys, state, actions, params)
            return out.state, jnp.mean(out.reward[GROUP])

        return jnp.mean(jax.lax.scan(step, states, noise)[1])

    best, value = cross_entropy(
        search_key,
        reward,
        _LOW,
        _HIGH,
        population=48,
        elite=8,
        generations=generations,
        spread=0.4,
        least=1e-2,
    )
    return rule_from(best), value
