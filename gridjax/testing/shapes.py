"""Structures, shapes and dtypes of reset and step, by tracing alone."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs.environment import Environment
from gridjax.envs.spaces import Discrete, Hybrid


def check_reset(env: Environment, params: Any, key: jax.Array) -> tuple[Any, Any]:
    """Shapes of observations and state at reset, as `jax.eval_shape` gives them."""
    try:
        traced = jax.make_jaxpr(env.reset, return_shape=True)(key, params)
    except Exception as error:
        raise AssertionError(f"reset cannot be traced by jax.jit: {error}") from error
    jaxpr, (obs, state) = traced
    assert not _contains(jaxpr.jaxpr, "while"), "reset contains a while loop: it must not solve a power flow"
    _check_per_group(env, obs, "observation", {g: s.shape for g, s in env.observation_space(params).items()})
    return obs, state


def check_step(env: Environment, params: Any, key: jax.Array, obs: Any, state: Any, actions: Any) -> None:
    """Shapes of what a step returns against those of a reset; nothing is computed."""
    try:
        out = jax.eval_shape(env.step, key, state, actions, params)
    except Exception as error:
        raise AssertionError(f"step cannot be traced by jax.jit: {error}") from error
    assert len(out) == 6, (
        f"step returns {len(out)} values, not obs, state, reward, terminated, truncated, info"
    )
    next_obs, next_state, reward, terminated, truncated, info = out
    _check_per_group(env, reward, "reward", dict.fromkeys(env.groups, ()))
    for name, flag in (("terminated", terminated), ("truncated", truncated)):
        one = flag.shape == () and flag.dtype == bool
        assert one, f"{name} is {flag.dtype}{list(flag.shape)}, not a scalar bool"
    for name in ("final_observation", "final_global_state", "cost", "metrics"):
        assert name in info, f"info has no {name!r}"
    _check_same(obs, next_obs, "observation", "step")
    _check_same(state, next_state, "state", "step")
    _check_same(obs, info["final_observation"], "observation", "info['final_observation']")
    for kind in ("cost", "metrics"):
        named = isinstance(info[kind], dict) and all(isinstance(name, str) for name in info[kind])
        assert named, f"info[{kind!r}] is not a dict of named quantities"
    for name, cost in info["cost"].items():
        assert cost.shape == (), f"cost {name!r} has shape {cost.shape}, expected a scalar"
    for kind, said in (("metrics", env.metric_labels(params)), ("cost", env.cost_labels(params))):
        assert not said or set(said) == set(info[kind]), (
            f"labels of {kind} and info[{kind!r}] differ by {sorted(set(said) ^ set(info[kind]))}"
        )
    whole = jax.eval_shape(env.global_state, state, params)
    assert whole.ndim == 1, f"global_state has shape {whole.shape}, expected one vector per environment"
    _check_same(whole, info["final_global_state"], "global_state", "info['final_global_state']")
    _check_mask(env, params, jax.eval_shape(env.action_mask, state, params))
    try:
        several = jax.tree.map(lambda x: jax.ShapeDtypeStruct((2, *np.shape(x)), jnp.result_type(x)), params)
        keys = jax.eval_shape(lambda k: jax.random.split(k, 2), key)
        jax.eval_shape(jax.vmap(env.reset), keys, several)
    except Exception as error:
        raise AssertionError(f"reset cannot be batched over params by jax.vmap: {error}") from error


def _check_per_group(env: Environment, found: Any, what: str, shapes: dict[str, tuple[int, ...]]) -> None:
    assert isinstance(found, dict), f"{what} is a {type(found).__name__}, expected a dict by group"
    assert set(found) == set(env.groups), f"{what} has groups {set(found)}, env.groups {set(env.groups)}"
    for group, n_agent in env.groups.items():
        leaf, shape = found[group], (n_agent, *shapes[group])
        assert leaf.shape == shape, f"{what} of group {group!r} has shape {leaf.shape}, expected {shape}"
        real = jnp.issubdtype(leaf.dtype, jnp.floating)
        assert real, f"{what} of group {group!r} is {leaf.dtype}, expected a float"


def _check_mask(env: Environment, params: Any, masks: Any) -> None:
    for group, mask in masks.items():
        assert group in env.groups, f"action_mask has group {group!r}, env.groups {set(env.groups)}"
        space = env.action_space(params)[group]
        chosen = space.discrete if isinstance(space, Hybrid) else space
        assert isinstance(chosen, Discrete), f"action_mask has group {group!r}, which chooses nothing"
        shape = (env.groups[group], *chosen.shape, chosen.n)
        good = mask.shape == shape and mask.dtype == bool
        assert good, (
            f"action_mask of group {group!r} is {mask.dtype}{list(mask.shape)}, expected bool{list(shape)}"
        )


def _check_same(first: Any, then: Any, what: str, where: str) -> None:
    """Same pytree, shapes and dtypes, also whether a dtype is weak: all that jit compiles for."""
    structures = jax.tree.structure(first), jax.tree.structure(then)
    assert structures[0] == structures[1], (
        f"{what} changes its structure: {structures[0]} from reset, {structures[1]} from {where}"
    )
    for (path, a), b in zip(jax.tree_util.tree_leaves_with_path(first), jax.tree.leaves(then)):
        types = [f"{'weak ' if leaf.weak_type else ''}{leaf.dtype}{list(leaf.shape)}" for leaf in (a, b)]
        name = what + jax.tree_util.keystr(path)
        assert types[0] == types[1], (
            f"{name} changes its type: {types[0]} from reset, {types[1]} from {where}"
        )


def _contains(jaxpr: Any, primitive: str) -> bool:
    """Whether `primitive` occurs in a jaxpr, also inside calls, scans and branches."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == primitive:
            return True
        inner = jax.tree.leaves(list(equation.params.values()), is_leaf=lambda x: hasattr(x, "eqns"))
        parts = [getattr(part, "jaxpr", part) for part in inner]
        if any(_contains(part, primitive) for part in parts if hasattr(part, "eqns")):
            return True
    return False
