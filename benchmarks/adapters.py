"""Steps per second of each adapter beside the native loop: `python -m benchmarks.adapters --help`.

Prints a table and writes `benchmarks/results/adapters-NETWORK-PLATFORM.json`. All rows step the same task
with random actions, in one process, interleaved round by round; quote their ratios. Adapters that hold an
episode on the host pay for going there and back in every step, whatever the batch.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, save
from benchmarks.throughput import Row

PACKAGES = ("gymnasium", "pettingzoo", "jaxmarl", "gymnax")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--network", default="case33bw")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 64, 1024])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=64, help="environment steps in one call")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()

    from benchmarks import machine
    from gridjax.evaluation.tables.adapters import adapters_table

    machine.use_cores(1)
    load = os.getloadavg()[0]
    rows = [row for batch in options.batches for row in _rows(options.network, batch, options.steps)]
    for row in rows:
        began = time.perf_counter()
        row.call()
        row.compile_seconds = time.perf_counter() - began
    for _ in range(options.rounds):
        for row in rows:
            began = time.perf_counter()
            row.call()
            row.rates = [*(row.rates or []), row.count / (time.perf_counter() - began)]

    report = {
        "task": "VoltageControl-v0",
        "network": options.network,
        "precision": "float32",
        **machine.describe(PACKAGES),
        "load_before": round(load, 1),
        "steps_per_call": options.steps,
        "rounds": options.rounds,
        "rows": [row.record() for row in rows],
    }
    print(adapters_table(report))
    out = options.out or RESULTS / f"adapters-{options.network}-{report['platform']}.json"
    save(report, out)
    print(f"\nwritten to {out}")


def _rows(network: str, batch: int, steps: int) -> list[Row]:
    """The native loop and every adapter that steps `batch` environments at once."""
    import gridjax
    from gridjax.interop.gymnasium import GridEnv, GridVectorEnv
    from gridjax.interop.gymnax import GridGymnax
    from gridjax.interop.jaxmarl import GridMARL
    from gridjax.interop.pettingzoo import ParallelGrid

    env, params = gridjax.make("VoltageControl-v0", network=network)
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("native", _native(env, params, batch, steps)),
        ("gymnax", _gymnax(GridGymnax(env, params), batch, steps)),
        ("JaxMARL", _jaxmarl(GridMARL(env, params), batch, steps)),
        ("Gymnasium, VectorEnv", _gymnasium(GridVectorEnv(env, params, batch), steps)),
    ]
    if batch == 1:
        calls.append(("Gymnasium, Env", _gymnasium(GridEnv(env, params), steps)))
        calls.append(("PettingZoo, ParallelEnv", _pettingzoo(ParallelGrid(env, params), steps)))
    return [Row(name, batch, "steps", batch * steps, call) for name, call in calls]


def _scanned(reset: Any, step: Any, sample: Any, params: Any, batch: int, steps: int) -> Callable[[], Any]:
    """A compiled loop: `step(key, state, action, params)` gives observation, state, reward, ...; its sums."""
    import jax
    import jax.numpy as jnp

    @jax.jit
    def run(key: jax.Array, params: Any) -> Any:
        first, key = jax.random.split(key)
        _, state = jax.vmap(reset, (0, None))(jax.random.split(first, batch), params)

        def one(state: Any, key: jax.Array) -> Any:
            keys = jax.random.split(key, (2, batch))
            observation, state, reward, *_ = jax.vmap(step, (0, 0, 0, None))(
                keys[0], state, jax.vmap(sample)(keys[1]), params
            )
            # nothing of the step is dead code
            return state, jax.tree.map(jnp.sum, (observation, reward))

        return jax.lax.scan(one, state, jax.random.split(key, steps))[1]

    params = jax.tree.map(jnp.asarray, params)
    return lambda: jax.block_until_ready(run(jax.random.key(0), params))


def _native(env: Any, params: Any, batch: int, steps: int) -> Callable[[], Any]:
    import jax

    spaces = env.action_space(params)

    def sample(key: jax.Array) -> Any:
        return {g: jax.vmap(spaces[g].sample)(jax.random.split(key, n)) for g, n in env.groups.items()}

    return _scanned(env.reset, env.step, sample, params, batch, steps)


def _gymnax(env: Any, batch: int, steps: int) -> Callable[[], Any]:
    params = env.default_params
    return _scanned(env.reset, env.step, env.action_space(params).sample, params, batch, steps)


def _jaxmarl(env: Any, batch: int, steps: int) -> Callable[[], Any]:
    import jax

    def sample(key: jax.Array) -> Any:
        keys = jax.random.split(key, env.num_agents)
        return {name: env.action_space(name).sample(k) for name, k in zip(env.agents, keys)}

    def reset(key: jax.Array, params: Any) -> Any:
        del params
        return env.reset(key)

    def step(key: jax.Array, state: Any, actions: Any, params: Any) -> Any:
        del params
        return env.step(key, state, actions)

    return _scanned(reset, step, sample, None, batch, steps)


def _gymnasium(env: Any, steps: int) -> Callable[[], Any]:
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(steps)]

    def run() -> None:
        env.reset()  # steps are fewer than an episode has
        for action in actions:
            env.step(action)

    return run


def _pettingzoo(env: Any, steps: int) -> Callable[[], Any]:
    env.reset(seed=0)
    actions = [{name: env.action_space(name).sample() for name in env.agents} for _ in range(steps)]

    def run() -> None:
        env.reset()
        for action in actions:
            env.step(action)

    return run


if __name__ == "__main__":
    main()
