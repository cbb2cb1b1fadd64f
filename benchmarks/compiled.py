"""gridjax in the power-flow benchmark: called as a user would, compiled for every batch and precision."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from benchmarks.contender import RIGHT, Contender
from benchmarks.machine import cores
from benchmarks.operations import count
from benchmarks.peers import Case
from gridjax.powerflow import prepare, solve

Array = Any
TOLERANCE = {"float64": 1e-8, "float32": None}  # p.u. change of voltage; None: the default
_PATIENCE = 10.0  # seconds
_LARGE = 1024


class Ours:
    """A case with its solver prepared, and its contenders."""

    def __init__(self, case: Case, truth: Array, method: str = "auto"):
        self.case, self.truth = case, truth
        began = time.perf_counter()
        with jax.enable_x64(True):
            self.solver = prepare(case.network, method)
        self.prepare_seconds = time.perf_counter() - began
        self.solver_bytes = sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(self.solver))

        self.tolerance: dict[str, float | None] = {"float32": None}  # the default
        with jax.enable_x64(True):
            for digits in range(8, 12):  # as for the peers: the coarsest that is right
                self.tolerance["float64"] = 10.0**-digits
                found = jax.jit(partial(self.run, precision="float64"))(case.scenarios(len(truth)))
                if np.max(np.abs(np.asarray(found[0])[:, case.rows] - truth)) <= RIGHT:
                    break

    def run(self, injection: Array, precision: str) -> tuple[Array, Array, Array]:
        """Voltages, status and iterations: what is not asked for, the compiler leaves out."""
        flow = solve(self.case.network, injection, solver=self.solver, tolerance=self.tolerance[precision])
        return flow.voltage, flow.status, flow.iterations

    def contender(self, batch: int, precision: str, spread: bool) -> Contender:
        """`spread` shares the batch out over all CPU devices; else one device."""
        double = precision == "float64"
        injection = self.case.scenarios(batch).astype(complex if double else np.complex64)
        with jax.enable_x64(double):
            devices = jax.local_devices() if spread else jax.local_devices()[:1]
            mesh = Mesh(np.array(devices), ("scenario",))
            share = PartitionSpec("scenario")
            place = NamedSharding(mesh, share) if spread else devices[0]
            placed = jax.device_put(injection, place)

            plain = run = partial(self.run, precision=precision)
            if spread:
                run = jax.shard_map(plain, mesh=mesh, in_specs=share, out_specs=share, check_vma=False)
            began = time.perf_counter()
            compiled = jax.jit(run).lower(placed).compile()
            compile_seconds = time.perf_counter() - began
            voltage, status, turns = jax.tree.map(np.asarray, compiled(placed))
            work = count(
                plain, jax.ShapeDtypeStruct(injection.shape, injection.dtype), trips=float(np.max(turns))
            )
        known = min(batch, len(self.truth))
        apart = np.abs(voltage[:known, self.case.rows] - self.truth[:known])
        memory = compiled.memory_analysis()
        parts = ("temp_size_in_bytes", "argument_size_in_bytes", "output_size_in_bytes")
        peak = sum(getattr(memory, part) for part in parts) if memory is not None else None
        cost = compiled.cost_analysis() or {}

        def call() -> Any:
            with jax.enable_x64(double):
                return jax.block_until_ready(compiled(placed))

        def seconds() -> float:
            began = time.perf_counter()
            call()
            return time.perf_counter() - began

        once = seconds()
        if once < 0.5:
            once = min(seconds() for _ in range(3))
        return Contender(
            solver="gridjax",
            settings=f"{type(self.solver).__name__}, tolerance {self.tolerance[precision] or 'default'}"
            + (", spread over devices" if spread else ""),
            network=self.case.name,
            precision=precision,
            scenarios=batch,
            cores=cores() if spread or devices[0].platform != "cpu" else 1,
            call=call,
            error=float(np.max(apart)),
            failed=int(np.count_nonzero(status)),
            iterations=float(np.mean(turns)),
            extra={
                "seconds": once,
                "compile_seconds": round(compile_seconds, 2),
                "memory_bytes": None if peak is None else peak * (len(devices) if spread else 1),
                "operations_per_scenario": work.operations / batch,
                "bytes_per_scenario": work.moved / batch,
                "compiler_operations": cost.get("flops"),
                "compiler_bytes": cost.get("bytes accessed"),
            },
            repeats=max(1, min(1000, int(0.1 / once))),
        )

    def contenders(self, batches: list[int], precisions: list[str]) -> list[Contender]:
        """One device up to a batch of `_LARGE`, all of them from there on; an accelerator has them all.

        Batches that would take longer than `_PATIENCE` a call are left out.
        """
        number = jax.local_device_count()
        found = []
        for precision in precisions:
            each = 0.0  # seconds a scenario, of the batch before
            for batch in sorted(batches):
                wait = each * batch
                if wait > _PATIENCE:
                    print(f"{self.case.name}: {precision} batch {batch} would take {wait:.0f} s: left out")
                    break
                spreads = [False] if batch <= _LARGE or number == 1 or batch % number else []
                spreads += [True] if batch >= _LARGE and number > 1 and batch % number == 0 else []
                rows = [self.contender(batch, precision, spread) for spread in spreads]
                each = min(row.extra.pop("seconds") for row in rows) / batch
                found += rows
        return found
