"""Policies that steer a rule: the environment they act in, and their actions as the task takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax.tree_util import Partial

from experiments.progress import ProgressBar
from gridjax.controllers import CampusRule, Rule, SteeredCampus, SteeredRule
from gridjax.envs import ActionRepeat, Environment
from gridjax.envs.resilience import Resilience
from gridjax.envs.smart_grid import SmartGrid
from gridjax.evaluation.rollout import Act, Recalling, act_with
from gridjax.learners import Policy

STEERED = (SteeredRule, SteeredCampus)

if TYPE_CHECKING:
    from experiments.config import Config, Learner


def environment_of(learner: Learner, env: Environment, params: Any) -> Environment:
    """The environment that the policy is trained in: `env`, or one whose actions set the constants of a rule.

    Raises `ValueError` for a task without such a rule.
    """
    acted_in = _steered(learner, env, params)
    return acted_in if learner.action_repeat == 1 else ActionRepeat(acted_in, learner.action_repeat)


def _steered(learner: Learner, env: Environment, params: Any) -> Environment:
    if learner.steers is None:
        return env
    if not isinstance(env, SmartGrid | Resilience):
        raise ValueError(f"steers is {learner.steers!r}, but {env.name} has no such rule, expected None")
    constants = learner.rule_constants
    if constants is None:
        constants = tuple(float(value) for value in vars(tuned(env, params)).values())
    constants = tuple(constants)
    return SteeredRule(env, constants) if isinstance(env, SmartGrid) else SteeredCampus(env, constants)


def tuned(env: SmartGrid | Resilience, params: Any) -> Rule | CampusRule:
    """The rule of the task with its constants tuned on training cases."""
    if isinstance(env, SmartGrid):
        from experiments import prosumer_yardsticks

        with ProgressBar("tuning the rule", prosumer_yardsticks.SEARCHES, unit="searches") as bar:
            return prosumer_yardsticks.tuned_rule(env, params, bar.advance)
    from experiments import campus_yardsticks

    with ProgressBar("tuning the rule", campus_yardsticks.SEARCHES, unit="searches") as bar:
        return campus_yardsticks.tuned_campus_rule(env, params, bar.advance)


def with_constants(config: Config, env: Environment) -> Config:
    """`config` with the constants of the rule written down, so that a resumed run has the same."""
    steered = _once(env)
    if not isinstance(steered, STEERED):
        return config
    return replace(config, learner=replace(config.learner, rule_constants=steered.constants))


def known_rule(env: Environment) -> Any:
    """The rule that is steered in `env`, a `Rule` or a `CampusRule`; none where none is."""
    steered = _once(env)
    if not isinstance(steered, STEERED):
        return None
    kind = Rule if isinstance(steered, SteeredRule) else CampusRule
    return kind(*(jnp.float32(value) for value in steered.constants))


def act_in_task(env: Environment, policy: Policy, seed: int | None = None) -> Act | Recalling:
    """What `policy`, trained in `env`, does in the task itself.

    Without exploration and anew at every step; sampled, by a case's keys and `seed`, where that is given.
    A policy that is sampled, or has a memory, keeps to the pace of its training.
    """
    steered = _once(env)
    act = act_with(policy, steered, env.repeats if isinstance(env, ActionRepeat) else 1, seed)
    if not isinstance(steered, STEERED):
        return act
    followed = _Followed(steered)
    if isinstance(act, Recalling):
        return Recalling(Partial(followed.recalling, act.act), act.memory)
    return Partial(followed, act)


def _once(env: Environment) -> Environment:
    return env.env if isinstance(env, ActionRepeat) else env


@dataclass(frozen=True)
class _Followed:
    env: SteeredRule | SteeredCampus

    def __call__(self, act: Act, key: jax.Array, obs: Any, state: Any, params: Any) -> Any:
        return self.env.follow(state, act(key, obs, state, params), params)

    def recalling(self, act: Any, key: jax.Array, obs: Any, state: Any, params: Any, memory: Any) -> Any:
        actions, memory = act(key, obs, state, params, memory)
        return self.env.follow(state, actions, params), memory
