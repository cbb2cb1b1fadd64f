"""Power flows of many time steps, chunk by chunk on a memory budget."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.powerflow.flow import Flow
from gridjax.powerflow.prepare import Solver, prepare
from gridjax.powerflow.progress import Progress
from gridjax.powerflow.solve import solve
from gridjax.powerflow.status import Status
from gridjax.powerflow.store import Store

Array = Any
Output = Callable[[Flow], Array]

OUTPUTS: Mapping[str, Output] = {
    "voltage": lambda flow: flow.voltage,
    "voltage_magnitude": lambda flow: jnp.abs(flow.voltage),
    "voltage_min": lambda flow: jnp.abs(flow.voltage).min(axis=-1),
    "voltage_max": lambda flow: jnp.abs(flow.voltage).max(axis=-1),
    "loading": lambda flow: flow.loading,
    "loading_max": lambda flow: flow.loading.max(axis=-1, initial=0.0),
    "power_from": lambda flow: flow.power_from,
    "losses": lambda flow: flow.losses,
    "slack_power": lambda flow: flow.slack_power,
    "iterations": lambda flow: flow.iterations,
}
_MOST_SCENARIOS = 1 << 16  # in one chunk: more gain nothing on any device


@dataclass(frozen=True)
class TimeSeries:
    """Results in numpy, step first, then the injection's scenarios: `series["losses"]` is one of them."""

    outputs: Mapping[str, np.ndarray]
    status: np.ndarray  # [n_steps, ...], int8, see `Status`
    chunk_steps: int
    chunk_bytes: int  # of two chunks in flight, arguments and results included

    def __getitem__(self, name: str) -> np.ndarray:
        return self.outputs[name]

    @property
    def converged(self) -> np.ndarray:
        """bool `[n_steps, ...]`: which steps are solutions."""
        return self.status == Status.CONVERGED


def time_series(
    network: Network,
    injection: Array | Callable[[slice], Array],
    *,
    steps: int | None = None,
    outputs: Sequence[str] | Mapping[str, Output | str] = (
        "voltage_min",
        "voltage_max",
        "loading_max",
        "losses",
    ),
    memory: int = 1 << 30,
    method: str = "auto",
    solver: Solver | None = None,
    tolerance: float | None = None,
    warm_start: bool = False,
    progress: bool = True,
    folder: str | Path | None = None,
    **options: Any,
) -> TimeSeries:
    """Solve every step of a time series; one compilation, whatever its length.

    Args:
        injection: complex p.u. `[n_steps, ..., n_bus]`, scenarios in between; or a function that gives
            `[stop - start, ..., n_bus]` for a slice of steps, so that a year never lies in memory at once.
        steps: number of steps; needed with a function only.
        outputs: names of `OUTPUTS`, or a mapping from names to such or to functions of a `Flow` with
            leading axes `[steps, ...]`, which JAX traces: reduce there what need not be kept.
        memory: bytes that two chunks in flight may take with all their intermediates, on the device;
            the results themselves come on top, in the host's memory or in `folder`.
        solver: from `prepare(network, method)`; prepared here if absent.
        warm_start: step after step, each from the solution before it: pays where scenarios are many and
            steps are close. Otherwise all steps of a chunk are one batch.
        progress: show a bar with rate and time left on standard error.
        folder: keep results in `<folder>/<output>.npy`, memory-mapped. An interrupted call that is
            repeated with the same arguments goes on where it was.
        options: for `solve`, such as `max_iterations` or `enforce_reactive_limits`.

    A step that does not converge is flagged in `status` and raises nothing. Precision is JAX's own:
    float64 under `jax_enable_x64`.

    Raises `ValueError` for a wrong shape, an unknown output (with the known ones), a budget that does not
    hold one step, or a folder that holds another time series.
    """
    fetch, steps, shape = _source(network, injection, steps)
    wanted = _outputs(outputs)
    kind = jax.dtypes.canonicalize_dtype(np.complex128)
    if solver is None:
        solver = prepare(network, method)

    def flow_of(powers: Array, start: Array | None = None) -> Flow:
        return solve(network, powers, solver=solver, tolerance=tolerance, start=start, **options)

    def chosen(flow: Flow) -> dict[str, Array]:
        return {"status": flow.status.astype(jnp.int8)} | {name: out(flow) for name, out in wanted.items()}

    def batch(powers: Array, start: Array) -> tuple[dict[str, Array], Array]:
        return chosen(flow_of(powers)), start

    def one_by_one(powers: Array, start: Array) -> tuple[dict[str, Array], Array]:
        def step(start: Array, power: Array) -> tuple[Array, dict[str, Array]]:
            flow = flow_of(power, start)
            onward = jnp.where(flow.converged[..., None], flow.deviation, 0.0)
            return onward, chosen(flow)

        start, found = jax.lax.scan(step, start, powers)
        return found, start

    run = jax.jit(one_by_one if warm_start else batch)
    start = jnp.zeros(shape, kind)
    length, size, compiled = _fit(run, start, steps, memory)
    results = {
        name: jax.ShapeDtypeStruct((steps, *out.shape[1:]), out.dtype)
        for name, out in jax.eval_shape(run, jax.ShapeDtypeStruct((length, *shape), kind), start)[0].items()
    }
    settings = f"{network.name} {steps} {method} {tolerance} {warm_start} {sorted(options.items())}"
    ends = np.asarray(fetch(slice(0, 1))).tobytes() + np.asarray(fetch(slice(steps - 1, steps))).tobytes()
    store = Store(results, folder, hashlib.sha256(settings.encode() + ends).hexdigest())

    waiting: tuple[int, int, dict[str, Array]] | None = None
    with Progress(steps, "steps", progress, store.done) as bar:

        def keep() -> None:
            if waiting is not None:
                first, stop, found = waiting
                store.write(
                    first, stop, {name: np.asarray(value)[: stop - first] for name, value in found.items()}
                )
                bar.advance(stop - first)

        for first in range(store.done, steps, length):
            stop = min(first + length, steps)
            powers = _checked(fetch(slice(first, stop)), (stop - first, *shape), kind)
            if stop - first < length:
                powers = np.concatenate([powers, np.repeat(powers[-1:], length - (stop - first), axis=0)])
            found, start = compiled(jax.device_put(powers), start)  # runs while the one before is stored
            keep()
            waiting = (first, stop, found)
        keep()
    arrays = dict(store.arrays)
    return TimeSeries(outputs=arrays, status=arrays.pop("status"), chunk_steps=length, chunk_bytes=size)


def _source(
    network: Network, injection: Any, steps: int | None
) -> tuple[Callable[[slice], Array], int, tuple[int, ...]]:
    """A function of slices, the number of steps, and the shape of one step."""
    if callable(injection):
        if steps is None or steps < 1:
            raise ValueError(f"a function of steps needs their number, a positive integer: got steps={steps}")
        fetch: Callable[[slice], Array] = injection
        shape: tuple[int, ...] = (steps, *np.shape(fetch(slice(0, 1)))[1:])
    else:
        fetch, shape = injection.__getitem__, np.shape(injection)
        if steps is not None and shape[:1] != (steps,):
            raise ValueError(f"steps is {steps}, but injection has shape {shape}")
    if len(shape) < 2 or 0 in shape or shape[-1] != network.n_bus:
        raise ValueError(
            f"injection has shape {shape}, expected [steps, ..., {network.n_bus}] "
            f"for network {network.name!r}"
        )
    return fetch, shape[0], shape[1:]


def _checked(powers: Any, shape: tuple[int, ...], kind: Any) -> Array:
    powers = np.asarray(powers)
    if powers.shape != shape:
        raise ValueError(f"injection gave shape {powers.shape} where {shape} was asked for")
    return powers.astype(kind)


def _outputs(outputs: Sequence[str] | Mapping[str, Output | str]) -> dict[str, Output]:
    pairs = dict(outputs) if isinstance(outputs, Mapping) else {name: name for name in outputs}
    found: dict[str, Output] = {}
    for name, output in pairs.items():
        if name == "status":
            raise ValueError("status is always kept; name the output otherwise")
        if isinstance(output, str):
            if output not in OUTPUTS:
                raise ValueError(
                    f"unknown output {output!r}, expected a function or one of {', '.join(OUTPUTS)}"
                )
            output = OUTPUTS[output]
        found[name] = output
    return found


def _fit(run: Any, start: Array, steps: int, memory: int) -> tuple[int, int, Any]:
    """Steps in a chunk, bytes of two of them, and the compiled program.

    The compiler says what a chunk needs; a first guess that is wrong is corrected by a second compilation.
    """
    scenarios = max(1, int(np.prod(start.shape[:-1])))
    most = max(1, min(steps, _MOST_SCENARIOS // scenarios))

    def compile(length: int) -> tuple[int, Any]:
        powers = jax.ShapeDtypeStruct((length, *start.shape), start.dtype)
        compiled = run.lower(powers, start).compile()
        analysis = compiled.memory_analysis()
        if analysis is None:
            return 40 * length * start.nbytes, compiled
        ends = analysis.argument_size_in_bytes + analysis.output_size_in_bytes
        return int(analysis.temp_size_in_bytes + 2 * ends), compiled

    length = max(1, min(most, memory // (40 * start.nbytes)))
    size, compiled = compile(length)
    while size > memory:
        if length == 1:
            raise ValueError(f"one step needs {size:,} bytes, the budget is memory={memory:,}")
        length = max(1, int(0.9 * length * memory / size))
        size, compiled = compile(length)
    return length, size, compiled
