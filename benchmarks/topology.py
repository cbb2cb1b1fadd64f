"""What a changed topology costs: compensation, inverses per scenario, Newton's method, and two peers.

    python -m benchmarks.topology [--networks case118 ...] [--name NAME]

Every branch out by itself (N-1) and random pairs (N-2), each batch solved by

    compensation    the shared inverse, Woodbury's identity for the branches that are out
    bank            one inverse per scenario, made beforehand (memory: that of all of them)
    inverse         one inverse per scenario, made in the run
    Newton          dense, with the topology of each scenario

to the same voltages (checked), interleaved with lightsim2grid's contingency analysis and pandapower's
`runpp`. Energised buses are known beforehand for all; their cost is a row of its own. Prints a table and
writes `benchmarks/results/topology-NAME.json`.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import os
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

# before JAX is loaded: XLA spreads batched LAPACK over threads of its own
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.machine import describe
from benchmarks.report import RESULTS, save
from gridjax.calibration import from_pandapower
from gridjax.network import Network
from gridjax.powerflow import newton, polar
from gridjax.powerflow.case import Case
from gridjax.powerflow.compensation import Compensation, compensate
from gridjax.powerflow.contingencies import branch_status
from gridjax.powerflow.equations import equations
from gridjax.powerflow.topology import energised

Array = Any

_NETWORKS = ("case33bw", "case118", "mv_oberrhein")
_PAIRS = 128
_ROUNDS = 3
_TOLERANCE = 1e-10


class OwnInverse(NamedTuple):
    """Outages with an inverse of every scenario's own instead of a compensated one."""

    outages: Compensation
    inverse: Array  # [batch, m, m], float32

    def without(self, drawn, *value):
        return self.outages.without(drawn, *value)

    def demanded(self, excess):
        return self.outages.demanded(excess)

    def correct(self, product, left):
        del product
        live = self.outages.live.astype(jnp.float32)
        left = left.astype(jnp.float32) * live
        return jnp.einsum("bij,jb->ib", self.inverse, left, precision=jax.lax.Precision.HIGHEST) * live


@partial(jax.jit, static_argnames="most")
def by_compensation(network: Network, solver, injection, status, live, most):
    outages = compensate(network, solver, status, live, most)
    return polar.find(solver, Case(injection), None, _TOLERANCE, 40, outages)


@partial(jax.jit, static_argnames="most")
def by_bank(network: Network, solver, injection, status, live, bank, most):
    outages = OwnInverse(compensate(network, solver, status, live, most), bank)
    return polar.find(solver, Case(injection), None, _TOLERANCE, 40, outages)  # pyright: ignore


@partial(jax.jit, static_argnames="most")
def by_inverse(network: Network, solver, injection, status, live, matrices, most):
    outages = OwnInverse(compensate(network, solver, status, live, most), jnp.linalg.inv(matrices))
    return polar.find(solver, Case(injection), None, _TOLERANCE, 40, outages)  # pyright: ignore


@jax.jit
def by_newton(network: Network, solver, injection, status, live):
    system = equations(network, solver.nominal, injection, branch_status=status, energised=live)
    found = newton.find(solver, system, jnp.zeros_like(injection), _TOLERANCE, 30)
    return found.deviation, found.iterations, jnp.where(found.change < _TOLERANCE, 0.0, jnp.inf)


@partial(jax.jit, static_argnames="most")
def inverses(network: Network, solver, status, live, most):
    """The inverse of every scenario, `[batch, m, m]`: what compensation makes of the unit vectors."""
    outages = compensate(network, solver, status, live, most)
    m, batch = solver.inverse.shape[0], status.shape[0]

    def of_column(unit):
        left = jnp.broadcast_to(unit[:, None], (m, batch)).astype(jnp.float32)
        free = outages._replace(live=jnp.ones_like(outages.live))
        return free.correct(lambda x: jnp.asarray(solver.inverse) @ x, left)

    return jnp.transpose(jax.lax.map(of_column, jnp.eye(m, dtype=jnp.float32)), (2, 1, 0))


def methods(network: Network, status: Array, most: int) -> dict[str, Callable[[], Any]]:
    """A call per method, each to (e, iterations, error) of all scenarios."""
    injection = jnp.broadcast_to(jnp.asarray(network.nominal_injection), (status.shape[0], network.n_bus))
    status, live = jnp.asarray(status), jax.jit(energised)(network, status)
    solver, reference = polar.prepare_polar(network), newton.prepare_newton(network)
    bank = inverses(network, solver, status, live, most)
    matrices = jnp.asarray(np.linalg.inv(np.asarray(bank, float)), jnp.float32)
    given = (injection, status, live)
    return {
        "compensation": lambda: by_compensation(network, solver, *given, most),
        "bank": lambda: by_bank(network, solver, *given, bank, most),
        "inverse": lambda: by_inverse(network, solver, *given, matrices, most),
        "Newton": lambda: by_newton(network, reference, *given),
        "energised": lambda: jax.jit(energised)(network, status),
    }


def lightsim(net: Any, network: Network, rows: np.ndarray) -> Callable[[], Any] | None:
    """lightsim2grid's contingency analysis of lines and transformers; `None` where it refuses the network."""
    try:
        from lightsim2grid.lightsim2grid_cpp import ContingencyAnalysisCPP
        from lightsim2grid.network import init_from_pandapower

        model = init_from_pandapower(net)
        start = model.ac_pf(np.full(model.total_bus(), 1.0 + 0j), 20, _TOLERANCE)
        if not len(start):
            return None
        n_line = len(net.line)
        numbers = {f"line {i}": k for k, i in enumerate(net.line.index)}
        numbers |= {f"trafo {i}": n_line + k for k, i in enumerate(net.trafo.index)}
        outages = [[numbers[network.branch_labels[b]] for b in row if b >= 0] for row in rows]
    except Exception as error:  # whatever a peer cannot do is reported, not raised
        print(f"lightsim2grid does not take {network.name}: {error}")
        return None

    def run():
        analysis = ContingencyAnalysisCPP(model)
        for outage in outages:
            analysis.add_nk(outage)
        analysis.compute(start, 20, _TOLERANCE)
        return analysis

    return run


def pandapower_each(net: Any, network: Network, rows: np.ndarray) -> float:
    """Seconds per outage of `runpp`, from the first few."""
    import pandapower as pp

    pp.runpp(net)  # what it compiles does not count
    net = copy.deepcopy(net)
    few = rows[:: max(1, len(rows) // 12)]
    began = time.perf_counter()
    for row in few:
        parts = [network.branch_labels[b].split() for b in row if b >= 0]
        for table, index in parts:
            net[table].loc[int(index), "in_service"] = False
        with contextlib.suppress(pp.LoadflowNotConverged):
            pp.runpp(net, tolerance_mva=1e-8, calculate_voltage_angles=True)
        for table, index in parts:
            net[table].loc[int(index), "in_service"] = True
    return (time.perf_counter() - began) / len(few)


def measure(name: str) -> list[dict[str, Any]]:
    import pandapower.networks

    net = getattr(pandapower.networks, name)()
    network = from_pandapower(net, name)[0]
    random = np.random.default_rng(0)
    pairs = np.array([random.choice(network.n_branch, 2, replace=False) for _ in range(_PAIRS)])
    results = []
    for kind, rows in (("N-1", np.arange(network.n_branch)[:, None]), ("N-2", pairs)):
        status = branch_status(network, rows)
        calls = methods(network, status, rows.shape[1])
        peer = lightsim(net, network, rows)
        if peer is not None:
            calls["lightsim2grid"] = peer
        best, found = dict.fromkeys(calls, np.inf), {}
        for _ in range(_ROUNDS + 1):  # the first one compiles
            for method, call in calls.items():
                began = time.perf_counter()
                found[method] = jax.block_until_ready(call()) if method != "lightsim2grid" else call()
                best[method] = min(best[method], time.perf_counter() - began)
        truth, _, wrong = map(np.asarray, found["Newton"])
        live = np.asarray(found["energised"])
        for method, seconds in best.items():
            row = {"network": name, "outages": kind, "method": method, "scenarios": len(rows)}
            row["us_per_scenario"] = 1e6 * seconds / len(rows)
            if method in ("compensation", "bank", "inverse", "Newton"):
                e, iterations, error = map(np.asarray, found[method])
                good = (error < _TOLERANCE) & (wrong < _TOLERANCE)
                row["converged"] = int((error < _TOLERANCE).sum())
                row["iterations"] = float(iterations.mean())
                row["error"] = float(np.abs(np.where(live, e - truth, 0.0))[good].max(initial=0.0))
            if method == "lightsim2grid":
                row["converged"] = int(found[method].nb_converged())
            results.append(row)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            each = pandapower_each(net, network, rows)
        results.append(
            {
                "network": name,
                "outages": kind,
                "method": "pandapower",
                "scenarios": len(rows),
                "us_per_scenario": 1e6 * each,
            }
        )
        for row in results[-len(calls) - 1 :]:
            error = row.get("error", float("nan"))
            print(
                f"{name:14s} {kind} {row['method']:14s} {row['us_per_scenario']:10.1f} us"
                f" {row.get('converged', ''):>5} of {row['scenarios']:4d}"
                f" {row.get('iterations', float('nan')):6.1f} iterations {error:8.1e}",
                flush=True,
            )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # pyright: ignore
    parser.add_argument("--networks", nargs="+", default=list(_NETWORKS))
    parser.add_argument("--name", default=jax.default_backend())
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    results = [row for name in arguments.networks for row in measure(name)]
    path = RESULTS / f"topology-{arguments.name}.json"
    save({"machine": describe(("pandapower", "lightsim2grid")), "results": results}, path)
    print(path)


if __name__ == "__main__":
    main()
