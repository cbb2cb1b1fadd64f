"""Networks in which agents attend to one another: one set of parameters for any number of agents.

Every agent's observation becomes a token by the encoder of its group; blocks of attention and layers
(Vaswani et al. 2017, normalised first) let tokens take in what others know; the decoder of its group turns a
token into the agent's output. An agent attends to itself and to its neighbours. No parameter depends on how
many there are, so no agent is told its index.
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from gridjax.learners.layout import Layout
from gridjax.learners.networks import ACTIVATIONS, Layer, PerGroup

ATTENTION_HEADS = 4


class Attentive(nn.Module):
    """Dict of `[..., n_agents, n]` to dict of `[..., n_agents, outputs]`; `outputs` has one size per group.

    `neighbours` is bool `[A, A]` over the agents of all groups: whom an agent (row) attends to; None: to all.
    """

    layout: Layout
    hidden: tuple[int, ...]  # width of a token, then those of the layers within a block
    activation: str
    output_scale: float
    outputs: tuple[int, ...]
    skip: bool = False
    blocks: int = 1

    @nn.compact
    def __call__(self, observation: PerGroup, neighbours: jax.Array | None) -> PerGroup:
        groups, width = self.layout.groups, self.hidden[0]
        bend = ACTIVATIONS[self.activation]
        tokens = [
            bend(Layer(width, 2.0**0.5, name=f"encode_{group.name}")(observation[group.name]))
            for group in groups
        ]
        x = jnp.concatenate(tokens, axis=-2)
        mask = None
        if neighbours is not None:
            own = jnp.eye(x.shape[-2], dtype=bool)
            mask = jnp.broadcast_to((neighbours | own)[None], (*x.shape[:-2], 1, *own.shape))
        for k in range(self.blocks):
            attend = nn.MultiHeadDotProductAttention(ATTENTION_HEADS, name=f"attend_{k}")
            x = x + attend(nn.LayerNorm(name=f"before_{k}")(x), mask=mask)
            inner = nn.LayerNorm(name=f"between_{k}")(x)
            for i, wide in enumerate((*self.hidden[1:], width)):
                inner = bend(Layer(wide, 2.0**0.5, name=f"layer_{k}_{i}")(inner))
            x = x + inner
        parts, outs, first = nn.LayerNorm(name="last")(x), {}, 0
        for group, outputs in zip(groups, self.outputs):
            part = parts[..., first : first + observation[group.name].shape[-2], :]
            out = Layer(outputs, self.output_scale, name=f"decode_{group.name}")(part)
            if self.skip:
                direct = Layer(outputs, self.output_scale, name=f"skip_{group.name}")
                out = out + direct(observation[group.name])
            outs[group.name] = out
            first += part.shape[-2]
        return outs
