"""One row of the power-flow benchmark: a solver, set up for a case, and how fast it was."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from benchmarks.machine import cores
from benchmarks.peers import Case, Peer

Array = Any
CHECKED = 64  # scenarios held against the reference
RIGHT = 1e-8  # p.u.: a float64 solver whose error is larger is asked for a finer tolerance


@dataclass
class Contender:
    """What is timed: `run(repeats)` solves `scenarios` scenarios so many times, and says how long it took."""

    solver: str
    settings: str
    network: str
    precision: str
    scenarios: int
    cores: int
    run: Callable[[int], tuple[float, float]]  # seconds by the clock, and of processors
    error: float
    failed: int = 0
    iterations: float | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    repeats: int = 1
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def measure(self) -> None:
        """Append scenarios per second of wall clock and of processor time."""
        elapsed, used = self.run(self.repeats)
        solved = self.repeats * self.scenarios
        self.wall.append(solved / elapsed)
        self.processor.append(solved / max(used, 1e-9))

    def record(self) -> dict[str, Any]:
        wall, processor = sorted(self.wall), sorted(self.processor)
        return {
            "solver": self.solver,
            "settings": self.settings,
            "network": self.network,
            "precision": self.precision,
            "batch": self.scenarios,
            "cores": self.cores,
            "per_second_median": wall[len(wall) // 2],
            "per_second_best": wall[-1],
            "per_core_second_median": processor[len(processor) // 2],
            "per_core_second_best": processor[-1],
            "error": self.error,
            "failed": self.failed,
            "iterations": self.iterations,
            **self.extra,
        }


def timed(call: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Seconds by the clock, and of this process's processors, that `repeats` calls take."""
    began, used = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        call()
    return time.perf_counter() - began, time.process_time() - used


def of_peer(make: Callable[[float], Peer], case: Case, truth: Array, seconds: float) -> list[Contender]:
    """The peer on one core and on all of them, at the coarsest tolerance of 1e-8, 1e-9, ... that is right."""
    peer, tolerance, error = _right(make, case, truth)
    began = time.perf_counter()
    peer.solve()
    rate = len(truth) / (time.perf_counter() - began)
    number = int(np.clip(rate * seconds, 8, 4096))
    peer.set_injection(case.scenarios(number))
    peer.solve()
    failed = int(np.isnan(peer.voltage()).any(axis=1).sum())
    settings = f"{peer.settings}, tolerance {tolerance:.0e}"
    return [
        Contender(
            solver=peer.name,
            settings=settings,
            network=case.name,
            precision="float64",
            scenarios=number,
            cores=threads,
            run=partial(timed, partial(peer.solve, threads)),
            error=error,
            failed=failed,
            iterations=peer.iterations(),
        )
        for threads in ((1, cores()) if peer.threads_offered and cores() > 1 else (1,))
    ]


def _right(make: Callable[[float], Peer], case: Case, truth: Array) -> tuple[Peer, float, float]:
    """The peer at the coarsest tolerance that is right, else at the finest; tolerance; error."""
    for digits in range(8, 14):
        peer, tolerance = make(10.0**-digits), 10.0**-digits
        peer.set_injection(case.scenarios(len(truth)))
        peer.solve()
        error = float(np.max(np.abs(peer.voltage() - truth)))  # NaN where it did not converge
        if error <= RIGHT or digits == 13:
            return peer, tolerance, error
    raise AssertionError


def fastest(candidates: list[list[Contender]]) -> list[Contender]:
    """Of several settings of a peer the one that is fastest on one core among those that are right."""
    right = [candidate for candidate in candidates if candidate[0].error <= RIGHT]
    for candidate in right or candidates:
        candidate[0].measure()
        candidate[0].measure()
    best = max(right or candidates, key=lambda candidate: max(candidate[0].processor))
    best[0].wall, best[0].processor = [], []
    return best


def peers(case: Case, truth: Array, seconds: float, brief: bool) -> tuple[list[Contender], dict[str, str]]:
    """All peers that can take the case, and why the others cannot; `brief`: the better way of each."""
    from benchmarks.peers import lightsim2grid, pandapower, power_grid_model

    few, found, unfit = truth[:8], [], {}

    def tuned() -> list[Contender]:
        makes = [partial(lightsim2grid.tuned, case, *setting) for setting in lightsim2grid.SETTINGS]
        return fastest([of_peer(make, case, truth, seconds) for make in makes])

    plain, recycled = partial(pandapower.Plain, case, False), partial(pandapower.Plain, case, True)
    newton = partial(power_grid_model.newton, case)
    iterative = partial(power_grid_model.iterative_current, case)
    ways: dict[str, Callable[[], list[Contender]]] = {
        "pandapower": lambda: of_peer(plain, case, few, seconds),
        "pandapower, recycled": lambda: of_peer(recycled, case, few, seconds),
        "pandapower, time series": lambda: of_peer(
            partial(pandapower.TimeSeries, case), case, few, 4 * seconds
        ),
        "lightsim2grid": lambda: of_peer(partial(lightsim2grid.default, case), case, truth, seconds),
        "lightsim2grid, tuned": tuned,
        "power-grid-model, Newton": lambda: of_peer(newton, case, truth, seconds),
        "power-grid-model, iterative current": lambda: of_peer(iterative, case, truth, seconds),
    }
    for name, way in ways.items():
        if brief and name in ("pandapower", "pandapower, time series", "lightsim2grid"):
            continue
        try:
            found += way()
        except Exception as error:  # a solver that fails on a case is left out and named
            unfit[name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return found, unfit
