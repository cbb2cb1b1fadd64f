"""Steps and power flows per second against batch size: `python -m benchmarks.throughput --help`.

Prints a table and writes `benchmarks/results/throughput-<device>.json`. Rows of one run were measured on
one machine, interleaved round by round; quote their ratios. pandapower and lightsim2grid solve the same
scenarios as the environment stepped through, in the same process.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, save


@dataclass
class Row:
    """One thing that is timed."""

    name: str
    batch: int
    unit: str
    count: int  # units in one call
    call: Callable[[], Any]
    compile_seconds: float = 0.0
    rates: list[float] | None = None

    def record(self) -> dict[str, Any]:
        rates = sorted(self.rates or [0.0])
        return {
            "name": self.name,
            "batch": self.batch,
            "unit": self.unit,
            "per_second_median": rates[len(rates) // 2],
            "per_second_best": rates[-1],
            "compile_seconds": round(self.compile_seconds, 2),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--network", default="case33bw")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 64, 1024, 4096, 16384])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=32, help="environment steps in one compiled call")
    parser.add_argument(
        "--devices", type=int, default=None, help="CPU devices to share a batch; default: cores"
    )
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()

    from benchmarks import machine
    from gridjax.evaluation.tables.throughput import throughput_table

    machine.use_cores(options.devices)
    rows = [row for batch in options.batches for row in _ours(options.network, batch, options.steps)]
    if not options.no_peers:
        rows += _peers(options.network)
    for _ in range(options.rounds):
        for row in rows:
            began = time.perf_counter()
            row.call()
            row.rates = [*(row.rates or []), row.count / (time.perf_counter() - began)]

    report = {
        "network": options.network,
        "precision": "float32",
        **machine.describe(("pandapower", "lightsim2grid")),
        "steps_per_call": options.steps,
        "rounds": options.rounds,
        "rows": [row.record() for row in rows],
    }
    print(throughput_table(report))
    name = f"throughput-{options.network}-{report['platform']}.json"
    out = options.out or RESULTS / name
    save(report, out)
    print(f"\nwritten to {out}")


def _ours(network: str, batch: int, steps: int) -> list[Row]:
    """Rows of power flow, environment and training at one batch size, compiled."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.sharding import Mesh, PartitionSpec

    import gridjax
    from gridjax.learners import MAPPO

    env, params = gridjax.make("VoltageControl-v0", network=network)
    params = jax.tree.map(jnp.asarray, params)
    count = jax.local_device_count() if batch % jax.local_device_count() == 0 else 1
    mesh = Mesh(np.array(jax.local_devices()[:count]), ("env",))
    share, whole = PartitionSpec("env"), PartitionSpec()

    def spread(function, specs):
        if count == 1:
            return jax.jit(function)
        return jax.jit(jax.shard_map(function, mesh=mesh, in_specs=specs, out_specs=share, check_vma=False))

    def start(keys, params):
        return jax.vmap(env.reset, (0, None))(keys, params)

    def run(keys, obs, state, params):
        """Actions a linear function of the observation, so that nothing of the step is dead code."""

        def step(carry, _):
            keys, obs, state = carry
            keys, step_keys = jnp.moveaxis(jax.vmap(jax.random.split)(keys), 1, 0)
            actions = {name: jnp.tanh(0.1 * value[..., :1]) for name, value in obs.items()}
            obs, state, reward, *_ = jax.vmap(env.step, (0, 0, 0, None))(step_keys, state, actions, params)
            return (keys, obs, state), jax.tree.map(lambda r: r.sum(-1), reward)

        carry, reward = jax.lax.scan(step, (keys, obs, state), length=steps)
        return (*carry, jax.tree.map(lambda r: r.sum(0), reward))

    def flows(state, params):
        """As many independent power flows as there were steps, each from the nominal state."""

        def one(total, scale):
            rest = jnp.zeros_like(state.deviation)
            solved, moved = jax.vmap(env.flow, (0, 0, 0, 0, None))(
                state.demand * scale, state.sun, state.reactive, rest, params
            )
            return total + moved + solved[:, 0], None

        return jax.lax.scan(one, jnp.zeros(state.day.shape), jnp.linspace(0.5, 1.5, steps))[0]

    keys = jax.random.split(jax.random.key(0), batch)
    obs, state = spread(start, (share, whole))(keys, params)
    run, flows = spread(run, (share, share, share, whole)), spread(flows, (share, whole))
    rows = [
        Row("power flow", batch, "flows", batch * steps, lambda: jax.block_until_ready(flows(state, params))),
        Row(
            "environment step",
            batch,
            "steps",
            batch * steps,
            lambda: jax.block_until_ready(run(keys, obs, state, params)),
        ),
    ]
    if 64 <= batch <= 4096:
        learner = MAPPO.create(
            env, params, num_envs=batch, num_steps=16, num_epochs=4, num_minibatches=4, gamma=0.3
        )
        held = [learner.init(jax.random.key(0))]

        def train():
            held[0], _ = learner.update(held[0])
            jax.block_until_ready(held[0])

        rows.append(Row("trained step, MAPPO", batch, "steps", learner.steps_per_update, train))
    for row in rows:
        began = time.perf_counter()
        row.call()
        row.compile_seconds = time.perf_counter() - began
    return rows


def _peers(network: str, number: int = 96) -> list[Row]:
    """pandapower (recycled) and lightsim2grid (batch) on the scenarios of one day, one core each."""
    import numpy as np

    import gridjax
    from benchmarks.peers import build, lightsim2grid, pandapower
    from gridjax.scenarios import held_out_days

    env, params = gridjax.make("VoltageControl-v0", network=network)
    n = env.n_bus
    rows_of_day = int(held_out_days()[60]) * env.rows_per_day + np.arange(number)
    demand = np.asarray(params.demand)[rows_of_day]
    sun = np.asarray(params.sun)[rows_of_day]
    injection = -(demand[:, :n] + 1j * demand[:, n:])
    injection[:, np.asarray(params.pv_bus)] += sun
    case = build(network, everywhere=True)
    tolerance = 1e-7 / float(case.network.base_mva)
    repeated = np.tile(injection, (64, 1))
    rows = []
    for name, make, scenarios in (
        ("pandapower, recycled", lambda: pandapower.Plain(case, True, tolerance), injection),
        ("lightsim2grid, batch", lambda: lightsim2grid.default(case, tolerance), repeated),
    ):
        try:
            peer = make()
            peer.set_injection(scenarios)
            peer.solve()
        except ImportError as error:
            print(f"{name} left out: {error}")
            continue
        if np.isnan(peer.voltage()).any():
            raise RuntimeError(f"{name} did not solve the scenarios")
        rows.append(
            Row(name, 1 if scenarios is injection else len(scenarios), "flows", len(scenarios), peer.solve)
        )
    return rows


if __name__ == "__main__":
    main()
