"""One task under one policy, step by step, compiled."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from gridjax.envs import Environment
from gridjax.evaluation.rollout import Act, Recalling, recalling
from gridjax.evaluation.views import Look, View, happenings, view_of


class PolicyFailed(Exception):
    """A policy raised, or asked for what is no number."""


class World:
    """The compiled functions of a task. Policies of one structure share what is compiled."""

    def __init__(self, env: Environment, params: Any) -> None:
        self.env, self.view = env, view_of(env, params)
        self._begin = jax.jit(env.initial)
        self._act = jax.jit(self._acts)
        self._advance = jax.jit(self._advances)

    def begin(self, key: jax.Array, params: Any) -> Any:
        """First state of an episode."""
        return self._begin(key, params)

    def act(self, act: Partial, key: jax.Array, state: Any, params: Any, memory: Any) -> tuple[Any, Any]:
        """Actions and memory; `PolicyFailed` whatever goes wrong."""
        try:
            actions, memory = jax.block_until_ready(self._act(act, key, state, params, memory))
            sound = all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(actions))
        except Exception as error:
            lines = str(error).strip().splitlines()
            raise PolicyFailed(f"{type(error).__name__}: {lines[-1] if lines else ''}"[:300]) from error
        if not sound:
            raise PolicyFailed("its actions are not finite")
        return actions, memory

    def advance(self, key: jax.Array, state: Any, actions: Any, params: Any) -> Advanced:
        """One step, without reset."""
        return Advanced(*self._advance(key, state, actions, params))

    def _acts(self, act: Partial, key: jax.Array, state: Any, params: Any, memory: Any) -> Any:
        actions, memory = act(key, self.env.observe(state, params), state, params, memory)
        expected = self.env.action_space(params)
        shapes = {group: (n, *expected[group].shape) for group, n in self.env.groups.items()}  # pyright: ignore
        found = {group: jnp.shape(action) for group, action in actions.items()}
        if found != shapes:
            raise ValueError(f"actions have shapes {found}, expected {shapes}")
        return actions, memory

    def _advances(self, key: jax.Array, state: Any, actions: Any, params: Any) -> Any:
        out = self.env.transition(key, state, actions, params)
        look = self.view.look(state, actions, out, params)
        return out.state, look, out.terminated, out.truncated


class Advanced(NamedTuple):
    """What a step led to."""

    state: Any
    look: Look
    terminated: jax.Array
    truncated: jax.Array


class Lane:
    """An episode under a policy. A lane whose grid failed stays dark until the next episode."""

    def __init__(self, world: World, name: str, act: Act | Recalling) -> None:
        self.world = world
        self.state: Any = None
        self.ended = True
        self.picture: dict[str, Any] | None = None  # of the last step, with policy and events
        self.clock: dict[str, Any] = {"day": 0, "hour": 0.0}
        self.use(name, act)

    def use(self, name: str, act: Act | Recalling) -> None:
        """Go on with another policy from where the episode is."""
        function, self._memory = recalling(act)
        self._first_memory = self._memory
        self.name = name
        self._function = function if isinstance(function, Partial) else Partial(function)

    def begin(self, key: jax.Array, params: Any) -> None:
        """Begin the episode that `key` determines."""
        self.state = self.world.begin(key, params)
        self._memory = self._first_memory
        self.ended, self.picture = False, None

    def step(self, key: jax.Array, params: Any) -> bool:
        """One step; returns whether time ran out. Raises `PolicyFailed` and then has not moved."""
        if self.ended:
            assert self.picture is not None
            self.picture = self.picture | {"events": []}
            return False
        act_key, step_key = jax.random.split(key)
        actions, memory = self.world.act(self._function, act_key, self.state, params, self._memory)
        done = self.world.advance(step_key, self.state, actions, params)
        look = jax.tree.map(np.asarray, done.look)
        view: View = self.world.view
        picture = view.picture(look)
        events = happenings(self.picture, picture, view.voltage_band)
        self.clock = view.clock(look)
        self.picture = {"policy": self.name, **picture, "events": events}
        self.state, self._memory, self.ended = done.state, memory, bool(done.terminated)
        return bool(done.truncated)
