"""The machine that a benchmark runs on: its devices, cores and versions, and what it can do at most."""

from __future__ import annotations

import importlib.util
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_PLUGINS = ("jax_cuda13_plugin", "jax_cuda12_plugin", "jax_rocm7_plugin")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def accelerated() -> bool:
    """Whether JAX will find an accelerator."""
    found = any(importlib.util.find_spec(name) for name in _PLUGINS)
    return found and not os.environ.get("JAX_PLATFORMS", "").startswith("cpu")


def use_cores(devices: int | None = None) -> None:
    """Before JAX starts: without an accelerator, as many CPU devices as there are cores (or `devices`)."""
    import jax

    if not accelerated():
        jax.config.update("jax_num_cpu_devices", devices or cores())


def describe(packages: tuple[str, ...]) -> dict[str, Any]:
    """Device, cores and versions, for the head of a result."""
    import jax

    device = jax.devices()[0]
    return {
        "device": device.device_kind,
        "platform": device.platform,
        "devices": jax.local_device_count(),
        "cores": cores(),
        "machine": platform.machine(),
        "versions": {name: installed(name) for name in ("gridjax", "jax", *packages)},
    }


def installed(name: str) -> str | None:
    """Version of a package, if it is there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def limits() -> dict[str, float]:
    """Measured, on the first device with all its cores: bytes per second of a copy, operations per second.

    An addition over an array far beyond any cache moves each byte in and out; a product of square
    matrices in full precision is as much arithmetic as the device will do.
    """
    import jax
    import jax.numpy as jnp

    found = {}
    big = jnp.zeros(64 << 20, jnp.float32)
    found["bytes_per_second"] = 2 * big.nbytes / _seconds(jax.jit(lambda x: x + 1.0), big)
    size = 1536 if jax.devices()[0].platform == "cpu" else 8192
    for name, kind in (("float32", jnp.float32), ("float64", jnp.float64)):
        with jax.enable_x64(name == "float64"):
            square = jnp.ones((size, size), kind)
            multiply = jax.jit(lambda x: jnp.matmul(x, x, precision=jax.lax.Precision.HIGHEST))
            found[f"{name}_per_second"] = 2 * size**3 / _seconds(multiply, square)
    return found


def _seconds(function: Callable[..., Any], *arguments: Any) -> float:
    """Shortest of five runs of a compiled function, the first left out."""
    function(*arguments).block_until_ready()
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        function(*arguments).block_until_ready()
        best = min(best, time.perf_counter() - began)
    return best
