"""Every task and size of network that the adapters are held to, with episodes of three steps."""

import functools

import jax
import pytest

import gridjax

STEPS = 3
TASKS = [
    pytest.param("VoltageControl-v0", {"network": "case33bw"}, id="case33bw"),
    pytest.param("VoltageControl-v0", {"network": "case141"}, id="case141"),
    pytest.param("SmartGrid-v0", {"agents": 2}, id="cigre_lv"),
    pytest.param(
        "SmartGrid-v0", {"agents": 20, "neighbours": 2}, id="kerber_vorstadtnetz", marks=pytest.mark.slow
    ),
    pytest.param("Resilience-v0", {}, id="campus", marks=pytest.mark.slow),
]
every_task = pytest.mark.parametrize(("name", "options"), TASKS)


def build(name, options):
    """The task and its params, built once for all adapters of a test file."""
    return _build(name, tuple(sorted(options.items())))


@functools.cache
def _build(name, options):
    return gridjax.make(name, episode_length=STEPS, **dict(options))


def quick():
    """Options to compile with: nearly all of the time of these tests, and on the CPU this halves it."""
    return {"xla_backend_optimization_level": 0} if jax.default_backend() == "cpu" else None
