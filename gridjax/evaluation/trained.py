"""Trained policies from files, as controllers of the task that they were trained for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import gridjax
from gridjax.envs import ActionRepeat, Environment
from gridjax.evaluation.acting import act_in_task, steered
from gridjax.evaluation.rollout import Act, Recalling
from gridjax.learners.layout import layout_of
from gridjax.learners.policy import Policy
from gridjax.learners.portable import load_policy


@dataclass(frozen=True)
class Trained:
    """A policy and what its file says: `env` and `options` of `gridjax.make`, `rule_constants`, `repeats`."""

    policy: Policy
    about: dict[str, Any]

    @classmethod
    def load(cls, path: str | os.PathLike) -> Trained:
        """Raises as `load_policy`."""
        return cls(*load_policy(path))

    def make(self, **changes: Any) -> tuple[Environment, Any]:
        """The task that the policy was trained for, with options changed."""
        return gridjax.make(self.about["env"], **self.about["options"] | changes)

    def act(self, env: Environment, params: Any) -> Act | Recalling:
        """What it does in `env`; `ValueError` where that is another task than it was trained for.

        Policies whose parameters do not depend on the number of agents serve any number of them.
        """
        # a task of one's own is registered as MODULE:NAME
        if env.name != self.about["env"].rpartition(":")[2]:
            raise ValueError(f"a policy for {self.about['env']}, expected one for {env.name}")
        constants, repeats = self.about.get("rule_constants"), self.about.get("repeats", 1)
        trained_in = env if constants is None else steered(env, tuple(constants))
        trained_in = trained_in if repeats == 1 else ActionRepeat(trained_in, repeats)
        policy = self.policy
        if layout_of(trained_in, params).groups != policy.layout.groups:
            policy = policy.on(trained_in, params)
        return act_in_task(trained_in, policy)
