"""Who a learner imitates at first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from gridjax.controllers import Rule, prosumer_rule
from gridjax.envs.smart_grid import SmartGrid

if TYPE_CHECKING:
    from experiments.config import Config, Learner
    from gridjax.learners.mappo import Teacher


@dataclass(frozen=True)
class RuleTeacher:
    """The actions of a prosumer rule, its constants part of the program."""

    constants: tuple[float, ...]

    def __call__(self, env: SmartGrid, state: Any, params: Any) -> dict[str, jax.Array]:
        rule = Rule(*(jnp.float32(constant) for constant in self.constants))
        return prosumer_rule(rule, env, state, params)


def teacher_of(learner: Learner, env: Any, params: Any) -> RuleTeacher | None:
    """The teacher that the settings name. Raises `ValueError` for a task that has none."""
    if learner.teacher is None:
        return None
    if not isinstance(env, SmartGrid):
        raise ValueError(f"teacher is {learner.teacher!r}, but {env.name} has no such rule, expected None")
    constants = learner.teacher_constants
    if constants is None:
        from experiments.prosumer_yardsticks import tuned_rule

        constants = tuple(float(value) for value in vars(tuned_rule(env, params)).values())
    if len(constants) != len(Rule.__dataclass_fields__):
        raise ValueError(
            f"teacher_constants holds {len(constants)} numbers, expected {len(Rule.__dataclass_fields__)}: "
            f"{', '.join(Rule.__dataclass_fields__)}"
        )
    return RuleTeacher(tuple(constants))


def with_constants(config: Config, teacher: Teacher | None) -> Config:
    """`config` with the constants of its teacher written down, so that a resumed run has the same."""
    if not isinstance(teacher, RuleTeacher):
        return config
    return replace(config, learner=replace(config.learner, teacher_constants=teacher.constants))
