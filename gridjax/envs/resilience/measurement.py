"""What is measured on the campus and how it reaches the agents: with noise, late, or not at all.

A reading is one vector for the whole campus. It is sent at the end of every step, with noise, and arrives
`delay` steps later; each agent may miss it, by chance or while its sensor is lost, and then keeps what it
received last, whose age it knows.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from gridjax.envs.resilience.campus import TIERS
from gridjax.envs.resilience.state import Params, State

_FREQUENCY = 0.01  # p.u., the unit of frequency deviations
_LONGEST = 96.0  # h, beyond which the time since the grid was lost is not counted


class Reading(NamedTuple):
    """Leading axes `[...]`; powers in units of the mean demand of the campus."""

    present: jax.Array  # [...], 1 where the grid is there, 0 where not
    dark: jax.Array  # [...], h since it was lost, in units of a day
    demand: jax.Array  # [..., 3], of each tier
    sun: jax.Array  # [...], available
    served: jax.Array  # [...], share of the demand
    exchange: jax.Array  # [...], import
    voltage: jax.Array  # [...], lowest of live buses, less 1, in units of 0.05 p.u.
    frequency: jax.Array  # [...], largest deviation of live buses, in units of 0.01 p.u.
    faults: jax.Array  # [...], branches that protection has taken out
    delivery: jax.Array  # [...], 1 while fuel is on its way
    charge: jax.Array  # [..., n_battery], share of capacity
    fuel: jax.Array  # [..., n_generator], share of the tank
    running: jax.Array  # [..., n_generator], 1 where it runs


def labels(n_battery: int, n_generator: int) -> tuple[str, ...]:
    """Name and unit of every entry of a reading as a vector."""
    first = ["grid present [0 or 1]", "time since it was lost [24 h]"]
    first += [f"{tier} demand [mean demand]" for tier in TIERS]
    first += ["sun [mean demand]", "share of demand served", "import [mean demand]"]
    first += ["lowest voltage less 1 [0.05 p.u.]", "largest frequency deviation [0.01 p.u.]"]
    first += ["branches out of service", "fuel is on its way [0 or 1]"]
    first += [f"battery {k}: state of charge [capacity]" for k in range(n_battery)]
    first += [f"generator {k}: fuel [tank]" for k in range(n_generator)]
    return (*first, *(f"generator {k}: runs [0 or 1]" for k in range(n_generator)))


def vector(reading: Reading) -> jax.Array:
    """The entries in the order of `labels`, `[..., n_entry]`."""
    parts = (x if x.ndim > reading.present.ndim else x[..., None] for x in reading)
    return jnp.concatenate([jnp.asarray(x, jnp.float32) for x in parts], axis=-1)


def unpack(entries: jax.Array, n_battery: int, n_generator: int) -> Reading:
    """The reading of a vector `[..., n_entry]`."""
    widths = (0, 0, len(TIERS), *(0,) * 7, n_battery, n_generator, n_generator)
    parts, first = [], 0
    for width in widths:
        parts.append(entries[..., first : first + width] if width else entries[..., first])
        first += width or 1
    return Reading(*parts)


def measure(
    state: State,
    demand: jax.Array,
    served: jax.Array,
    exchange: jax.Array,
    present: jax.Array,
    faults: jax.Array,
    params: Params,
) -> jax.Array:
    """The reading of a step as a vector, without noise.

    Args:
        state: once the step is over, but for `now`, which is the step's own.
        demand, served: kW `[n_bus, 3]`.
        exchange: import, kW.
        present: bool, the grid is there. faults: number of branches out.
    """
    campus, unit = params.campus, params.reference_power
    nominal = params.protection.nominal
    live = (campus.manager >= 0) & state.energised
    total = jnp.sum(demand)
    reading = Reading(
        present=jnp.asarray(present, total.dtype),
        dark=jnp.minimum(state.dark, _LONGEST) / 24.0,
        demand=jnp.sum(demand, axis=0) / unit,
        sun=jnp.sum(state.now.sun) / unit,
        served=jnp.sum(served) / jnp.maximum(total, 1e-6),
        exchange=exchange / unit,
        voltage=jnp.min(jnp.where(live, state.voltage - 1.0, 0.0)) / 0.05,
        frequency=jnp.max(jnp.where(live, jnp.abs(state.frequency / nominal - 1.0), 0.0)) / _FREQUENCY,
        faults=jnp.asarray(faults, total.dtype),
        delivery=jnp.asarray(state.delivery >= 0.0, total.dtype),
        charge=state.energy / campus.battery.capacity,
        fuel=state.generator.fuel / campus.generator.tank,
        running=state.generator.on.astype(total.dtype),
    )
    return vector(reading)


def deliver(
    sent: jax.Array, seen: jax.Array, age: jax.Array, new: jax.Array, heard: jax.Array, hours: float
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Messages under way, received and their age after one more step; `heard` is bool `[n_agent]`."""
    sent = jnp.concatenate([new[None], sent[:-1]])
    late = (sent.shape[0] - 1) * hours
    return sent, jnp.where(heard[:, None], sent[-1], seen), jnp.where(heard, late, age + hours)
