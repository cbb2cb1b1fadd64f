"""Probe environments: each isolates one thing a learner must get right, with an answer in closed form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gridjax.envs.environment import Environment, PerGroup, Transition
from gridjax.envs.spaces import Box, Discrete, Hybrid, Space

# of a learner, enough for any of them within seconds
SETTINGS = {
    "num_envs": 32,
    "num_steps": 8,
    "num_minibatches": 2,
    "hidden": (16, 16),
    "gamma": 0.9,
    "initial_log_std": -1.0,
}


class ProbeState(NamedTuple):
    time: jax.Array  # [], int32
    signal: jax.Array  # [], in {-1, 1}, what the agents see


class NoParams(NamedTuple):
    reward: jax.Array | float = 1.0


@dataclass(frozen=True)
class Probe(Environment[ProbeState, NoParams]):
    """One agent, one-step episodes, reward 1, nothing to see but a constant."""

    sizes: tuple[tuple[str, int], ...] = (("agent", 1),)
    length: int = 1
    signals: bool = False  # the signal is drawn, rather than 1
    ends: str = field(default="terminated")  # how an episode of `length` steps ends, or "never"

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def groups(self) -> dict[str, int]:
        return dict(self.sizes)

    def initial(self, key: jax.Array, params: NoParams) -> ProbeState:
        signal = jax.random.rademacher(key, (), jnp.float32) if self.signals else jnp.ones(())
        return ProbeState(jnp.zeros((), jnp.int32), signal)

    def reward(self, state: ProbeState, actions: PerGroup, params: NoParams) -> PerGroup:
        return {name: jnp.full(n, params.reward) for name, n in self.sizes}

    def transition(
        self, key: jax.Array, state: ProbeState, actions: PerGroup, params: NoParams
    ) -> Transition:
        time = state.time + 1
        over, never = time >= self.length, jnp.zeros((), bool)
        return Transition(
            state=state._replace(time=time),
            reward=self.reward(state, actions, params),
            terminated=over if self.ends == "terminated" else never,
            truncated=over if self.ends == "truncated" else never,
            cost={"excess": jnp.full((), 2.0)},
            metrics={"time": time.astype(jnp.float32), "draw": jax.random.uniform(key)},
        )

    def features(self, state: ProbeState) -> jax.Array:
        return state.signal[None]

    def observe(self, state: ProbeState, params: NoParams) -> PerGroup:
        return {name: jnp.tile(self.features(state), (n, 1)) for name, n in self.sizes}

    def global_state(self, state: ProbeState, params: NoParams) -> jax.Array:
        return self.features(state)

    def observation_space(self, params: NoParams) -> dict[str, Box]:
        return {name: Box(-10.0, 10.0, (1,)) for name, _ in self.sizes}

    def action_space(self, params: NoParams) -> dict[str, Space]:
        return {name: Box(-1.0, 1.0, (1,)) for name, _ in self.sizes}

    def observation_labels(self, params: NoParams) -> dict[str, tuple[str, ...]]:
        return {name: ("signal (1)",) for name, _ in self.sizes}


@dataclass(frozen=True)
class Constant(Probe):
    """Value: reward 1 and the end, so the value is 1."""


@dataclass(frozen=True)
class Seen(Probe):
    """Value of what is seen: the reward is the signal, and so is the value."""

    signals: bool = True

    def reward(self, state: ProbeState, actions: PerGroup, params: NoParams) -> PerGroup:
        return {name: jnp.full(n, state.signal) for name, n in self.sizes}


@dataclass(frozen=True)
class Delayed(Probe):
    """Discount: two steps, reward 1 at the end only; the values are gamma and 1. The agents see the time."""

    length: int = 2

    def features(self, state: ProbeState) -> jax.Array:
        return state.time.astype(jnp.float32)[None]

    def reward(self, state: ProbeState, actions: PerGroup, params: NoParams) -> PerGroup:
        last = (state.time == 1).astype(jnp.float32)
        return {name: jnp.full(n, last) for name, n in self.sizes}


@dataclass(frozen=True)
class TimeLimit(Probe):
    """Truncation: reward 1 for ever, cut every fourth step; the value is 1 / (1 - gamma), not four."""

    length: int = 4
    ends: str = "truncated"


@dataclass(frozen=True)
class Target(Probe):
    """Action: minus the squared distance to 0.5 times the signal."""

    signals: bool = True

    def reward(self, state: ProbeState, actions: PerGroup, params: NoParams) -> PerGroup:
        return {name: -jnp.square(actions[name][:, 0] - 0.5 * state.signal) for name, _ in self.sizes}


TARGETS = {"agent": (-0.6, 0.6), "left": (-0.5,), "right": (0.4, 0.0, -0.4)}


@dataclass(frozen=True)
class Coordination(Probe):
    """Credit: agents that see the same have targets of their own; `shared` pays all of them the mean."""

    sizes: tuple[tuple[str, int], ...] = (("agent", 2),)
    shared: bool = False

    def reward(self, state: ProbeState, actions: PerGroup, params: NoParams) -> PerGroup:
        own = {name: -jnp.square(actions[name][:, 0] - jnp.asarray(TARGETS[name])) for name, _ in self.sizes}
        if not self.shared:
            return own
        mean = jnp.mean(jnp.concatenate(list(own.values())))
        return {name: jnp.full(n, mean) for name, n in self.sizes}


@dataclass(frozen=True)
class Groups(Coordination):
    """Two groups of different sizes, which also see and do vectors of different lengths."""

    sizes: tuple[tuple[str, int], ...] = (("left", 1), ("right", 3))

    def observe(self, state: ProbeState, params: NoParams) -> PerGroup:
        return {"left": jnp.ones((1, 3)), "right": jnp.ones((3, 1))}

    def observation_space(self, params: NoParams) -> dict[str, Box]:
        return {"left": Box(-10.0, 10.0, (3,)), "right": Box(-10.0, 10.0, (1,))}

    def action_space(self, params: NoParams) -> dict[str, Space]:
        return {"left": Box(-1.0, 1.0, (2,)), "right": Box(-1.0, 1.0, (1,))}

    def observation_labels(self, params: NoParams) -> dict[str, tuple[str, ...]]:
        return {"left": ("a (1)", "b (1)", "c (1)"), "right": ("a (1)",)}


@dataclass(frozen=True)
class Recall(Probe):
    """Memory: the signal is shown in the first of three steps only, and the last is paid by it.

    Episodes end in a time limit: what is remembered must go with them.
    """

    length: int = 3
    signals: bool = True
    ends: str = "truncated"

    def features(self, state: ProbeState) -> jax.Array:
        return jnp.where(state.time == 0, state.signal, 0.0)[None]

    def reward(self, state: ProbeState, actions: PerGroup, params: NoParams) -> PerGroup:
        last = (state.time == self.length - 1).astype(jnp.float32)
        return {name: -last * jnp.square(actions[name][:, 0] - 0.5 * state.signal) for name, _ in self.sizes}


@dataclass(frozen=True)
class Choice(Probe):
    """Choices: of two entries with three levels each, the first is paid for the level that the signal points
    to, the second for the highest that is open. The mask opens the highest only where the signal is positive.
    """

    signals: bool = True
    masked: bool = True

    def action_space(self, params: NoParams) -> dict[str, Space]:
        return {name: Discrete(3, (2,)) for name, _ in self.sizes}

    def action_mask(self, state: ProbeState, params: NoParams) -> PerGroup:
        if not self.masked:
            return {}
        closed = jnp.ones((2, 3), bool).at[1, 2].set(state.signal > 0)
        return {name: jnp.broadcast_to(closed, (n, 2, 3)) for name, n in self.sizes}

    def reward(self, state: ProbeState, actions: PerGroup, params: NoParams) -> PerGroup:
        right = jnp.where(state.signal > 0, 0, 2)
        paid = {}
        for name, _ in self.sizes:
            level = actions[name][:, 1]
            # what is closed would pay most
            shut = self.masked & (level == 2) & (state.signal <= 0)
            paid[name] = (actions[name][:, 0] == right) + 0.5 * level + 10.0 * shut
        return paid


@dataclass(frozen=True)
class Mixed(Probe):
    """Reals and a choice: the square of the distance to a target that the choice sets; the right one is 1."""

    signals: bool = True

    def action_space(self, params: NoParams) -> dict[str, Space]:
        return {name: Hybrid(Box(-1.0, 1.0, (1,)), Discrete(2)) for name, _ in self.sizes}

    def reward(self, state: ProbeState, actions: PerGroup, params: NoParams) -> PerGroup:
        def paid(action: PerGroup) -> jax.Array:
            target = jnp.where(action["discrete"] == 1, 0.5, -0.5) * state.signal
            return action["discrete"] - jnp.square(action["continuous"][:, 0] - target)

        return {name: paid(actions[name]) for name, _ in self.sizes}


@dataclass(frozen=True)
class Whisper(Probe):
    """Attention: the signal is shown to the first agent alone, and all are paid for following it."""

    sizes: tuple[tuple[str, int], ...] = (("agent", 3),)
    signals: bool = True
    linked: bool = True  # all hear the first, rather than nobody but himself

    def observe(self, state: ProbeState, params: NoParams) -> PerGroup:
        return {name: jnp.zeros((n, 1)).at[0].set(state.signal) for name, n in self.sizes}

    def neighbours(self, params: NoParams) -> jax.Array:
        n = self.sizes[0][1]
        return jnp.zeros((n, n), bool).at[:, 0].set(self.linked)

    def reward(self, state: ProbeState, actions: PerGroup, params: NoParams) -> PerGroup:
        return {name: -jnp.square(actions[name][:, 0] - 0.5 * state.signal) for name, _ in self.sizes}


@dataclass(frozen=True)
class Bounded(Probe):
    """Constraint: an action of 0.9 pays best, but what is above zero costs, in units of its own."""

    def transition(
        self, key: jax.Array, state: ProbeState, actions: PerGroup, params: NoParams
    ) -> Transition:
        out = super().transition(key, state, actions, params)
        action = jnp.concatenate([actions[name][:, 0] for name, _ in self.sizes])
        paid = {name: -jnp.square(actions[name][:, 0] - 0.9) for name, _ in self.sizes}
        excess = 1000.0 * jnp.mean(jnp.maximum(action, 0.0))
        return out._replace(reward=paid, cost={"excess": excess, "nothing": jnp.zeros(())})
