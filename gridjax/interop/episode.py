"""Compiled steps for adapters that hold the state of an episode on the host.

A chain of keys carries an environment through its episodes: each reset and each step splits one off, so
that its episodes are the same alone, among many, and whatever resets them.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs import Environment
from gridjax.envs.environment import PerGroup


class Seen(NamedTuple):
    """What is known when actions are chosen."""

    observation: (
        Any  # [n_agents, n_entries] per group; or the global state, [n_entries], if asked for `whole`
    )
    mask: PerGroup  # bool, of groups whose choices are not always all open


class Outcome(NamedTuple):
    """What a step yields."""

    reward: PerGroup  # [n_agents] per group
    terminated: jax.Array  # []
    truncated: jax.Array  # []
    info: dict[str, dict[str, jax.Array]]  # `cost` and `metrics`


def chains(seeds: Any) -> np.ndarray:
    """First keys, uint32 `[n, 2]`, of the chains of `n` seeds, which count modulo 2^32."""
    # plain arrays, unlike typed keys, can be pickled and kept in numpy
    low = np.array([int(seed) % 2**32 for seed in seeds], np.uint32)
    return np.array(jax.vmap(jax.random.PRNGKey)(low))


def on_device(params: Any) -> Any:
    """Params as arrays of JAX: those of numpy would be copied in every step."""
    return jax.tree.map(jnp.asarray, params)


def begin(env: Environment, whole: bool, key: jax.Array, params: Any) -> tuple[jax.Array, Any, Seen]:
    """The chain after its next reset, the first state, and what is seen in it."""
    key, first = jax.random.split(key)
    state = env.initial(first, params)
    return key, state, _seen(env, whole, state, params)


def advance(
    env: Environment, whole: bool, key: jax.Array, state: Any, actions: PerGroup, params: Any
) -> tuple[jax.Array, Any, Seen, Outcome]:
    """The chain after a step, the state it led to, what is seen there, and what came of it; no reset."""
    key, step_key = jax.random.split(key)
    out = env.transition(step_key, state, actions, params)
    info = {"cost": out.cost, "metrics": out.metrics}
    outcome = Outcome(out.reward, out.terminated, out.truncated, info)
    return key, out.state, _seen(env, whole, out.state, params), outcome


def _seen(env: Environment, whole: bool, state: Any, params: Any) -> Seen:
    known = env.global_state(state, params) if whole else env.observe(state, params)
    return Seen(known, env.action_mask(state, params))


_begin_all = jax.vmap(begin, (None, None, 0, None))
_advance_all = jax.vmap(advance, (None, None, 0, 0, 0, None))

# compiled once for all adapters of equal tasks
begin_one = jax.jit(begin, static_argnums=(0, 1))
advance_one = jax.jit(advance, static_argnums=(0, 1))
begin_many = jax.jit(_begin_all, static_argnums=(0, 1))
advance_many = jax.jit(_advance_all, static_argnums=(0, 1))


@partial(jax.jit, static_argnums=0)
def global_state(env: Environment, state: Any, params: Any) -> jax.Array:
    """Input of a central critic, `[n_entries]`."""
    return env.global_state(state, params)


@partial(jax.jit, static_argnums=(0, 1))
def begin_some(
    env: Environment, whole: bool, keys: jax.Array, states: Any, which: jax.Array, params: Any
) -> tuple[jax.Array, Any, Seen]:
    """`begin` where `which`, bool `[n]`; what is seen elsewhere is of no use."""
    fresh_keys, fresh, seen = _begin_all(env, whole, keys, params)
    return *_choose(which, (fresh_keys, fresh), (keys, states)), seen


@partial(jax.jit, static_argnums=(0, 1))
def advance_then_begin(
    env: Environment, whole: bool, keys: jax.Array, states: Any, actions: PerGroup, params: Any
) -> tuple[jax.Array, Any, Seen, Outcome, Seen]:
    """`advance`, and `begin` where an episode ended; lastly what was seen before that."""
    keys, states, final, outcome = _advance_all(env, whole, keys, states, actions, params)
    fresh = _begin_all(env, whole, keys, params)
    ended = outcome.terminated | outcome.truncated
    return *_choose(ended, fresh, (keys, states, final)), outcome, final


@partial(jax.jit, static_argnums=(0, 1))
def begin_or_advance(
    env: Environment,
    whole: bool,
    keys: jax.Array,
    states: Any,
    ended: jax.Array,
    actions: PerGroup,
    params: Any,
) -> tuple[jax.Array, Any, Seen, Outcome]:
    """`begin` where `ended`, bool `[n]`, with nothing yielded; `advance` elsewhere."""
    fresh = _begin_all(env, whole, keys, params)
    *after, outcome = _advance_all(env, whole, keys, states, actions, params)
    nothing = jax.tree.map(jnp.zeros_like, outcome)
    return *_choose(ended, fresh, tuple(after)), _choose(ended, nothing, outcome)


def _choose(which: jax.Array, yes: Any, no: Any) -> Any:
    """Rows of `yes` where `which`, else of `no`."""

    def one(a: jax.Array, b: jax.Array) -> jax.Array:
        return jnp.where(which.reshape(-1, *(1,) * (a.ndim - 1)), a, b)

    return jax.tree.map(one, yes, no)
