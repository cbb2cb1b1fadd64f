"""Steps and power flows per second against batch size: `python -m benchmarks.throughput --help`.

Prints a table and writes `benchmarks/results/throughput-<device>.json`. Rows of one run were measured on
one machine, interleaved round by round; quote their ratios. pandapower and lightsim2grid solve the same
scenarios as the environment stepped through, in the same process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


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

    import jax

    from gridjax.evaluation.report import throughput_table

    cores = len(os.sched_getaffinity(0))
    if os.environ.get("JAX_PLATFORMS", "").startswith("cpu") or not _has_accelerator():
        jax.config.update("jax_num_cpu_devices", options.devices or cores)
    device = jax.devices()[0]
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
        "device": device.device_kind,
        "platform": device.platform,
        "devices": jax.local_device_count(),
        "cores": cores,
        "machine": platform.machine(),
        "versions": {name: _version(name) for name in ("gridjax", "jax", "pandapower", "lightsim2grid")},
        "steps_per_call": options.steps,
        "rounds": options.rounds,
        "rows": [row.record() for row in rows],
    }
    print(throughput_table(report))
    name = f"throughput-{options.network}-{device.platform}.json"
    out = options.out or RESULTS / name
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial")
    partial.write_text(json.dumps(report, indent=1) + "\n")
    os.replace(partial, out)
    print(f"\nwritten to {out}")


def _has_accelerator() -> bool:
    import importlib.util

    return any(
        importlib.util.find_spec(name)
        for name in ("jax_cuda13_plugin", "jax_cuda12_plugin", "jax_rocm7_plugin")
    )


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
    """pandapower (recycled) and lightsim2grid (batch) on the scenarios of one day."""
    import numpy as np

    import gridjax
    from gridjax.calibration.sources import SOURCES
    from gridjax.scenarios import held_out_days

    env, params = gridjax.make("VoltageControl-v0", network=network)
    n = env.n_bus
    rows_of_day = int(held_out_days()[60]) * env.rows_per_day + np.arange(number)
    demand = np.asarray(params.demand)[rows_of_day]
    sun = np.asarray(params.sun)[rows_of_day]
    injection = -(demand[:, :n] + 1j * demand[:, n:])
    injection[:, np.asarray(params.pv_bus)] += sun
    base = float(params.network.base_mva)
    rows = [_pandapower(SOURCES[network].build(), params.network, injection, base)]
    try:
        rows.append(_lightsim2grid(SOURCES[network].build(), params.network, injection, base))
    except ImportError as error:
        print(f"lightsim2grid left out: {error}")
    return rows


def _with_one_load_per_bus(net: Any, network: Any) -> list[int]:
    """Replace the loads of a pandapower network by one per bus; returns its buses, row by row."""
    import pandapower

    net.load.drop(net.load.index, inplace=True)
    bus_of_row: dict[int, int] = {}
    for bus, row in network.bus_index.items():
        bus_of_row.setdefault(row, bus)
    rows = sorted(bus_of_row)
    pandapower.create_loads(net, [bus_of_row[row] for row in rows], p_mw=0.0, q_mvar=0.0)
    return rows


def _pandapower(net: Any, network: Any, injection: Any, base: float) -> Row:
    import pandapower

    rows = _with_one_load_per_bus(net, network)
    load = -injection[:, rows] * base
    numba = _version("numba") is not None
    net.load["p_mw"], net.load["q_mvar"] = load[0].real, load[0].imag
    recycle = {"bus_pq": True, "trafo": False, "gen": False}
    pandapower.runpp(net, numba=numba)  # fills what the recycled runs reuse

    def call():
        for state in load:
            net.load["p_mw"], net.load["q_mvar"] = state.real, state.imag
            pandapower.runpp(net, numba=numba, recycle=recycle, tolerance_mva=1e-7)

    call()
    return Row("pandapower, recycled", 1, "flows", len(load), call)


def _lightsim2grid(net: Any, network: Any, injection: Any, base: float) -> Row:
    import numpy as np
    import pandapower
    from lightsim2grid.lightsim2grid_cpp import TimeSeriesCPP
    from lightsim2grid.network import init_from_pandapower

    rows = _with_one_load_per_bus(net, network)
    pandapower.runpp(net, numba=False)
    model = init_from_pandapower(net)
    load = -injection[:, rows] * base
    load_p, load_q = np.ascontiguousarray(load.real), np.ascontiguousarray(load.imag)
    repeats = 64
    load_p, load_q = np.tile(load_p, (repeats, 1)), np.tile(load_q, (repeats, 1))
    generators = np.zeros((len(load_p), len(model.get_generators())))
    static = np.zeros((len(load_p), len(model.get_static_generators())))
    start = np.ones(model.total_bus(), complex)
    series = TimeSeriesCPP(model)

    def call():
        return series.compute_Vs(generators, static, load_p, load_q, start, 20, 1e-7 / base)

    if not call():
        raise RuntimeError("lightsim2grid did not solve the scenarios")
    return Row("lightsim2grid, time series", len(load_p), "flows", len(load_p), call)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
