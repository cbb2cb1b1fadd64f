"""Layers, and networks of all agents by how they share parameters.

`sharing` is one of
- "all": one network for every agent; groups must agree in the sizes of observation and action;
- "group": one network per group;
- "agent": independent parameters for every agent, evaluated in one batched product.
Where agents share a network, a one-hot agent index joins its input, so that they may still differ; with
`identity` false it does not, and agents that see the same do the same.
"""

from __future__ import annotations

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gridjax.learners.layout import Layout

PerGroup = dict[str, jax.Array]
SHARING = ("all", "group", "agent")
ACTIVATIONS = {"tanh": nn.tanh, "relu": nn.relu, "silu": nn.silu}


def orthogonal(scale: float) -> nn.initializers.Initializer:
    """Random matrices with orthonormal rows or columns, times `scale`, of uniform (Haar) distribution.

    The polar factor of a Gaussian matrix by Newton-Schulz iteration, in products only: the QR of Flax's
    initialiser, batched over seeds or agents, can deadlock XLA's thread pool on a CPU of two cores.
    """

    def init(key: jax.Array, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32) -> jax.Array:
        wide = jax.random.normal(key, (min(shape), max(shape)), jnp.float32)
        wide = wide / jnp.linalg.norm(wide)  # Frobenius: no singular value above 1

        def polish(_: int, x: jax.Array) -> jax.Array:
            gram = jnp.matmul(x, x.T, precision=jax.lax.Precision.HIGHEST)
            return 1.5 * x - 0.5 * jnp.matmul(gram, x, precision=jax.lax.Precision.HIGHEST)

        wide = jax.lax.fori_loop(0, 40, polish, wide)
        return (scale * (wide if shape[0] <= shape[1] else wide.T)).astype(dtype)

    return init


class Layer(nn.Module):
    """Affine map with orthogonal kernel. With `agents` > 0 the input `[..., agents, n]` is taken to end in a
    one-hot agent index: its product with the kernel is a row of the kernel, so it is never formed.
    """

    features: int
    scale: float
    agents: int = 0

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        n = x.shape[-1]
        kernel = self.param("kernel", orthogonal(self.scale), (n + self.agents, self.features))
        bias = self.param("bias", nn.initializers.zeros_init(), (self.features,))
        offset = kernel[n:] + bias if self.agents else bias
        return x @ kernel[:n] + offset


class MLP(nn.Module):
    """Layers of the widths `hidden`, then a linear one: `[..., n]` to `[..., outputs]`.

    With `skip` a linear map of the input adds to the output (structured control nets, Srouji et al. 2018):
    what is proportional to an entry need not pass the bends of the hidden layers.
    """

    hidden: tuple[int, ...]
    outputs: int
    activation: str
    output_scale: float
    agents: int = 0
    skip: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        agents, first = self.agents, x
        for width in self.hidden:
            x = ACTIVATIONS[self.activation](Layer(width, 2.0**0.5, agents)(x))
            agents = 0
        out = Layer(self.outputs, self.output_scale, agents)(x)
        if self.skip:
            out = out + Layer(self.outputs, self.output_scale, self.agents, name="skip")(first)
        return out


class Recurrent(nn.Module):
    """Layers of the widths `hidden`, a gated recurrent unit as wide as the last, a linear layer.

    Memory `[..., width]` and `[..., n]` to the memory after and `[..., outputs]`.
    """

    hidden: tuple[int, ...]
    outputs: int
    activation: str
    output_scale: float
    agents: int = 0
    skip: bool = False

    @nn.compact
    def __call__(self, memory: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        agents, first = self.agents, x
        for width in self.hidden:
            x = ACTIVATIONS[self.activation](Layer(width, 2.0**0.5, agents)(x))
            agents = 0
        cell = nn.GRUCell(
            self.hidden[-1], kernel_init=orthogonal(1.0), recurrent_kernel_init=orthogonal(1.0), name="memory"
        )
        memory, x = cell(memory, x)
        out = Layer(self.outputs, self.output_scale)(x)
        if self.skip:
            out = out + Layer(self.outputs, self.output_scale, self.agents, name="skip")(first)
        return memory, out


class PerAgent(nn.Module):
    """One output vector per agent: dict of `[..., n_agents, n]` to dict of `[..., n_agents, outputs]`.

    `outputs` holds one size per group, in the order of the layout. With `recurrent` the memory of every
    group, `[..., n_agents, width]`, is needed and returned; without, it is empty.
    """

    layout: Layout
    sharing: str
    hidden: tuple[int, ...]
    activation: str
    output_scale: float
    outputs: tuple[int, ...]
    identity: bool = True
    skip: bool = False
    recurrent: bool = False

    @nn.compact
    def __call__(self, observation: PerGroup, memory: PerGroup) -> tuple[PerGroup, PerGroup]:
        groups = self.layout.groups
        if self.sharing == "all":
            joined = jnp.concatenate([observation[group.name] for group in groups], axis=-2)
            kept = jnp.concatenate([memory[group.name] for group in groups], axis=-2) if memory else None
            known = self._known(self.layout.agents)
            out, kept = self._apply(self._kind, self.outputs[0], known, "shared", joined, kept)
            split = self.layout.split
            return split(out, axis=-2), {} if kept is None else split(kept, axis=-2)
        outs, after = {}, {}
        for group, outputs in zip(groups, self.outputs):
            kind, known = self._kind, self._known(group.agents)
            if self.sharing == "agent":
                kind, known = self._stacked, 0
            x, kept = observation[group.name], memory.get(group.name)
            outs[group.name], kept = self._apply(kind, outputs, known, group.name, x, kept)
            if kept is not None:
                after[group.name] = kept
        return outs, after

    @property
    def _kind(self) -> Any:
        return Recurrent if self.recurrent else MLP

    @property
    def _stacked(self) -> Any:
        """Independent parameters for every agent, in one batched product."""
        return nn.vmap(
            self._kind, in_axes=-2, out_axes=-2, variable_axes={"params": 0}, split_rngs={"params": True}
        )

    def _known(self, agents: int) -> int:
        return agents if self.identity else 0

    def _apply(
        self, kind: Any, outputs: int, agents: int, name: str, x: jax.Array, memory: jax.Array | None
    ) -> tuple[jax.Array, jax.Array | None]:
        network = kind(self.hidden, outputs, self.activation, self.output_scale, agents, self.skip, name=name)
        if memory is None:
            return network(x), None
        memory, out = network(memory, x)
        return out, memory
