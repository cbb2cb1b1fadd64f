"""A trained policy on its own: actor parameters, observation statistics and the network's description."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax

from gridjax.learners import distribution
from gridjax.learners.layout import Layout
from gridjax.learners.networks import Actor
from gridjax.learners.normalise import RunningStats, normalise


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Policy:
    """A pytree that maps observations to actions; `jax.vmap` runs over policies of several seeds."""

    params: Any
    statistics: dict[str, RunningStats]
    actor: Actor = field(metadata={"static": True})
    normalise_observations: bool = field(metadata={"static": True})

    @property
    def layout(self) -> Layout:
        """Groups and sizes the policy was trained for."""
        return self.actor.layout

    def __call__(
        self,
        observation: dict[str, jax.Array],
        key: jax.Array | None = None,
    ) -> dict[str, jax.Array]:
        """See `act`."""
        return act(self, observation, key)


def act(
    policy: Policy, observation: dict[str, jax.Array], key: jax.Array | None = None
) -> dict[str, jax.Array]:
    """Actions in [-1, 1], dict of `[..., n_agents, n_action]`, for observations `[..., n_agents, n]`.

    Deterministic without a key, sampled with one. Observations are normalised as in training.
    """
    if policy.normalise_observations:
        observation = {name: normalise(policy.statistics[name], x) for name, x in observation.items()}
    heads: Any = policy.actor.apply({"params": policy.params}, observation)
    if key is None:
        return {name: distribution.mode(mean) for name, (mean, _) in heads.items()}
    return {name: distribution.squash(u) for name, u in sample_actions(key, heads).items()}


def sample_actions(key: jax.Array, heads: dict[str, tuple[jax.Array, jax.Array]]) -> dict[str, jax.Array]:
    """Samples before tanh for every group's mean and log standard deviation, each with a key of its own."""
    keys = jax.random.split(key, len(heads))
    return {name: distribution.sample(k, *heads[name]) for k, name in zip(keys, heads)}
