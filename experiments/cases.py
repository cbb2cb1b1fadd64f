"""What a task is evaluated on: days of the year, or scenarios of a list with params of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np

from gridjax.envs import Environment
from gridjax.envs.resilience import Resilience, outage_cases
from gridjax.scenarios import days, held_out_days

MOST_VALIDATED, MOST_HELD_OUT = 42, 120


@dataclass(frozen=True)
class Cases:
    """Cases of `env.on_case(params, row)`, each once."""

    params: Any
    rows: np.ndarray  # [n_case], int: days of the year, or rows of `params.scenarios`


def validation_cases(env: Environment, params: Any, number: int) -> Cases:
    """`number` of those that policies and rules are chosen by, spread over the year."""
    if isinstance(env, Resilience):
        return _outages(env, params, "validation", number)
    every = days("validation")
    return Cases(params, every[np.linspace(0, every.size, number, endpoint=False).astype(int)])


def held_out_cases(env: Environment, params: Any, number: int) -> Cases:
    """`number` of the 120 that results are stated for, spread over the year."""
    if isinstance(env, Resilience):
        return _outages(env, params, "test", number)
    return Cases(params, chosen_days(number))


def chosen_days(number: int) -> np.ndarray:
    """`number` of the 120 held-out days, spread over the year."""
    held_out = held_out_days()
    return held_out[np.linspace(0, held_out.size, number, endpoint=False).astype(int)]


def _outages(env: Resilience, params: Any, split: str, number: int) -> Cases:
    listed = replace(params, scenarios=outage_cases(env, params, split, number), listed=jnp.asarray(True))
    return Cases(listed, np.arange(number))
