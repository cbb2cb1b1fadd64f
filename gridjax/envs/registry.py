"""Tasks by name."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable
from typing import Any

from gridjax.envs.environment import Environment

Factory = Callable[..., tuple[Environment, Any]]
_FACTORIES: dict[str, Factory] = {}


class UnknownOption(TypeError):
    """A task does not have an option that it was to be made with."""


def register(name: str, factory: Factory) -> None:
    """Make `factory(**options) -> (env, params)` available as `gridjax.make(name, **options)`.

    A factory defined again, as a notebook does, takes the place of what it was. Raises `ValueError` where
    another one has the name.
    """
    if name in _FACTORIES and _origin(_FACTORIES[name]) != _origin(factory):
        raise ValueError(f"task {name!r} is registered already")
    _FACTORIES[name] = factory


def _origin(factory: Factory) -> tuple[Any, Any]:
    return factory.__module__, factory.__qualname__


def tasks() -> tuple[str, ...]:
    """Names of the registered tasks."""
    return tuple(sorted(_FACTORIES))


def make(name: str, **options: Any) -> tuple[Any, Any]:
    """Build the task `name`: the static environment and its default params.

    Options are the task's own (`network=`, ...). In `"module:name"` the module is imported first,
    for tasks of one's own that it registers. Raises `ValueError` for an unknown task, with the nearest names,
    `ModuleNotFoundError` for a module that is not there, and `UnknownOption`, a `TypeError`, with the nearest
    for an option that the task does not have.
    """
    module, _, name = str(name).rpartition(":")
    if module:
        importlib.import_module(module)
    if name not in _FACTORIES:
        near = difflib.get_close_matches(name, _FACTORIES, n=3, cutoff=0.3)
        hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(tasks())}"
        raise ValueError(f"unknown task {name!r}; {hint}")
    factory = _FACTORIES[name]
    known = inspect.signature(factory).parameters
    if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values()):
        for option in options:
            if option not in known:
                near = difflib.get_close_matches(option, known, n=3, cutoff=0.5)
                hint = f"did you mean {', '.join(near)}?" if near else f"it has {', '.join(known) or 'none'}"
                raise UnknownOption(f"{name} has no option {option!r}; {hint}")
    return factory(**options)
