"""Actor and critic networks, and how agents share their parameters.

`sharing` is one of
- "all": one network for every agent; groups must agree in the sizes of observation and action;
- "group": one network per group;
- "agent": independent parameters for every agent, evaluated in one batched product.
Where agents share a network, a one-hot agent index joins its input, so that they may still differ; with
`identity` false it does not, and agents that see the same do the same.
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from gridjax.learners.layout import Layout

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


class PerAgent(nn.Module):
    """One output vector per agent: dict of `[..., n_agents, n]` to dict of `[..., n_agents, outputs]`.

    `outputs` holds one size per group, in the order of the layout.
    """

    layout: Layout
    sharing: str
    hidden: tuple[int, ...]
    activation: str
    output_scale: float
    outputs: tuple[int, ...]
    identity: bool = True
    skip: bool = False

    @nn.compact
    def __call__(self, observation: dict[str, jax.Array]) -> dict[str, jax.Array]:
        groups = self.layout.groups
        if self.sharing == "all":
            joined = jnp.concatenate([observation[group.name] for group in groups], axis=-2)
            out = self._mlp(MLP, self.outputs[0], self._known(self.layout.agents), "shared")(joined)
            return self.layout.split(out, axis=-2)
        if self.sharing == "group":
            return {
                group.name: self._mlp(MLP, outputs, self._known(group.agents), group.name)(
                    observation[group.name]
                )
                for group, outputs in zip(groups, self.outputs)
            }
        stacked = nn.vmap(
            MLP, in_axes=-2, out_axes=-2, variable_axes={"params": 0}, split_rngs={"params": True}
        )
        return {
            group.name: self._mlp(stacked, outputs, 0, group.name)(observation[group.name])
            for group, outputs in zip(groups, self.outputs)
        }

    def _known(self, agents: int) -> int:
        return agents if self.identity else 0

    def _mlp(self, module: type[MLP], outputs: int, agents: int, name: str) -> MLP:
        return module(self.hidden, outputs, self.activation, self.output_scale, agents, self.skip, name=name)


class Actor(nn.Module):
    """Mean `[..., n_agents, n_action]` and log standard deviation of each group's action before tanh.

    The latter is a parameter, one per action entry and network, and broadcasts to the mean.
    """

    layout: Layout
    sharing: str
    hidden: tuple[int, ...]
    activation: str
    initial_log_std: float | tuple[float, ...]
    identity: bool = True
    skip: bool = False

    @nn.compact
    def __call__(self, observation: dict[str, jax.Array]) -> dict[str, tuple[jax.Array, jax.Array]]:
        groups = self.layout.groups
        sizes = tuple(group.action for group in groups)
        mean = PerAgent(
            self.layout,
            self.sharing,
            self.hidden,
            self.activation,
            0.01,
            sizes,
            self.identity,
            self.skip,
            name="mean",
        )(observation)
        alike = self.sharing == "all" or len(groups) == 1
        starts = (self.initial_log_std,) if alike else self.layout.per_group(self.initial_log_std)

        def init(_: jax.Array, shape: tuple[int, ...], start: float | tuple[float, ...]) -> jax.Array:
            return jnp.broadcast_to(jnp.asarray(start, jnp.float32), shape)

        if self.sharing == "all":
            log_std = dict.fromkeys(mean, self.param("log_std", init, (sizes[0],), starts[0]))
        else:
            axes = {group.name: (group.agents,) if self.sharing == "agent" else () for group in groups}
            log_std = {
                group.name: self.param(
                    f"log_std_{group.name}", init, (*axes[group.name], group.action), start
                )
                for group, start in zip(groups, starts)
            }
        return {name: (mean[name], log_std[name]) for name in mean}


class CentralCritic(nn.Module):
    """One value per agent from the global state: `[..., n_state]` to `[..., all agents]`.

    One body with a head per agent, whatever the sharing: it is needed in training only, and the global
    state is read once per environment rather than once per agent.
    """

    layout: Layout
    hidden: tuple[int, ...]
    activation: str

    @nn.compact
    def __call__(self, global_state: jax.Array) -> jax.Array:
        return MLP(self.hidden, self.layout.agents, self.activation, 1.0)(global_state)


class LocalCritic(nn.Module):
    """One value per agent from its own observation: dict of `[..., n_agents, n]` to `[..., all agents]`."""

    layout: Layout
    sharing: str
    hidden: tuple[int, ...]
    activation: str
    identity: bool = True

    @nn.compact
    def __call__(self, observation: dict[str, jax.Array]) -> jax.Array:
        ones = (1,) * len(self.layout.groups)
        value = PerAgent(self.layout, self.sharing, self.hidden, self.activation, 1.0, ones, self.identity)(
            observation
        )
        return self.layout.join({name: entry[..., 0] for name, entry in value.items()})
