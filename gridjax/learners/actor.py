"""The policy network: for every agent the parameters of the distribution its action is drawn from."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from gridjax.learners.attention import Attentive
from gridjax.learners.head import Head, Output
from gridjax.learners.layout import Layout
from gridjax.learners.networks import PerAgent, PerGroup

ARCHITECTURES = ("feedforward", "gru", "attention")


class Actor(nn.Module):
    """What the head of each group takes: output `[..., n_agents, head.outputs]` and log_std.

    The logarithm of the standard deviation is a parameter of Gaussian heads, one per action entry and
    network, and broadcasts to the output; a Beta head takes its initial value as an offset. The architecture
    "gru" has a memory per agent, `[..., n_agents, hidden[-1]]`; the others have an empty one.
    """

    layout: Layout
    architecture: str
    head: str
    sharing: str
    hidden: tuple[int, ...]
    activation: str
    initial_log_std: float | tuple[float, ...]
    identity: bool = True
    skip: bool = False

    @property
    def heads(self) -> dict[str, Head]:
        """How each group acts."""
        return {group.name: Head(self.head, group) for group in self.layout.groups}

    @property
    def recurrent(self) -> bool:
        """Whether there is a memory."""
        return self.architecture == "gru"

    @property
    def depends_on_number(self) -> bool:
        """Whether parameters are for a certain number of agents."""
        return self.architecture != "attention" and (self.identity or self.sharing == "agent")

    def memory(self, *leading: int) -> PerGroup:
        """What is remembered at the beginning of an episode: zeros, or nothing."""
        return empty_memory(self.layout, self.recurrent, self.hidden, *leading)

    @nn.compact
    def __call__(
        self, observation: PerGroup, memory: PerGroup, neighbours: jax.Array | None = None
    ) -> tuple[dict[str, Output], PerGroup]:
        groups = self.layout.groups
        sizes = tuple(head.outputs for head in self.heads.values())
        shape = (self.hidden, self.activation, 0.01, sizes)
        if self.architecture == "attention":
            network = Attentive(self.layout, *shape, skip=self.skip, name="mean")
            out, after = network(observation, neighbours), {}
        else:
            network = PerAgent(
                self.layout, self.sharing, *shape, self.identity, self.skip, self.recurrent, name="mean"
            )
            out, after = network(observation, memory)
        alike = self.sharing == "all" or len(groups) == 1
        starts = (self.initial_log_std,) if alike else self.layout.per_group(self.initial_log_std)
        starts = starts * len(groups) if alike else starts
        log_std: dict[str, jax.Array | None] = {}
        for group, start in zip(groups, starts):
            if not group.action:
                log_std[group.name] = None
            elif self.head != "gaussian":
                log_std[group.name] = _filled((group.action,), start)
            elif self.sharing == "all" and log_std:
                log_std[group.name] = next(iter(log_std.values()))
            else:
                name = "log_std" if self.sharing == "all" else f"log_std_{group.name}"
                agents = (group.agents,) if self.sharing == "agent" else ()
                log_std[group.name] = self.param(
                    name, lambda _, *args: _filled(*args), (*agents, group.action), start
                )
        return {name: (out[name], log_std[name]) for name in out}, after


def empty_memory(layout: Layout, recurrent: bool, hidden: tuple[int, ...], *leading: int) -> PerGroup:
    """Zeros `[*leading, n_agents, hidden[-1]]` per group; an empty dict without recurrence."""
    if not recurrent:
        return {}
    return {group.name: jnp.zeros((*leading, group.agents, hidden[-1])) for group in layout.groups}


def _filled(shape: tuple[int, ...], start: float | tuple[float, ...]) -> jax.Array:
    return jnp.broadcast_to(jnp.asarray(start, jnp.float32), shape)
