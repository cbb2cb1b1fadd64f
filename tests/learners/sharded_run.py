"""Ten updates on so many devices, its parameters written to a file: run by `test_sharding`.

python -m tests.learners.sharded_run OUT DEVICES [CHECKPOINT] [PROCESSES PROCESS PORT]
"""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import numpy as np

from gridjax.learners import MAPPO, Checkpoints
from gridjax.learners.sharding import learning_mesh, shard

from .probes import NoParams, Recall

SETTINGS = {
    "num_envs": 8,
    "num_steps": 6,
    "num_minibatches": 2,
    "num_epochs": 2,
    "hidden": (8,),
    "architecture": "gru",
    "learning_rate": 3e-3,
}
UPDATES, HALF = 10, 5


def main(
    out: str, devices: int, checkpoint: str, processes: int = 1, process: int = 0, port: int = 0
) -> None:
    """Train, save half-way to `checkpoint` or go on from there, and write the parameters."""
    jax.config.update("jax_num_cpu_devices", devices // processes)
    if processes > 1:
        jax.distributed.initialize(f"localhost:{port}", processes, process)
    learner = MAPPO.create(Recall(sizes=(("agent", 2),)), NoParams(), **SETTINGS)
    mesh = learning_mesh(learner)
    assert mesh.size == devices
    state, done = shard(learner, mesh, jax.random.key(0)), 0
    if checkpoint and Path(checkpoint).exists():
        with Checkpoints(checkpoint, keep=1) as kept:
            state, done = kept.restore(HALF, like=state), HALF
    for update in range(done, UPDATES):
        state, _ = learner.update(state)
        if update + 1 == HALF and checkpoint and not done:
            with Checkpoints(checkpoint, keep=1) as kept:
                kept.save(HALF, state, {})
    if process == 0:
        leaves = jax.tree.leaves(state.params)
        np.savez(out, *(np.asarray(leaf) for leaf in leaves), updates=np.asarray(state.updates))


if __name__ == "__main__":
    given = sys.argv[1:]
    main(given[0], int(given[1]), given[2], *(int(x) for x in given[3:]))
