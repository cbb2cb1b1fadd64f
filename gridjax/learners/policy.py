"""A trained policy on its own: actor parameters, observation statistics and the network's description."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import jax

from gridjax.envs.environment import Environment
from gridjax.learners.actor import Actor
from gridjax.learners.head import actions_of, draw, most_likely
from gridjax.learners.layout import Layout, layout_of
from gridjax.learners.normalise import RunningStats, normalise

PerGroup = dict[str, jax.Array]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Policy:
    """A pytree that maps observations to actions; `jax.vmap` runs over policies of several seeds."""

    params: Any
    statistics: dict[str, RunningStats]
    neighbours: jax.Array | None  # bool [A, A], whom agents attend to; None: to all, or to nobody
    actor: Actor = field(metadata={"static": True})
    normalise_observations: bool = field(metadata={"static": True})

    @property
    def layout(self) -> Layout:
        """Groups and sizes the policy was trained for."""
        return self.actor.layout

    @property
    def recurrent(self) -> bool:
        """Whether it has a memory, and so must be used through `step`."""
        return self.actor.recurrent

    def memory(self, *leading: int) -> PerGroup:
        """What is remembered at the beginning, `[*leading, n_agents, width]`; nothing without recurrence."""
        return self.actor.memory(*leading)

    def __call__(
        self, observation: PerGroup, key: jax.Array | None = None, mask: PerGroup | None = None
    ) -> dict[str, Any]:
        """See `act`."""
        return act(self, observation, key, mask)

    def step(
        self,
        observation: PerGroup,
        memory: PerGroup,
        key: jax.Array | None = None,
        mask: PerGroup | None = None,
    ) -> tuple[dict[str, Any], PerGroup]:
        """As `act`, for any policy: actions `[..., n_agents, n_action]`, and the memory after this step."""
        if self.normalise_observations:
            observation = {name: normalise(self.statistics[name], x) for name, x in observation.items()}
        found: Any = self.actor.apply({"params": self.params}, observation, memory, self.neighbours)
        outputs, memory = found
        heads, mask = self.actor.heads, mask or {}
        drawn = most_likely(heads, outputs, mask) if key is None else draw(heads, key, outputs, mask)
        return actions_of(heads, drawn), memory

    def on(self, env: Environment, params: Any) -> Policy:
        """The same policy for another task, whose groups may have other numbers of agents.

        Raises `ValueError` where its parameters depend on the number, or the task differs in more than that.
        """
        layout = layout_of(env, params)
        mine = {group.name: group for group in self.layout.groups}
        for group in layout.groups:
            if group.name not in mine or replace(mine[group.name], agents=group.agents) != group:
                raise ValueError(f"{env.name} has group {group}, the policy knows {list(mine.values())}")
        same = {group.name: group.agents for group in layout.groups} == {n: g.agents for n, g in mine.items()}
        if not same and self.actor.depends_on_number:
            raise ValueError(
                f"a policy of architecture {self.actor.architecture!r} and sharing {self.actor.sharing!r} is "
                f"for {self.layout.agents} agents, {env.name} has {layout.agents}: only networks in which "
                "agents share parameters and do not know their index carry over"
            )
        neighbours = env.neighbours(params) if self.neighbours is not None else None
        return replace(self, actor=self.actor.clone(layout=layout), neighbours=neighbours)


def act(
    policy: Policy,
    observation: PerGroup,
    key: jax.Array | None = None,
    mask: PerGroup | None = None,
) -> dict[str, Any]:
    """Actions as the task takes them, for observations `[..., n_agents, n]`, per group.

    Deterministic without a key, sampled with one. Observations are normalised as in training. `mask` is the
    task's `action_mask`, where it has one. Raises `ValueError` for a policy with a memory: use `step`.
    """
    if policy.recurrent:
        raise ValueError("the policy has a memory: call policy.step(observation, memory), which returns both")
    return policy.step(observation, {}, key, mask)[0]
