"""Tune the droop on training days: its curve's centre, dead band, slope and limit."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from gridjax.controllers.droop import Droop, droop
from gridjax.envs.voltage_control.environment import GROUP, Params, VoltageControl

_LOW = (0.97, 0.0, -3.0, 0.1)  # centre p.u., dead band p.u. either side, log10 of the ramp p.u., limit
_HIGH = (1.03, 0.03, -0.8, 1.0)
_POPULATION = 64
_ELITE = 10
_GENERATIONS = 24


def curve_from(genes: jax.Array) -> Droop:
    """Droop with (centre, dead band, log10 ramp, limit): the ramp runs from the dead band to the limit."""
    centre, band, ramp, limit = genes[0], genes[1], 10.0 ** genes[2], genes[3]
    points = jnp.stack([centre - band - ramp, centre - band, centre + band, centre + band + ramp])
    return Droop(points=points, limit=limit)


@partial(jax.jit, static_argnums=(0, 3))
def tune_droop(env: VoltageControl, params: Params, key: jax.Array, n_state: int = 1024) -> Droop:
    """The droop with the largest mean reward over `n_state` instants of `params.days`.

    Cross-entropy search, four constants shared by all inverters. The instants are drawn once, so that
    candidates are compared like for like.
    """
    state_key, search_key = jax.random.split(key)
    states = jax.vmap(env.initial, in_axes=(0, None))(jax.random.split(state_key, n_state), params)

    def reward(genes):
        def one(state):
            actions = droop(curve_from(genes), env, state, params)
            return jnp.mean(env.transition(key, state, actions, params).reward[GROUP])

        return jnp.mean(jax.vmap(one)(states))

    low, high = jnp.array(_LOW), jnp.array(_HIGH)

    def generation(carry, key):
        mean, spread, best, _ = carry
        noise = jax.random.normal(key, (_POPULATION, low.size))
        genes = jnp.clip(mean + spread * noise, low, high).at[0].set(best)
        rewards = jax.lax.map(reward, genes)
        elite = genes[jnp.argsort(-rewards)[:_ELITE]]
        spread = jnp.maximum(jnp.std(elite, axis=0), 1e-3 * (high - low))
        top = jnp.argmax(rewards)
        return (jnp.mean(elite, axis=0), spread, genes[top], rewards[top]), rewards[top]

    start = (0.5 * (low + high), 0.5 * (high - low), 0.5 * (low + high), jnp.float32(-jnp.inf))
    (_, _, best, _), _ = jax.lax.scan(generation, start, jax.random.split(search_key, _GENERATIONS))
    return curve_from(best)
