"""Tune the droop on training days: its curve's centre, dead band, slope and limit."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from gridjax.controllers.droop import Droop, droop
from gridjax.controllers.search import cross_entropy
from gridjax.envs.voltage_control.environment import GROUP, Params, VoltageControl

_LOW = (0.97, 0.0, -3.0, 0.1)  # centre p.u., dead band p.u. either side, log10 of the ramp p.u., limit
_HIGH = (1.03, 0.03, -0.8, 1.0)


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

    best, _ = cross_entropy(
        search_key, reward, _LOW, _HIGH, population=64, elite=10, generations=24, spread=0.5, least=1e-3
    )
    return curve_from(best)
