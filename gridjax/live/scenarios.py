"""What a viewer may let happen to a grid: by name, or a day of the year.

A scenario changes numbers of `params` only, never a shape or a type, so that nothing is compiled again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs import Environment
from gridjax.envs.resilience import Resilience, Scenario
from gridjax.envs.smart_grid import SmartGrid
from gridjax.envs.smart_grid.factory import SEASONS
from gridjax.envs.voltage_control import VoltageControl
from gridjax.scenarios import outages
from gridjax.scenarios.events import EVENTS, events
from gridjax.scenarios.split import N_DAYS

ANY = "any day"
_EVENTS = {
    "price_shock": "price shock",
    "cloud_front": "cloud front",
    "demand_peak": "demand peak",
    "islanded": "loss of the grid",
}


class Scenarios:
    """Those of one task."""

    def __init__(self, env: Environment, params: Any) -> None:
        self._params = params
        self._named: Mapping[str, Callable[[], Any]] = _named(env, params)
        self.names = tuple(self._named)
        self.days = (0, N_DAYS - 1)

    def params(self, scenario: str | int) -> Any:
        """Params of a scenario; `ValueError` for one that does not exist."""
        if isinstance(scenario, str):
            if scenario not in self._named:
                raise ValueError(f"scenario is {scenario!r}, expected one of {', '.join(self.names)}")
            return _like(self._named[scenario](), self._params)
        if not self.days[0] <= scenario <= self.days[1]:
            raise ValueError(f"scenario is day {scenario}, expected {self.days[0]} to {self.days[1]}")
        start = self._named[ANY]()
        return _like(replace(start, days=np.full(len(start.days), scenario)), self._params)


def _named(env: Environment, params: Any) -> dict[str, Callable[[], Any]]:
    if isinstance(env, VoltageControl):
        # a whole day, from midnight
        params = replace(params, episode_length=env.steps_per_day, random_start=False)
    found: dict[str, Callable[[], Any]] = {ANY: lambda: params}
    for season, months in SEASONS.items():
        found[f"{season} day"] = lambda months=months: replace(params, days=_in(params.days, months))
    if isinstance(env, SmartGrid):
        for event in EVENTS:
            found[_EVENTS.get(event, event)] = lambda event=event: replace(params, events=events((event,)))
        found["everything at once"] = lambda: replace(params, events=events(EVENTS))
    if isinstance(env, Resilience):
        for name, happens in _OUTAGES.items():
            found[name] = lambda happens=happens: _listed(env, params, happens)
    return found


def _in(days: Any, months: tuple[int, ...]) -> np.ndarray:
    """The days of these months, as many as there are days by repeating them."""
    days = np.asarray(days)
    month = (np.datetime64("2016-01-01") + days).astype("datetime64[M]").astype(int) % 12 + 1
    return np.resize(days[np.isin(month, months)], days.size)


# spells in h since midnight of the first day; rows of branches are those of cigre_mv
_OUTAGES: dict[str, dict[str, Any]] = {
    "no outage": {},
    "outage of two hours": {"grid": [(9.0, 11.0)]},
    "outage of a day": {"grid": [(8.0, 32.0)]},
    "outage, and a generator fails": {"grid": [(8.0, 20.0)], "generator_trips": {0: 3.0}},
    "storm": {"storm": (10.0, 22.0, 32.0), "storm_grid": (13.0, 36.0), "delivery_in_storm": 2.0},
}


def _listed(env: Resilience, params: Any, happens: dict[str, Any]) -> Any:
    number = len(params.scenarios.day)
    given = Scenario(
        day=np.int32(np.asarray(params.days)[len(params.days) // 2]),
        charge=np.full(len(env.battery_buses), 0.7, np.float32),
        fuel=np.full(len(env.generator_buses), 0.8, np.float32),
        timeline=outages.scripted(env.sizes, env.hours, **happens),
    )
    rows = jax.tree.map(lambda x: np.broadcast_to(np.asarray(x), (number, *np.shape(x))), given)
    return replace(params, scenarios=rows, listed=True)


def _like(changed: Any, params: Any) -> Any:
    """`changed` with the types that the leaves of `params` have. Raises `ValueError` for another shape."""

    def cast(new: Any, old: Any) -> Any:
        if new is old:
            return old
        if np.shape(new) != np.shape(old):
            raise ValueError(f"a scenario changes a shape from {np.shape(old)} to {np.shape(new)}")
        return jnp.asarray(new, old.dtype)

    return jax.tree.map(cast, changed, params)
