"""Training of several seeds in one compiled program: the pure part, without files or terminal.

Each device has its share of the seeds or, as the config says, of every seed's environments; those are shared
also among the devices of several processes. A chunk of updates is one call of a program whose length is an
argument, so that neither the length of a chunk nor a resume in between can change a bit of the result.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

import gridjax
from experiments.cases import Cases, validation_cases
from experiments.config import Config
from experiments.steering import environment_of
from experiments.versions import cpu_cores
from gridjax.envs import Environment
from gridjax.evaluation.acting import act_in_task
from gridjax.evaluation.rollout import Act, Recalling, score_days
from gridjax.learners import MAPPO, Policy, TrainState
from gridjax.learners.lagrangian import excess
from gridjax.learners.sharding import AXIS, learning_mesh, placement

# Counters and levels, of which a chunk reports the last; of everything else the mean.
_LAST = ("episode_return", "episode_length", "episodes", "learning_rate")
_SHOWN = {"controllable", "unserved_cost"}  # metrics of a validation, where a task has them


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Progress:
    """Everything that changes in a run, every leaf `[n_seed, ...]`: the content of a checkpoint."""

    state: TrainState
    best: Policy  # of the validations so far
    best_reward: jax.Array  # [n_seed], mean reward per step in validation, -inf before any
    best_excess: jax.Array  # [n_seed], of its costs over their bounds in validation, inf before any
    best_update: jax.Array  # [n_seed], int32


@dataclass(frozen=True)
class Trainer:
    """A learner for every seed of a config, on the devices there are."""

    task: Environment  # as every controller plays it
    learner: MAPPO  # in that task, or steering a rule in it
    seeds: tuple[int, ...]
    mesh: Mesh
    validation: Cases

    @classmethod
    def of(cls, config: Config) -> Trainer:
        """Raises `ValueError` for a task, network or setting that does not exist or is out of range."""
        env, params = gridjax.make(config.task.env, **config.task_options())
        acted_in = environment_of(config.learner, env, params)
        learner = MAPPO.create(acted_in, params, **config.learner_settings())
        seeds = tuple(config.run.seed + k for k in range(config.run.num_seeds))
        if jax.process_count() > 1 and config.run.divided != "environments":
            raise ValueError(
                f"divided is {config.run.divided!r}, expected 'environments' with several processes"
            )
        mesh = learning_mesh(learner) if config.run.divided == "environments" else _mesh(len(seeds))
        return cls(env, learner, seeds, mesh, validation_cases(env, params, config.run.validation_days))

    def start(self) -> Progress:
        """Progress before the first update; seed k does not depend on which others there are."""
        # One program, called once for each: under `vmap` or `lax.map` the last bits of the first weights and
        # observations would be those of another program, and change with their number.
        each = [jax.block_until_ready(self.learner.init(jax.random.key(seed))) for seed in self.seeds]
        return self.place(self._at_start(jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)))

    def shape(self) -> Any:
        """Shapes and types of `start()`."""
        keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), len(self.seeds)))
        return jax.eval_shape(lambda keys: self._at_start(jax.vmap(self.learner.init)(keys)), keys)

    def _at_start(self, state: TrainState) -> Progress:
        seeds = len(self.seeds)
        return Progress(
            state=state,
            best=jax.vmap(self.learner.policy)(state),
            best_reward=jnp.full(seeds, -jnp.inf),
            best_excess=jnp.full(seeds, jnp.inf),
            best_update=jnp.zeros(seeds, jnp.int32),
        )

    def place(self, progress: Progress) -> Progress:
        """`progress` with every device holding its seeds, or its environments of each seed."""
        if self.mesh.size == 1:
            return progress
        if AXIS in self.mesh.axis_names:
            return replace(progress, state=_divided(self.learner, self.mesh, progress.state))
        return jax.device_put(progress, NamedSharding(self.mesh, PartitionSpec("seed")))

    def policies(self, progress: Progress) -> Policy:
        """The newest policies, stacked over the seeds, on the host."""
        found = jax.vmap(lambda state: self.learner.policy(state))(progress.state)
        return jax.tree.map(np.asarray, found)

    def act(self, policy: Policy, seed: int | None = None) -> Act | Recalling:
        """What one policy does in the task when it is evaluated: deterministic, or sampled with `seed`."""
        return act_in_task(self.learner.env, policy, seed)

    def advance(self, progress: Progress, updates: int) -> tuple[Progress, dict[str, np.ndarray]]:
        """Do `updates` updates; metrics `[n_seed]` of them."""
        state, metrics = _advance(self.mesh, self.learner, progress.state, jnp.int32(updates))
        # arrays without elements do not come back where they lay, and the program would be compiled again
        progress = self.place(replace(progress, state=state))
        return progress, {name: np.asarray(x) for name, x in metrics.items()}

    def validate(self, progress: Progress, update: int) -> tuple[Progress, dict[str, np.ndarray]]:
        """Score every seed on the validation cases, and keep the best policies so far, as `ranked` has it."""
        policies, learner = self.policies(progress), self.learner
        found: dict[str, list[float]] = {"reward": [], "excess": []}
        for k in range(len(self.seeds)):
            scores = score_days(
                self.task,
                self.validation.params,
                self.act(at_seed(policies, k)),
                self.validation.rows,
                jax.random.key(0),
            )
            found["reward"].append(float(np.mean(scores.reward)))
            costs = {name: float(np.mean(scores.cost[name])) for name in learner.cost_bounds or ()}
            found["excess"].append(excess(learner.cost_bounds, costs, learner.cost_margin))
            for name, mean in costs.items():
                found.setdefault(f"cost/{name}", []).append(mean)
            for name in _SHOWN & scores.metrics.keys():
                found.setdefault(name, []).append(float(np.mean(scores.metrics[name])))
        reward, over = (jnp.asarray(found[name], jnp.float32) for name in ("reward", "excess"))
        old, new = (progress.best_reward, progress.best_excess), (reward, over)
        better = np.array([ranked(*pair)[0] == 1 for pair in zip(*np.stack([old, new], axis=-1))])

        def choose(new: jax.Array, old: jax.Array) -> jax.Array:
            return jnp.where(better.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

        progress = replace(
            progress,
            best=jax.tree.map(choose, policies, progress.best),
            best_reward=choose(reward, progress.best_reward),
            best_excess=choose(over, progress.best_excess),
            best_update=choose(jnp.full(len(self.seeds), update, jnp.int32), progress.best_update),
        )
        if not learner.cost_bounds:
            del found["excess"]
        return self.place(progress), {name: np.array(values, np.float32) for name, values in found.items()}


def ranked(reward: np.ndarray, excess: np.ndarray) -> np.ndarray:
    """Indices from the best validation to the worst, the earlier first among equals.

    Better is who keeps costs under their bounds, or goes less over them, and then who has the higher reward
    (Deb 2000).
    """
    return np.lexsort((-reward, excess))


def at_seed(tree: Any, k: int) -> Any:
    """Entry `k` of a pytree stacked over the seeds, on one device."""
    return jax.tree.map(lambda x: jnp.asarray(np.asarray(x)[k]), tree)


@partial(jax.jit, static_argnums=0)
def _advance(
    mesh: Mesh, learner: MAPPO, states: TrainState, updates: jax.Array
) -> tuple[TrainState, dict[str, jax.Array]]:
    many = jax.vmap(_advance_one, in_axes=(None, 0, None))
    if AXIS in mesh.axis_names:
        where = placement(learner, mesh, leading=1), NamedSharding(mesh, PartitionSpec())
        return jax.lax.with_sharding_constraint(many(learner, states, updates), where)
    if mesh.size > 1:
        # each device its own loops: one program over all would wait for the slowest power flow of them all
        share = PartitionSpec("seed")
        many = jax.shard_map(
            many,
            mesh=mesh,
            in_specs=(PartitionSpec(), share, PartitionSpec()),
            out_specs=share,
            check_vma=False,
        )
    return many(learner, states, updates)


def _advance_one(learner: MAPPO, state: TrainState, updates: jax.Array) -> Any:
    def update(_, carry):
        state, total, _ = carry
        state, metrics = learner.update(state)
        return state, jax.tree.map(jnp.add, total, metrics), metrics

    shapes = jax.eval_shape(lambda state: learner.update(state)[1], state)
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    state, total, last = jax.lax.fori_loop(0, updates, update, (state, zeros, zeros))
    return state, {name: last[name] if name in _LAST else x / updates for name, x in total.items()}


def _divided(learner: MAPPO, mesh: Mesh, states: TrainState) -> TrainState:
    """`states`, whole in every process, on the devices of all."""
    where = placement(learner, mesh, leading=1)

    def put(x: jax.Array, sharding: NamedSharding) -> jax.Array:
        if not x.is_fully_addressable:
            return x  # divided already
        if jax.process_count() == 1:
            return jax.device_put(x, sharding)
        if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(
                put(jax.random.key_data(x), sharding), impl=jax.random.key_impl(x)
            )
        host = np.asarray(x)
        return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index])

    return jax.tree.map(put, states, where)


def _mesh(seeds: int) -> Mesh:
    """As many of the local devices as divide the seeds evenly."""
    devices = jax.local_devices()
    number = max(n for n in range(1, min(seeds, len(devices)) + 1) if seeds % n == 0)
    return Mesh(np.array(devices[:number]), ("seed",))


def use_cpu_devices(config: Config) -> int:
    """Number of CPU devices to share the seeds among, made available if JAX has not started yet."""
    if config.run.divided == "environments":
        wanted = config.run.cpu_devices or 1
    else:
        wanted = config.run.cpu_devices or _devices_for(config.run.num_seeds)
    if wanted > 1 and "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        # where a caller has used JAX before, its devices stay as they are
        with contextlib.suppress(RuntimeError):
            jax.config.update("jax_num_cpu_devices", wanted)
    return wanted


def _devices_for(seeds: int) -> int:
    """CPU devices that share so many seeds well."""
    cores = cpu_cores()
    # more devices than cores share them well; seeds stacked on one device use but one core
    most = min(seeds, 4 * cores)
    return max(n for n in range(1, most + 1) if seeds % n == 0)
