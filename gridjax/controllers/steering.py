"""Prosumers who do not act themselves but set the constants of a rule, each its own, step by step.

The best actions of SmartGrid-v0 lie on kinks: a trade that leaves the battery exactly what it can take, an
offer of exactly what is spare. A policy that adds noise to them to explore falls off at every step. A rule
stays on them whatever its constants are, and the constants are what is worth exploring: the price from which
to discharge, the price up to which to charge, and how far (behaviour on top of a controller: Silver et al.,
arXiv:1812.06298; here the controller's parameters are the action, as in Masson et al., arXiv:1509.01644).
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from gridjax.controllers.prosumer import Rule, prosumer_rule
from gridjax.envs.environment import PerGroup, Transition
from gridjax.envs.smart_grid import GROUP, Params, SmartGrid, State
from gridjax.envs.spaces import Box, Space
from gridjax.envs.wrappers import Wrapper

STEERED: tuple[str, ...] = ("hold_below", "charge_below", "target", "help_above", "give", "ask")
"""Constants of `Rule` to which the entries of an action are added."""

_UNITS = dict(zip(STEERED, ("mean price", "mean price", "capacity", "mean price", "share", "share")))


@dataclass(frozen=True)
class SteeredRule(Wrapper):
    """SmartGrid-v0 with other actions: with all of them zero, agents follow the rule of `constants`.

    Action of one prosumer, all in [-1, 1]: what is added to the constants in `STEERED`, to the rule's
    reactive power, and, where the task has them, the actions of vehicle and heat pump. Transfers and trade
    are then the rule's. Observations, rewards and params are those of `env`.
    """

    env: SmartGrid
    constants: tuple[float, ...]  # of `Rule`, in its order

    def __post_init__(self) -> None:
        if not isinstance(self.env, SmartGrid):
            raise ValueError(f"env is {self.env.name}, expected SmartGrid-v0, which the rule is made for")
        names = Rule.__dataclass_fields__
        if len(self.constants) != len(names):
            raise ValueError(
                f"constants holds {len(self.constants)} numbers, expected {len(names)}: {', '.join(names)}"
            )

    @property
    def n_action(self) -> int:
        """Entries of one agent's action."""
        return len(STEERED) + self.env.n_action - self.env.n_slot - 1

    def follow(self, state: State, actions: PerGroup, params: Params) -> PerGroup:
        """Actions of the task that those of this environment stand for, `[n_agents, n_action]` per group."""
        action = jnp.clip(actions[GROUP].reshape(self.env.n_agent, self.n_action), -1.0, 1.0)
        moved = dict(zip(STEERED, action.T))
        constants = zip(Rule.__dataclass_fields__, self.constants)
        rule = Rule(**{name: jnp.float32(value) + moved.get(name, 0.0) for name, value in constants})
        planned = prosumer_rule(rule, self.env, state, params)[GROUP]
        direct = planned[:, self.env.n_slot + 1 :] + action[:, len(STEERED) :]
        planned = planned.at[:, self.env.n_slot + 1 :].set(jnp.clip(direct, -1.0, 1.0))
        return {GROUP: planned}

    def transition(self, key: jax.Array, state: State, actions: PerGroup, params: Params) -> Transition:
        return self.env.transition(key, state, self.follow(state, actions, params), params)

    def action_space(self, params: Params) -> dict[str, Space]:
        return {GROUP: Box(-1.0, 1.0, (self.n_action,))}

    def action_labels(self, params: Params) -> dict[str, tuple[str, ...]]:
        direct = self.env.action_labels(params)[GROUP][self.env.n_slot + 1 :]
        return {GROUP: (*(f"{name} of the rule, added [{unit}]" for name, unit in _UNITS.items()), *direct)}
