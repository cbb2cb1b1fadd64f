"""One learner on many devices: its environments are shared among them, everything else is on each.

The program is one and the same, written for all environments at once; XLA divides it by where its arguments
lie and sums gradients and statistics over the devices. With several processes every one of them calls the
same functions after `jax.distributed.initialize`, and sees the devices of all.

    mesh = learning_mesh(learner)                    # all devices of all processes
    state = shard(learner, mesh, jax.random.key(0))  # instead of learner.init(key)
    state, metrics = learner.update(state)           # as ever
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from gridjax.learners.train_state import TrainState

if TYPE_CHECKING:
    from gridjax.learners.mappo import MAPPO

AXIS = "environment"


def learning_mesh(learner: MAPPO, devices: list[Any] | None = None) -> Mesh:
    """`devices`, by default those of all processes, in one row.

    Raises `ValueError` where the environments do not divide evenly among them.
    """
    devices = jax.devices() if devices is None else devices
    if learner.num_envs % len(devices):
        raise ValueError(
            f"num_envs: got {learner.num_envs}, expected a multiple of the {len(devices)} devices"
        )
    return Mesh(np.array(devices), (AXIS,))


def shard(learner: MAPPO, mesh: Mesh, key: jax.Array) -> TrainState:
    """As `learner.init(key)`, with every device holding its environments."""
    return jax.jit(learner.init, out_shardings=placement(learner, mesh))(key)


def placement(learner: MAPPO, mesh: Mesh, leading: int = 0) -> TrainState:
    """Where every leaf of a `TrainState` lies: a pytree of shardings.

    `leading` axes, such as one of seeds, come before those of the state and are not divided.
    """
    whole = NamedSharding(mesh, PartitionSpec())
    shared = NamedSharding(mesh, PartitionSpec(*(None,) * leading, AXIS))
    shapes = jax.eval_shape(learner.init, jax.random.key(0))

    def everywhere(tree: Any) -> Any:
        return jax.tree.map(lambda _: whole, tree)

    def divided(tree: Any) -> Any:
        return jax.tree.map(lambda _: shared, tree)

    return replace(
        everywhere(shapes),
        env_state=divided(shapes.env_state),
        observation=divided(shapes.observation),
        memory=divided(shapes.memory),
        episodes=replace(
            everywhere(shapes.episodes),
            running_return=shared,
            running_length=shared,
        ),
    )
