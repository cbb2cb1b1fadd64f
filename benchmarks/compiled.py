"""gridjax in the power-flow benchmark: called as a user would, compiled for every batch and precision."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np

from benchmarks.contender import RIGHT, timed
from benchmarks.operations import count
from benchmarks.peers import Case, build
from gridjax.powerflow import prepare, solve

Array = Any


class Ours:
    """The case `name` with its solver prepared, and one compiled program after another."""

    def __init__(self, name: str, truth: Array, method: str = "auto"):
        case = build(name)
        self.case: Case = case
        self.truth = truth  # [scenarios, n_row], voltages of the first scenarios
        began = time.perf_counter()
        with jax.enable_x64(True):
            self.solver = prepare(self.case.network, method)
        self.prepare_seconds = time.perf_counter() - began
        self.solver_bytes = sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(self.solver))
        self.calls: list[Callable[[], Any]] = []

        self.tolerance: dict[str, float | None] = {"float32": None}  # the default
        with jax.enable_x64(True):
            for digits in range(8, 12):  # as for the peers: the coarsest that is right
                self.tolerance["float64"] = 10.0**-digits
                found = jax.jit(partial(self.solve, precision="float64"))(self.case.scenarios(len(truth)))
                if np.max(np.abs(np.asarray(found[0])[:, self.case.rows] - truth)) <= RIGHT:
                    break

    def about(self) -> dict[str, Any]:
        """The prepared solver."""
        return {
            "solver": type(self.solver).__name__,
            "solver_bytes": self.solver_bytes,
            "prepare_seconds": round(self.prepare_seconds, 3),
        }

    def solve(self, injection: Array, precision: str) -> tuple[Array, Array, Array]:
        """Voltages, status and iterations: what is not asked for, the compiler leaves out."""
        flow = solve(self.case.network, injection, solver=self.solver, tolerance=self.tolerance[precision])
        return flow.voltage, flow.status, flow.iterations

    def compile(self, batch: int, precision: str) -> dict[str, Any]:
        """Compile one more program, and say what it is, how right, and what one call takes."""
        double = precision == "float64"
        injection = self.case.scenarios(batch).astype(complex if double else np.complex64)
        with jax.enable_x64(double):
            placed = jax.device_put(injection, jax.local_devices()[0])
            run = partial(self.solve, precision=precision)
            began = time.perf_counter()
            compiled = jax.jit(run).lower(placed).compile()
            compile_seconds = time.perf_counter() - began
            voltage, status, turns = jax.tree.map(np.asarray, compiled(placed))
            work = count(
                run, jax.ShapeDtypeStruct(injection.shape, injection.dtype), trips=float(np.max(turns))
            )
        known = min(batch, len(self.truth))
        apart = np.abs(voltage[:known, self.case.rows] - self.truth[:known])
        memory = compiled.memory_analysis()
        parts = ("temp_size_in_bytes", "argument_size_in_bytes", "output_size_in_bytes")
        cost = compiled.cost_analysis() or {}

        def call() -> Any:
            with jax.enable_x64(double):
                return jax.block_until_ready(compiled(placed))

        self.calls.append(call)
        once = min(timed(call, 1)[0] for _ in range(3))
        return {
            "settings": f"{type(self.solver).__name__}, tolerance {self.tolerance[precision] or 'default'}",
            "error": float(np.max(apart)),
            "failed": int(np.count_nonzero(status)),
            "iterations": float(np.mean(turns)),
            "seconds": once,
            "extra": {
                "compile_seconds": round(compile_seconds, 2),
                "memory_bytes": None if memory is None else sum(getattr(memory, part) for part in parts),
                "operations_per_scenario": work.operations / batch,
                "bytes_per_scenario": work.moved / batch,
                "compiler_operations": cost.get("flops"),
                "compiler_bytes": cost.get("bytes accessed"),
            },
        }

    def measure(self, number: int, repeats: int) -> tuple[float, float]:
        """Seconds by the clock and of processors of `repeats` calls of program `number`."""
        return timed(self.calls[number], repeats)
