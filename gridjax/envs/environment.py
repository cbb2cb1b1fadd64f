"""The environment contract: pure functions of key, state, actions and params.

A task is a frozen, hashable subclass of `Environment`. Numbers live in its `params` pytree, so that
`jax.vmap` runs over grids, profiles, prices and reward weights; structure lives in the class.

    env, params = gridjax.make("VoltageControl-v0", network="case33bw")
    obs, state = env.reset(key, params)
    obs, state, reward, terminated, truncated, info = env.step(key, state, actions, params)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from gridjax.envs.spaces import Box, Hybrid, Space, numbered

State = TypeVar("State")
Params = TypeVar("Params")
PerGroup = dict[str, jax.Array]


class Transition(NamedTuple):
    """What one step of the task itself yields, before any reset."""

    state: Any
    reward: PerGroup  # [n_agents] per group
    terminated: jax.Array  # [], bool: the grid failed
    truncated: jax.Array  # [], bool: time ran out
    cost: dict[str, jax.Array]  # named, [], >= 0
    metrics: dict[str, jax.Array]  # named physical quantities, [] or with an axis of their own


class Environment(ABC, Generic[State, Params]):
    """A multi-agent task. Subclasses are frozen dataclasses and write the abstract methods only."""

    metrics_told: ClassVar[Mapping[str, str]] = {}  # see `metric_labels`
    costs_told: ClassVar[Mapping[str, str]] = {}  # see `cost_labels`

    @property
    @abstractmethod
    def name(self) -> str:
        """The registered name, such as `"VoltageControl-v0"`."""

    @property
    @abstractmethod
    def groups(self) -> Mapping[str, int]:
        """Number of agents in each group (type) of agents."""

    @abstractmethod
    def initial(self, key: jax.Array, params: Params) -> State:
        """First state of the episode that `key` determines. Must not solve a power flow."""

    @abstractmethod
    def transition(self, key: jax.Array, state: State, actions: PerGroup, params: Params) -> Transition:
        """One step of the task, with at most one power flow, without reset.

        `actions` are `[n_agents, *shape]` per group, as in `step`.
        """

    @abstractmethod
    def observe(self, state: State, params: Params) -> PerGroup:
        """Observations `[n_agents, n_entries]` per group."""

    def global_state(self, state: State, params: Params) -> jax.Array:
        """Input of a central critic, `[n_entries]`, once per environment.

        What all agents observe, one after another, where a task does not say more.
        """
        return jnp.concatenate([jnp.ravel(seen) for seen in self.observe(state, params).values()])

    @abstractmethod
    def observation_space(self, params: Params) -> dict[str, Box]:
        """Space of one agent's observation, per group."""

    @abstractmethod
    def action_space(self, params: Params) -> dict[str, Space]:
        """Space of one agent's action, per group."""

    @abstractmethod
    def observation_labels(self, params: Params) -> dict[str, tuple[str, ...]]:
        """Name and unit of every entry of an agent's observation, per group."""

    def action_labels(self, params: Params) -> dict[str, tuple[str, ...]]:
        """What every entry of an agent's action does, with what 1 is; reals before choices, per group."""
        return {name: numbered(space) for name, space in self.action_space(params).items()}

    def metric_labels(self, params: Params) -> dict[str, str]:
        """What each of `info["metrics"]` is, with its unit in brackets; none where a task does not say."""
        del params
        return dict(self.metrics_told)

    def cost_labels(self, params: Params) -> dict[str, str]:
        """What each of `info["cost"]` is, with its unit in brackets; none where a task does not say."""
        del params
        return dict(self.costs_told)

    def action_mask(self, state: State, params: Params) -> PerGroup:
        """What may be chosen, for groups with choices that are not always all open.

        Bool `[n_agents, *shape, n]` for a space `Discrete(n, shape)`, or the discrete part of a `Hybrid`. An
        action that the mask forbids must still be taken somehow: learners never draw it, others may.
        """
        del state, params
        return {}

    def neighbours(self, params: Params) -> jax.Array | None:
        """Whom agents have to do with: bool `[A, A]` over all groups in their order; None: all with all.

        Row i is true where agent i may attend to agent j.
        """
        del params
        return None

    def staggered(self, params: Params) -> Params:
        """Params under which an episode begins anywhere between its first and its last step.

        A learner starts its environments with them, so that episodes of one length are not in phase. A task
        that has nothing to tell its hours apart by leaves them as they are.
        """
        return params

    def on_case(self, params: Params, case: jax.Array | int) -> Params:
        """Params under which an episode is one whole case of those that a task is evaluated on.

        A case is a scalar: a day of the year where a task has days. A task without cases need not have this.
        """
        raise NotImplementedError(f"{self.name} has no cases to be evaluated on")

    @property
    def hours(self) -> float | None:
        """Length of a step, h; None where a task does not say."""
        return None

    @property
    def case_steps(self) -> int:
        """Steps of a case."""
        raise NotImplementedError(f"{self.name} has no cases to be evaluated on")

    def _check(self, actions: PerGroup, params: Params) -> None:
        named = ", ".join(repr(group) for group in self.groups)
        if not isinstance(actions, Mapping) or set(actions) != set(self.groups):
            found = list(actions) if isinstance(actions, Mapping) else f"of type {type(actions).__name__}"
            raise ValueError(f"actions are {found}, expected a dict with {named}")
        spaces = self.action_space(params)
        for group, number in self.groups.items():
            space, given = spaces[group], actions[group]
            both = isinstance(space, Hybrid)
            parts = {"continuous": space.continuous, "discrete": space.discrete} if both else {"": space}
            for part, one in parts.items():
                value = given[part] if both else given
                expected = (number, *one.shape)
                if jnp.shape(value) != expected:
                    where = f"actions[{group!r}]" + (f"[{part!r}]" if both else "")
                    raise ValueError(
                        f"{where} has shape {jnp.shape(value)}, expected {expected}; jax.vmap steps many "
                        "environments at once"
                    )

    def reset(self, key: jax.Array, params: Params) -> tuple[PerGroup, State]:
        """Start the episode of `key`: observations `[n_agents, n_entries]` per group, and state."""
        state = self.initial(key, params)
        return self.observe(state, params), state

    def step(
        self, key: jax.Array, state: State, actions: PerGroup, params: Params
    ) -> tuple[PerGroup, State, PerGroup, jax.Array, jax.Array, dict[str, Any]]:
        """Advance one step and reset where the episode ended.

        `actions` are `[n_agents, *shape]` per group, `shape` that of one agent's space.

        Returns observations, state, reward `[n_agents]` per group, `terminated` and `truncated`
        (scalar booleans), and `info` with `cost`, `metrics`, and the observation and global state
        from before any reset (`final_observation`, `final_global_state`), always present.
        Raises `ValueError` for actions of other groups or shapes.
        """
        out, after = self.advance(key, state, actions, params)
        info = {
            "final_observation": self.observe(out.state, params),
            "final_global_state": self.global_state(out.state, params),
            "cost": out.cost,
            "metrics": out.metrics,
        }
        return self.observe(after, params), after, out.reward, out.terminated, out.truncated, info

    def advance(
        self, key: jax.Array, state: State, actions: PerGroup, params: Params
    ) -> tuple[Transition, State]:
        """`step` without observations: the transition itself, and the state after any reset.

        `actions` are `[n_agents, *shape]` per group, as in `step`, and so are errors.
        """
        self._check(actions, params)
        step_key, reset_key = jax.random.split(key)
        out = self.transition(step_key, state, actions, params)
        done = out.terminated | out.truncated
        fresh = self.initial(reset_key, params)
        return out, jax.tree.map(lambda new, old: jnp.where(done, new, old), fresh, out.state)
