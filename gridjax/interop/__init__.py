"""The tasks as other libraries know environments; each adapter needs the library of its name.

    env = gridjax.interop.pettingzoo.make("SmartGrid-v0", agents=5)                  # ParallelEnv
    env = gridjax.interop.gymnasium.make("VoltageControl-v0", network="case33bw")    # Env, one agent for all
    envs = gridjax.interop.gymnasium.make_vec("VoltageControl-v0", num_envs=64)      # VectorEnv
    env = gridjax.interop.jaxmarl.make("Resilience-v0")                              # MultiAgentEnv
    env, params = gridjax.interop.gymnax.make("VoltageControl-v0")                   # Environment

Options are those of `gridjax.make`. Agents are called by their group and number, such as `inverter_0`.
"""

from __future__ import annotations

import importlib
from typing import Any

_ADAPTERS = ("gymnasium", "gymnax", "jaxmarl", "pettingzoo")


def __getattr__(name: str) -> Any:
    if name not in _ADAPTERS:
        raise AttributeError(f"module 'gridjax.interop' has no attribute {name!r}")
    try:
        return importlib.import_module(f"gridjax.interop.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("gridjax"):
            raise
        raise ModuleNotFoundError(
            f"gridjax.interop.{name} needs {error.name!r}: pip install 'gridjax[interop]'", name=error.name
        ) from error


def __dir__() -> list[str]:
    return sorted(_ADAPTERS)
