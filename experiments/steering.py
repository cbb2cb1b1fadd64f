"""Policies that steer a rule: the environment they are trained in, and the constants of the rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from experiments.progress import ProgressBar
from gridjax.controllers import CampusRule, Rule, SteeredRule
from gridjax.envs import ActionRepeat, Environment
from gridjax.envs.resilience import Resilience
from gridjax.envs.smart_grid import SmartGrid
from gridjax.evaluation.acting import STEERED, once, steered

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
    return steered(env, tuple(constants))


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
    inner = once(env)
    if not isinstance(inner, STEERED):
        return config
    return replace(config, learner=replace(config.learner, rule_constants=inner.constants))


def known_rule(env: Environment) -> Any:
    """The rule that is steered in `env`, a `Rule` or a `CampusRule`; none where none is."""
    inner = once(env)
    if not isinstance(inner, STEERED):
        return None
    kind = Rule if isinstance(inner, SteeredRule) else CampusRule
    return kind(*(jnp.float32(value) for value in inner.constants))
