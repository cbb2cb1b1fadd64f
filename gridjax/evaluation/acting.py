"""What trained policies do in the task itself, also those that steer a rule or act at a slower pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
from jax.tree_util import Partial

from gridjax.controllers import SteeredCampus, SteeredRule
from gridjax.envs import ActionRepeat, Environment
from gridjax.envs.resilience import Resilience
from gridjax.envs.smart_grid import SmartGrid
from gridjax.evaluation.rollout import Act, Recalling, act_with
from gridjax.learners import Policy

STEERED = (SteeredRule, SteeredCampus)


def steered(env: Environment, constants: tuple[float, ...]) -> SteeredRule | SteeredCampus:
    """`env` with the rule of `constants` to be steered; `ValueError` for a task without such a rule."""
    if isinstance(env, SmartGrid):
        return SteeredRule(env, constants)
    if isinstance(env, Resilience):
        return SteeredCampus(env, constants)
    raise ValueError(f"{env.name} has no rule to steer, expected SmartGrid-v0 or Resilience-v0")


def once(env: Environment) -> Environment:
    """The environment in which an action is for one step."""
    return env.env if isinstance(env, ActionRepeat) else env


def act_in_task(env: Environment, policy: Policy, seed: int | None = None) -> Act | Recalling:
    """What `policy`, trained in `env`, does in the task itself.

    Without exploration and anew at every step; sampled, by a case's keys and `seed`, where that is given.
    A policy that is sampled, or has a memory, keeps to the pace of its training.
    """
    inner = once(env)
    act = act_with(policy, inner, env.repeats if isinstance(env, ActionRepeat) else 1, seed)
    if not isinstance(inner, STEERED):
        return act
    if isinstance(act, Recalling):
        return Recalling(Partial(_FollowedRecalling(inner), act.act), act.memory)
    return Partial(_Followed(inner), act)


@dataclass(frozen=True)
class _Followed:
    env: SteeredRule | SteeredCampus

    def __call__(self, act: Act, key: jax.Array, obs: Any, state: Any, params: Any) -> Any:
        return self.env.follow(state, act(key, obs, state, params), params)


@dataclass(frozen=True)  # no method of the above: those of equal objects differ, each would be compiled
class _FollowedRecalling:
    env: SteeredRule | SteeredCampus

    def __call__(self, act: Any, key: jax.Array, obs: Any, state: Any, params: Any, memory: Any) -> Any:
        actions, memory = act(key, obs, state, params, memory)
        return self.env.follow(state, actions, params), memory
