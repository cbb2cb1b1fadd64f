"""Episodes whose events come from a list."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from gridjax.scenarios.timelines import LARGEST, LONGEST_STEPS, Sizes, Timeline


def number(name: str, value: Any, least: float, greatest: float) -> float:
    """The value as a float, or a `ValueError` that names it."""
    try:
        number = float(value) if np.ndim(value) == 0 else np.nan
    except (TypeError, ValueError):
        number = np.nan
    if not least <= number <= greatest:
        raise ValueError(f"{name} is {value!r}, expected a number in [{least:g}, {greatest:g}]")
    return number


def never(sizes: Sizes) -> Timeline:
    """An episode in which nothing happens, and fuel comes at once."""
    return scripted(sizes, 1.0)


def scripted(
    sizes: Sizes,
    hours: float,
    *,
    grid: Sequence[tuple[float, float]] = (),
    branches: Mapping[int, tuple[float, float]] | None = None,
    generator_trips: Mapping[int, float] | None = None,
    generator_repairs: Mapping[int, float] | None = None,
    start_failures: Mapping[int, Sequence[int]] | None = None,
    sensors: Mapping[int, tuple[float, float]] | None = None,
    storm: tuple[float, float, float] | None = None,
    storm_grid: tuple[float, float] | None = None,
    deliveries: Sequence[float] = (),
    delivery_in_storm: float = 1.0,
) -> Timeline:
    """An episode whose events come from a list; host side. What is not listed does not happen.

    `hours` is the length of a step. Spells are (begin, end) in h since the episode began, rounded to steps,
    at least one long; they may end after the episode. `grid` lists the ordinary losses of the grid,
    `storm_grid` the one that comes with the `storm` (begin, end, strongest gust in m/s). `branches` and
    `sensors` map a row to its spell, `generator_trips` a row to the hours it runs before it fails,
    `generator_repairs` to the hours of its repair (else 1e9), `start_failures` to its failing attempts,
    from 0. `deliveries` are the delays (h) of the first orders of fuel; the last holds for the rest.

    Raises `ValueError` for a row or attempt that is not there, too many events for the slots, a spell that is
    empty or begins outside the episode, a number out of range.
    """
    step_hours = number("hours", hours, 1e-6, LARGEST)

    def spell(name: str, given: Iterable[float]) -> tuple[int, int]:
        given = tuple(given)
        if len(given) != 2:
            raise ValueError(f"{name} is {given!r}, expected (begin, end) in h")
        begin = number(f"begin of {name}", given[0], 0.0, LARGEST)
        end = number(f"end of {name}", given[1], 0.0, LARGEST)
        first = round(begin / step_hours)
        if end <= begin:
            raise ValueError(f"{name} is {given!r}, expected an end after the begin")
        if first >= sizes.n_step:
            length = sizes.n_step * step_hours
            raise ValueError(f"{name} begins at {begin:g} h, expected within the episode of {length:g} h")
        return first, first + min(max(round((end - begin) / step_hours), 1), LONGEST_STEPS)

    def rows(name: str, given: Mapping[int, Any] | None, n: int) -> list[tuple[int, Any]]:
        return [(_index(f"a row of {name}", row, n), value) for row, value in (given or {}).items()]

    def slots(name: str, given: Sequence[Any], n: int) -> Sequence[Any]:
        if len(given) > n:
            raise ValueError(f"{name} lists {len(given)} events, expected at most {n}")
        return given

    outages = np.zeros((2, sizes.n_outage), np.int32)
    faults = np.zeros((2, sizes.n_branch, 2), np.int32)
    losses = np.zeros((2, sizes.n_sensor), np.int32)
    gale = np.zeros(2, np.int32)
    gust = 0.0
    start_fails = np.zeros((sizes.n_generator, sizes.n_attempt), bool)
    trip_after = np.full(sizes.n_generator, LARGEST, np.float32)
    repair = np.full(sizes.n_generator, LARGEST, np.float32)
    delay = np.zeros(sizes.n_delivery, np.float32)

    for k, given in enumerate(slots("grid", grid, sizes.n_outage - 1)):
        outages[:, k] = spell(f"grid[{k}]", given)
    if storm is not None:
        if len(storm) != 3:
            raise ValueError(f"storm is {storm!r}, expected (begin, end, gust) in h and m/s")
        gale[:] = spell("storm", storm[:2])
        gust = number("gust of storm", storm[2], 0.0, LARGEST)
    if storm_grid is not None:
        if storm is None:
            raise ValueError("storm_grid is given without a storm")
        outages[:, -1] = spell("storm_grid", storm_grid)
    for row, given in rows("branches", branches, sizes.n_branch):
        faults[:, row, 0] = spell(f"branches[{row}]", given)
    for row, given in rows("sensors", sensors, sizes.n_sensor):
        losses[:, row] = spell(f"sensors[{row}]", given)
    for row, given in rows("generator_trips", generator_trips, sizes.n_generator):
        trip_after[row] = number(f"generator_trips[{row}]", given, 0.0, LARGEST)
    for row, given in rows("generator_repairs", generator_repairs, sizes.n_generator):
        repair[row] = number(f"generator_repairs[{row}]", given, 0.0, LARGEST)
    for row, attempts in rows("start_failures", start_failures, sizes.n_generator):
        for attempt in attempts:
            start_fails[row, _index(f"an attempt of start_failures[{row}]", attempt, sizes.n_attempt)] = True
    for k, given in enumerate(slots("deliveries", deliveries, sizes.n_delivery)):
        delay[k:] = number(f"deliveries[{k}]", given, 0.0, LARGEST)
    factor = number("delivery_in_storm", delivery_in_storm, 0.0, LARGEST)

    leaves = {
        "grid_begin": outages[0],
        "grid_end": outages[1],
        "branch_begin": faults[0],
        "branch_end": faults[1],
        "storm_begin": gale[0],
        "storm_end": gale[1],
        "gust": np.float32(gust),
        "start_fails": start_fails,
        "trip_after": trip_after,
        "generator_repair": repair,
        "sensor_begin": losses[0],
        "sensor_end": losses[1],
        "delivery": delay,
        "delivery_in_storm": np.float32(factor),
    }
    return Timeline(**{name: jnp.asarray(leaf) for name, leaf in leaves.items()})


def _index(name: str, value: Any, n: int) -> int:
    try:
        index = operator.index(value)
    except TypeError:
        index = -1
    if not 0 <= index < n:
        raise ValueError(f"{name} is {value!r}, expected an integer from 0 to {n - 1}")
    return index
