"""Tune the constants of the prosumer rule on training days."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from gridjax.controllers.prosumer import Rule, prosumer_rule
from gridjax.envs.smart_grid import GROUP, Params, SmartGrid

# hold_below, charge_below, target, sun_credit, help_above, reactive, centre
_LOW = (0.5, 0.4, 0.0, 0.0, 0.5, 0.0, 0.97)
_HIGH = (1.3, 1.1, 1.0, 4.0, 1.6, 4.0, 1.03)
_POPULATION, _ELITE = 48, 8


def rule_from(genes: jax.Array) -> Rule:
    """Rule with transfers and the seven other constants in the order above."""
    hold, charge, target, credit, help_above, reactive, centre = genes
    return Rule(hold, charge, target, credit, help_above, jnp.float32(1.0), reactive, centre)


@partial(jax.jit, static_argnums=(0, 3, 4))
def tune_rule(
    env: SmartGrid, params: Params, key: jax.Array, n_day: int = 24, generations: int = 12
) -> tuple[Rule, jax.Array]:
    """The rule with the largest mean reward over `n_day` days of `params.days`, and that reward.

    Cross-entropy search, constants shared by all agents. Days and their noise are drawn once, so that
    candidates are compared like for like; each begins as `params` says.
    """
    start_key, noise_key, search_key = jax.random.split(key, 3)
    states = jax.vmap(env.initial, (0, None))(jax.random.split(start_key, n_day), params)
    noise = jax.random.split(noise_key, (env.steps_per_day, n_day))

    def reward(genes):
        rule = rule_from(genes)

        def step(state, keys):
            actions = jax.vmap(lambda one: prosumer_rule(rule, env, one, params))(state)
            out = jax.vmap(env.transition, (0, 0, 0, None))(keys, state, actions, params)
            return out.state, jnp.mean(out.reward[GROUP])

        return jnp.mean(jax.lax.scan(step, states, noise)[1])

    low, high = jnp.array(_LOW), jnp.array(_HIGH)

    def generation(carry, key):
        mean, spread, best, _ = carry
        genes = jnp.clip(mean + spread * jax.random.normal(key, (_POPULATION, low.size)), low, high)
        genes = genes.at[0].set(best)
        rewards = jax.lax.map(reward, genes)
        elite = genes[jnp.argsort(-rewards)[:_ELITE]]
        spread = jnp.maximum(jnp.std(elite, axis=0), 1e-2 * (high - low))
        top = jnp.argmax(rewards)
        return (jnp.mean(elite, axis=0), spread, genes[top], rewards[top]), rewards[top]

    middle = 0.5 * (low + high)
    start = (middle, 0.4 * (high - low), middle, jnp.float32(-jnp.inf))
    (_, _, best, value), _ = jax.lax.scan(generation, start, jax.random.split(search_key, generations))
    return rule_from(best), value
