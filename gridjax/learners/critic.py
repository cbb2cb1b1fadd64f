"""Value networks: one that sees the whole grid, one per agent that sees what the agent sees.

They value several streams at once, the reward first, then every cost that is bounded: K in all.
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from gridjax.learners.actor import empty_memory
from gridjax.learners.attention import Attentive
from gridjax.learners.layout import Layout
from gridjax.learners.networks import MLP, PerAgent, PerGroup, Recurrent


class CentralCritic(nn.Module):
    """Values `[..., all agents, K]` from the global state `[..., n_state]`.

    One body with a head per agent, whatever the sharing: it is needed in training only, and the global
    state is read once per environment rather than once per agent. With `recurrent` it has a memory.
    """

    layout: Layout
    hidden: tuple[int, ...]
    activation: str
    recurrent: bool = False
    streams: int = 1

    def memory(self, *leading: int) -> PerGroup:
        """What is remembered at the beginning of an episode: zeros, or nothing."""
        return {"state": jnp.zeros((*leading, self.hidden[-1]))} if self.recurrent else {}

    @nn.compact
    def __call__(self, seen: jax.Array, memory: PerGroup) -> tuple[jax.Array, PerGroup]:
        shape = (self.hidden, self.layout.agents * self.streams, self.activation, 1.0)
        if self.recurrent:
            kept, value = Recurrent(*shape)(memory["state"], seen)
            memory = {"state": kept}
        else:
            value = MLP(*shape)(seen)
        return value.reshape(*value.shape[:-1], self.layout.agents, self.streams), memory


class LocalCritic(nn.Module):
    """Values `[..., all agents, K]`, each from its agent's observation, dict of `[..., n_agents, n]`.

    As the actor's, the network may remember, or agents attend to one another.
    """

    layout: Layout
    architecture: str
    sharing: str
    hidden: tuple[int, ...]
    activation: str
    identity: bool = True
    streams: int = 1

    def memory(self, *leading: int) -> PerGroup:
        """What is remembered at the beginning of an episode: zeros, or nothing."""
        return empty_memory(self.layout, self.architecture == "gru", self.hidden, *leading)

    @nn.compact
    def __call__(
        self, seen: PerGroup, memory: PerGroup, neighbours: jax.Array | None = None
    ) -> tuple[jax.Array, PerGroup]:
        shape = (self.hidden, self.activation, 1.0, (self.streams,) * len(self.layout.groups))
        if self.architecture == "attention":
            value, after = Attentive(self.layout, *shape)(seen, neighbours), {}
        else:
            recurrent = self.architecture == "gru"
            network = PerAgent(self.layout, self.sharing, *shape, self.identity, recurrent=recurrent)
            value, after = network(seen, memory)
        return self.layout.join(value, axis=-2), after
