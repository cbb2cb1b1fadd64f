"""Every task and size of network that the adapters are held to, with episodes of three steps."""

import functools

import pytest

import gridjax

STEPS = 3
TASKS = [
    pytest.param("VoltageControl-v0", {"network": "case33bw"}, id="case33bw"),
    pytest.param("VoltageControl-v0", {"network": "case141"}, id="case141"),
    pytest.param("SmartGrid-v0", {"agents": 2}, id="cigre_lv"),
    pytest.param("SmartGrid-v0", {"agents": 20, "neighbours": 2}, id="kerber_vorstadtnetz"),
    pytest.param("Resilience-v0", {}, id="campus"),
]
every_task = pytest.mark.parametrize(("name", "options"), TASKS)


def build(name, options):
    """The task and its params, built once for all adapters of a test file."""
    return _build(name, tuple(sorted(options.items())))


@functools.cache
def _build(name, options):
    return gridjax.make(name, episode_length=STEPS, **dict(options))
