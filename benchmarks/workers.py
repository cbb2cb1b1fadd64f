"""Processes in which gridjax is measured: one on every core, or a single one with the accelerator.

XLA's threads cost products of this size more than they save: on a CPU every core has a process to itself,
its pool of threads has one thread, and a measurement on all cores is one on all processes at once.
"""

from __future__ import annotations

import multiprocessing
import os
import traceback
from functools import partial
from typing import Any

import numpy as np

from benchmarks.contender import Contender
from benchmarks.machine import accelerated, cores

Array = Any
_PATIENCE = 10.0  # seconds
_PLATFORM = "--xla_cpu_multi_thread_eigen=false"


class Workers:
    """`Ours` of one case in every process; a context that ends them."""

    def __init__(self, name: str, truth: Array, method: str):
        self.name = name
        context = multiprocessing.get_context("spawn")
        places = [None] if accelerated() else sorted(os.sched_getaffinity(0))
        self.pipes, self.processes = [], []
        for place in places:
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, place, name, truth, method), daemon=True)
            process.start()
            self.pipes.append(here)
            self.processes.append(process)
        self.about: dict[str, Any] = self._ask("about")[0]
        self.programs = 0

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe, process in zip(self.pipes, self.processes):
            pipe.close()
            process.join(10)
            process.terminate()

    def _ask(self, what: str, *arguments: Any, number: int | None = None) -> list[Any]:
        """The answers of the first `number` processes, asked at once."""
        chosen = self.pipes[:number]
        for pipe in chosen:
            pipe.send((what, arguments))
        answers = [pipe.recv() for pipe in chosen]
        for failed, answer in answers:
            if failed:
                raise RuntimeError(f"gridjax on {self.name}: {answer}")
        return [answer for _, answer in answers]

    def _run(self, program: int, number: int, repeats: int) -> tuple[float, float]:
        seconds = self._ask("measure", program, repeats, number=number)
        return max(wall for wall, _ in seconds), sum(used for _, used in seconds)

    def contenders(self, batches: list[int], precisions: list[str]) -> list[Contender]:
        """One process and all of them, for every batch that does not take longer than `_PATIENCE` a call."""
        found = []
        for precision in precisions:
            each = 0.0  # seconds a scenario, of the batch before
            for batch in sorted(batches):
                if each * batch > _PATIENCE:
                    print(f"{self.name}: {precision} batch {batch} would take {each * batch:.0f} s: left out")
                    break
                done = self._ask("compile", batch, precision)[0]
                each = done["seconds"] / batch
                for number in sorted({1, len(self.pipes)}):
                    found.append(self._contender(done, batch, precision, number))
                self.programs += 1
        return found

    def _contender(self, done: dict[str, Any], batch: int, precision: str, number: int) -> Contender:
        extra = dict(done["extra"])
        if extra["memory_bytes"] is not None:
            extra["memory_bytes"] *= number
        return Contender(
            solver="gridjax",
            settings=done["settings"] + (", a process on every core" if number > 1 else ""),
            network=self.name,
            precision=precision,
            scenarios=number * batch,
            cores=cores() if len(self.pipes) == 1 else number,
            run=partial(self._run, self.programs, number),
            error=done["error"],
            failed=done["failed"],
            iterations=done["iterations"],
            extra=extra,
            repeats=int(np.clip(0.1 / done["seconds"], 1, 1000)),
        )


def _serve(pipe: Any, place: int | None, name: str, truth: Array, method: str) -> None:
    if place is not None:
        os.sched_setaffinity(0, {place})
        os.environ["PJRT_NPROC"] = "1"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {_PLATFORM}"
    from benchmarks.compiled import Ours

    ours = None
    while True:
        try:
            what, arguments = pipe.recv()
        except EOFError:
            return
        try:
            ours = Ours(name, truth, method) if ours is None else ours
            pipe.send((False, getattr(ours, what)(*arguments)))
        except Exception as error:  # goes to the process that asked
            traceback.print_exc()
            pipe.send((True, f"{type(error).__name__}: {error}"))
