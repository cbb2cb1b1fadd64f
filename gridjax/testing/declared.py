"""What a task declares: checked before anything is traced."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from gridjax.envs.environment import Environment
from gridjax.envs.spaces import Box, Discrete, Hybrid, numbered


def check_declared(env: Environment, params: Any) -> None:
    """What is known without tracing anything."""
    assert isinstance(env, Environment), f"env is a {type(env).__name__}, not a gridjax.envs.Environment"
    frozen = dataclasses.is_dataclass(env) and type(env).__dataclass_params__.frozen  # pyright: ignore
    assert frozen, f"{type(env).__name__} is not a frozen dataclass"
    try:
        same = hash(copy.copy(env)) == hash(env)
    except TypeError as error:
        raise AssertionError(f"env is not hashable: {error}") from error
    assert same, "a copy of env has another hash: every new instance would be compiled again"
    assert isinstance(env.name, str), f"env.name is {env.name!r}, not a string"
    assert env.name, "env.name is empty"
    assert isinstance(env.groups, Mapping), "env.groups is not a mapping of group to number of agents"
    assert env.groups, "env.groups is empty"
    for group, n_agent in env.groups.items():
        assert isinstance(group, str), f"the name of group {group!r} is not a string"
        assert isinstance(n_agent, int), f"group {group!r} has {n_agent!r} agents, not a whole number"
        assert n_agent > 0, f"group {group!r} has {n_agent} agents"
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        array = isinstance(leaf, jax.Array | np.ndarray | np.generic | bool | int | float | complex)
        where = jax.tree_util.keystr(path)
        assert array, f"params{where} is a {type(leaf).__name__}, not an array: is params a pytree?"
        assert np.asarray(leaf).dtype != object, f"params{where} is an array of objects"

    for what in ("observation_space", "action_space", "observation_labels", "action_labels"):
        found = getattr(env, what)(params)
        assert set(found) == set(env.groups), f"{what} has groups {set(found)}, env.groups {set(env.groups)}"
    for group in env.groups:
        observed, acted = env.observation_space(params)[group], env.action_space(params)[group]
        assert isinstance(observed, Box), f"observation_space of group {group!r} is not a Box"
        kinds = Box | Discrete | Hybrid
        assert isinstance(acted, kinds), f"action_space of group {group!r} is no Box, Discrete or Hybrid"
        reals = acted.continuous if isinstance(acted, Hybrid) else acted
        if isinstance(reals, Box):
            unit = np.all(np.asarray(reals.low) == -1.0) and np.all(np.asarray(reals.high) == 1.0)
            assert unit, f"action_space of group {group!r} is not [-1, 1]"
        for what, size in (("observation", int(np.prod(observed.shape))), ("action", len(numbered(acted)))):
            labels = getattr(env, f"{what}_labels")(params)[group]
            assert len(labels) == size, f"group {group!r} has {len(labels)} labels for {size} {what} entries"
            assert len(set(labels)) == size, f"{what} labels of group {group!r} repeat"
            strings = all(isinstance(label, str) and label for label in labels)
            assert strings, f"{what} labels of group {group!r} are not all names"
