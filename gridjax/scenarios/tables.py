"""A year of demand and sun as arrays that a compiled task looks its steps up in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from gridjax.scenarios.profiles import Profiles

Array = Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Tables:
    """One row per step, beginning on 1 January; relative values, see `Profiles`."""

    demand: Array  # [n_row, n_profile], over the nominal demand
    reactive: Array  # [n_row, n_profile], over the nominal reactive demand
    sun: Array  # [n_row, n_sun_profile], over the installed peak


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Foretold:
    """What a forecast made in each row of `Tables` says of later ones; the last axis has their columns."""

    demand: Array  # [n_row, n_horizon, n_profile], over the nominal demand
    sun: Array  # [n_row, n_horizon, n_sun_profile], over the installed peak


def tables(year: Profiles) -> Tables:
    """Those of a year, without the names of its columns."""
    return Tables(year.load_p, year.load_q, year.pv)
