"""How SmartGrid-v0 slows down as the community grows: `python -m benchmarks.communities`.

Environment steps, trained steps and power flows alone per second, with 5, 15, 55 and 200 agents. Rows were
measured on one machine, interleaved round by round. Prints a table and writes
`benchmarks/results/communities-<platform>.json`.
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

AGENTS = (5, 15, 55, 200)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--agents", type=int, nargs="+", default=AGENTS)
    parser.add_argument("--batch", type=int, default=128, help="environments")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=16, help="environment steps in one compiled call")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()

    from benchmarks import machine
    from gridjax.evaluation.tables.communities import communities_table

    machine.use_cores(1)
    load = os.getloadavg()[0]
    communities = [measured(agents, options.batch, options.steps) for agents in options.agents]
    for _ in range(options.rounds):
        for _, rows in communities:
            for row in rows:
                began = time.perf_counter()
                row.call()
                row.rates = [*(row.rates or []), row.count / (time.perf_counter() - began)]
    report = {
        "task": "SmartGrid-v0",
        "precision": "float32",
        **machine.describe(()),
        "batch": options.batch,
        "steps_per_call": options.steps,
        "rounds": options.rounds,
        "load_before": round(load, 2),
        "command": f"python -m benchmarks.communities --batch {options.batch} --steps {options.steps} "
        f"--rounds {options.rounds}",
        "communities": [about | {"rows": [row.record() for row in rows]} for about, rows in communities],
    }
    print(communities_table(report))
    out = options.out or RESULTS / f"communities-{report['platform']}.json"
    save(report, out)
    print(f"\nwritten to {out}")


def measured(agents: int, batch: int, steps: int) -> tuple[dict[str, Any], list[Row]]:
    """What the community is, and its rows, compiled."""
    import jax
    import jax.numpy as jnp

    import gridjax
    from gridjax.envs.smart_grid import GROUP
    from gridjax.envs.smart_grid.grid import run
    from gridjax.learners import MAPPO

    env, params = gridjax.make("SmartGrid-v0", agents=agents)

    @jax.jit
    def step_all(keys, obs, state, params):
        """Actions a linear function of the observation, so that nothing of the step is dead code."""

        def step(carry, _):
            keys, obs, state = carry
            keys, step_keys = jnp.moveaxis(jax.vmap(jax.random.split)(keys), 1, 0)
            actions = {GROUP: jnp.tanh(0.1 * obs[GROUP][..., : env.n_action])}
            obs, state, reward, *_ = jax.vmap(env.step, (0, 0, 0, None))(step_keys, state, actions, params)
            return (keys, obs, state), jnp.sum(reward[GROUP])

        return jax.lax.scan(step, (keys, obs, state), length=steps)

    @jax.jit
    def flows(state, params):
        """As many power flows, each from the nominal state."""

        def one(total, scale):
            drawn = state.now.demand * scale
            grid = jax.vmap(lambda d, s: run(d, 0.3 * d, s, params, env.max_iterations))(drawn, state)
            return total + grid.losses, None

        return jax.lax.scan(one, jnp.zeros(batch), jnp.linspace(0.5, 1.5, steps))[0]

    keys = jax.random.split(jax.random.key(0), batch)
    obs, state = jax.jit(jax.vmap(env.reset, (0, None)))(keys, params)
    learner = MAPPO.create(
        env, params, num_envs=batch, num_steps=16, num_epochs=4, num_minibatches=4, gamma=0.98
    )
    held = [learner.init(jax.random.key(0))]

    def train() -> None:
        held[0], _ = learner.update(held[0])
        jax.block_until_ready(held[0])

    def ready(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
        return lambda: jax.block_until_ready(function(*arguments))

    rows = [
        Row("power flow", batch, "flows", batch * steps, ready(flows, state, params)),
        Row("environment step", batch, "steps", batch * steps, ready(step_all, keys, obs, state, params)),
        Row("trained step, MAPPO", batch, "steps", learner.steps_per_update, train),
    ]
    for row in rows:
        began = time.perf_counter()
        row.call()
        row.compile_seconds = time.perf_counter() - began
    return {"agents": agents, "network": params.network.name, "buses": params.network.n_bus}, rows


if __name__ == "__main__":
    main()
