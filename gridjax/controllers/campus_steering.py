"""Agents of a campus who set the constants of the engineer's rule, each its own, step by step.

As `SteeredRule` for prosumers: the rule keeps generators, batteries and loads in step with one another
whatever its constants, so that exploring them does not black out the campus.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from gridjax.controllers.campus import CampusRule, campus_rule
from gridjax.envs.environment import PerGroup, Transition
from gridjax.envs.resilience import Params, Resilience, State
from gridjax.envs.spaces import Box, Space
from gridjax.envs.wrappers import Wrapper

# entries of an action, and by how much 1 changes the constant
STEERED: dict[str, dict[str, float]] = {
    "generator": {"start_below": 0.4, "stop_above": 0.4, "recharge": 0.4},
    "battery": {"reserve": 0.5, "charge_below": 0.3, "discharge_above": 0.5},
    "load": {"discretionary_hours": 6.0, "priority_hours": 3.0, "heat": 0.7},
}
_UNITS = {
    **dict.fromkeys(("start_below", "stop_above", "reserve"), "capacity"),
    **dict.fromkeys(("charge_below", "discharge_above"), "mean price"),
    **dict.fromkeys(("discretionary_hours", "priority_hours"), "h"),
    "recharge": "rating",
    "heat": "full power",
}
# an action beyond moves a switch: exploring seldom does, for a wrong one costs an interruption
_MOVES = 0.9


@dataclass(frozen=True)
class SteeredCampus(Wrapper):
    """Resilience-v0 with other actions: with all of them zero, agents follow the rule of `constants`.

    Action of one agent, all in [-1, 1]: what is added to the constants in `STEERED` of its group. A
    connection manager leaves its switch where the rule wants it up to an action of 0.9 either way, and moves
    it beyond: above to its normal position, below to the other. All else is that of `env`.
    """

    env: Resilience
    constants: tuple[float, ...]  # of `CampusRule`, in its order

    def __post_init__(self) -> None:
        if not isinstance(self.env, Resilience):
            raise ValueError(f"env is {self.env.name}, expected Resilience-v0, which the rule is made for")
        names = CampusRule.__dataclass_fields__
        if len(self.constants) != len(names):
            raise ValueError(
                f"constants holds {len(self.constants)} numbers, expected {len(names)}: {', '.join(names)}"
            )

    def follow(self, state: State, actions: PerGroup, params: Params) -> PerGroup:
        """Actions of the task that those of this environment stand for, `[n_agents, n_action]` per group."""
        rule = CampusRule(*(jnp.float32(value) for value in self.constants))
        planned = {}
        for group, n in self.env.groups.items():
            action = jnp.clip(actions[group].reshape(n, _size(group)), -1.0, 1.0)
            if group not in STEERED:
                usual = campus_rule(rule, self.env, state, params)[group]
                planned[group] = jnp.where(usual < 0.0, -_MOVES, _MOVES) + action
                continue
            values = vars(rule) | {
                name: getattr(rule, name) + scale * column
                for (name, scale), column in zip(STEERED[group].items(), action.T)
            }
            planned[group] = campus_rule(CampusRule(**values), self.env, state, params, (group,))[group]
        return {group: jnp.clip(value, -1.0, 1.0) for group, value in planned.items()}

    def transition(self, key: jax.Array, state: State, actions: PerGroup, params: Params) -> Transition:
        return self.env.transition(key, state, self.follow(state, actions, params), params)

    def action_space(self, params: Params) -> dict[str, Space]:
        del params
        return {group: Box(-1.0, 1.0, (_size(group),)) for group in self.env.groups}

    def action_labels(self, params: Params) -> dict[str, tuple[str, ...]]:
        switch = (f"switch [beyond {_MOVES:g} to its normal position, beyond -{_MOVES:g} to the other]",)
        named = {
            group: tuple(
                f"{name} of the rule, added [{scale:g} {_UNITS[name]}]" for name, scale in own.items()
            )
            for group, own in STEERED.items()
        }
        return {group: named.get(group, switch) for group in self.env.groups}


def _size(group: str) -> int:
    return len(STEERED[group]) if group in STEERED else 1
