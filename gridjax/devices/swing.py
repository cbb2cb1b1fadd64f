"""Frequency of islands: the swing equation with droop, limits and under-frequency load shedding.

For the units of one island (Kundur, Power System Stability and Control, 1994, sections 3.9 and 11.1)

    2 sum(H S) / f0 df/dt = sum(p) + sun(f) - load - D load (f - f0) / f0
    T dp/dt = clip(p0 - S (f - f0) / (R f0), lowest, highest) - p

with inertia H, rating S, droop R and lag T of every unit, sun that is throttled above a frequency, and load
of which relays shed a stage when frequency stays below their threshold. Every unit carries the frequency of
its island, so that any partition into islands has one shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

Array = Any

_REST = 1e-4  # Hz/s, and share of the rating that units are away from where they go: it is over


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Forming:
    """Units that hold frequency, `[n_unit]`."""

    rating: Array  # kW
    inertia: Array  # s, stored energy over rating; of an inverter its virtual one
    droop: Array  # p.u. of frequency over its rating
    lag: Array  # s


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Protection:
    """Relays and limits of an island; frequencies in Hz."""

    nominal: Array  # []
    damping: Array  # [], p.u. of load per p.u. of frequency
    throttle_from: Array  # [], above which sun is throttled
    throttle: Array  # [], share of sun per Hz beyond
    threshold: Array  # [n_stage], descending: a stage sheds below its own
    delay: Array  # [], s, of a relay
    lowest: Array  # [], below which generation trips and the island is black
    highest: Array  # [], above which it does


class Start(NamedTuple):
    """How a disturbance begins, `[n_unit]`."""

    together: jax.Array  # [n_unit, n_unit], bool: online and in one island; false for what is not in one
    frequency: jax.Array  # Hz
    power: jax.Array  # kW at the very beginning
    set_point: jax.Array  # kW at nominal frequency
    lowest: jax.Array  # kW
    highest: jax.Array  # kW
    sun: jax.Array  # kW, of the island
    load: jax.Array  # [n_stage + 1, n_unit], kW of the island with that many stages shed


class Swing(NamedTuple):
    """How it ends, `[n_unit]`; at rest where there is no island."""

    frequency: jax.Array  # Hz
    power: jax.Array  # kW
    stage: jax.Array  # int32, stages shed
    nadir: jax.Array  # Hz
    zenith: jax.Array  # Hz
    rate: jax.Array  # Hz/s, largest |df/dt|
    collapsed: jax.Array  # bool, frequency left its limits


def swing(
    units: Forming, protection: Protection, start: Start, seconds: float = 10.0, interval: float = 0.05
) -> Swing:
    """Follow a disturbance in Runge-Kutta steps of `interval` (s) until it is over, or for `seconds`.

    Relays trip at the end of an interval, up to half of one before or after their time.
    """
    f0 = protection.nominal
    online = jnp.any(start.together, axis=-1)

    def total(
        of_unit: jax.Array,
    ) -> jax.Array:  # over the island of each unit; a sum fuses, a product does not
        return jnp.sum(jnp.where(start.together, of_unit, 0.0), axis=-1)

    stored = 2.0 * total(units.inertia * units.rating) / f0
    # beyond the last stage no relay is left
    threshold = jnp.append(protection.threshold, -jnp.inf)

    def slopes(f: jax.Array, p: jax.Array, load: jax.Array) -> tuple[jax.Array, jax.Array]:
        sun = start.sun * throttled(protection, f)
        away = (f - f0) / f0
        surplus = total(p) + sun - load * (1.0 + protection.damping * away)
        wanted = start.set_point - units.rating / units.droop * away
        wanted = jnp.clip(wanted, start.lowest, start.highest)
        return jnp.where(online, surplus / jnp.maximum(stored, 1e-9), 0.0), (wanted - p) / units.lag

    def moving(carry: tuple) -> jax.Array:
        return (carry[0] < round(seconds / interval)) & jnp.any(carry[-1])

    def body(carry: tuple) -> tuple:
        k, f, p, stage, since, nadir, zenith, rate, collapsed, _ = carry
        load = jnp.take_along_axis(start.load, stage[None], axis=0)[0]
        h = interval
        a = slopes(f, p, load)
        b = slopes(f + 0.5 * h * a[0], p + 0.5 * h * a[1], load)
        c = slopes(f + 0.5 * h * b[0], p + 0.5 * h * b[1], load)
        d = slopes(f + h * c[0], p + h * c[1], load)
        f_new = f + h / 6.0 * (a[0] + 2.0 * (b[0] + c[0]) + d[0])
        p_new = p + h / 6.0 * (a[1] + 2.0 * (b[1] + c[1]) + d[1])
        f_new = jnp.where(collapsed, f, f_new)
        p_new = jnp.where(collapsed, p, p_new)
        collapsed = collapsed | (f_new < protection.lowest) | (f_new > protection.highest)
        # frequency passed the threshold within the interval, or before it
        limit = threshold[stage]
        below = h * jnp.clip((limit - f_new) / jnp.maximum(f - f_new, 1e-9), 0.0, 1.0)
        since = jnp.where(f_new < limit, since + below, 0.0)
        # a relay trips at the end of an interval, the one nearest to its time
        trips = (since > protection.delay - 0.5 * h) & ~collapsed
        slow = (jnp.abs(a[0]) < _REST) & (total(jnp.abs(a[1]) * units.lag) < _REST * total(units.rating))
        return (
            k + 1,
            f_new,
            p_new,
            stage + trips.astype(jnp.int32),
            jnp.where(trips, 0.0, since),
            jnp.minimum(nadir, f_new),
            jnp.maximum(zenith, f_new),
            jnp.maximum(rate, jnp.where(collapsed, 0.0, jnp.abs(a[0]))),
            collapsed,
            online & ~collapsed & (~slow | (f_new < limit)),
        )

    f = jnp.where(online, start.frequency, f0).astype(start.power.dtype)
    zero = jnp.zeros_like(f)
    first = (jnp.int32(0), f, start.power, jnp.zeros(f.shape, jnp.int32), zero, f, f, zero)
    first = (*first, jnp.zeros(f.shape, bool), online)
    _, f, p, stage, _, nadir, zenith, rate, collapsed, _ = jax.lax.while_loop(moving, body, first)
    bound = lambda x: jnp.clip(x, protection.lowest, protection.highest)  # noqa: E731
    return Swing(bound(f), p, stage, bound(nadir), bound(zenith), rate, collapsed & online)


def throttled(protection: Protection, frequency: jax.Array) -> jax.Array:
    """Share of sun that inverters let through at `frequency` (Hz, `[...]`): IEEE 1547-2018."""
    return jnp.clip(1.0 - protection.throttle * (frequency - protection.throttle_from), 0.0, 1.0)


class Settled(NamedTuple):
    """Operating point after a disturbance; leading axes those of the load."""

    frequency: jax.Array  # [..., n_unit], Hz
    power: jax.Array  # [..., n_unit], kW
    sun: jax.Array  # [..., n_unit], kW used, of the island
    short: jax.Array  # [..., n_unit], kW of load beyond all that the island has, >= 0
    surplus: jax.Array  # [..., n_unit], kW that it cannot do without, >= 0: for a load bank


def settle(units: Forming, protection: Protection, start: Start, load: jax.Array) -> Settled:
    """Where droop leads for `load` `[..., n_unit]`, kW of each unit's island; exact, without iteration.

    What islands supply falls with frequency along straight lines between corners: a unit at a limit, sun
    throttled or not. The frequency dependence of load acts for seconds and is not in it.
    """
    f0 = protection.nominal
    member = start.together.astype(start.power.dtype)

    def at_corner(limit):
        return f0 * (1.0 - units.droop * (limit - start.set_point) / units.rating)

    ends = jnp.stack(
        [protection.throttle_from, protection.throttle_from + 1.0 / jnp.maximum(protection.throttle, 1e-6)]
    )
    corners = jnp.sort(jnp.concatenate([at_corner(start.lowest), at_corner(start.highest), ends]))
    online = jnp.any(start.together, axis=-1)
    sun = jnp.where(online, start.sun, 0.0)

    def power(f):  # of every unit at its own frequency, [..., n_unit]
        wanted = start.set_point - units.rating / units.droop * (f / f0 - 1.0)
        return jnp.where(online, jnp.clip(wanted, start.lowest, start.highest), 0.0)

    # supply of every island at every corner, [n_corner, n_unit], falling with the corner
    each = jnp.broadcast_to(corners[:, None], (corners.shape[0], online.shape[0]))
    supply = power(each) @ member.T + sun * throttled(protection, each)
    wanted = load[..., None, :]
    enough = supply >= wanted
    below = jnp.sum(enough, axis=-2) - 1  # the last corner that supplies enough
    low = jnp.clip(below, 0, corners.shape[0] - 2)
    f_low, f_high = corners[low], corners[low + 1]
    s_low = jnp.take_along_axis(supply, low.reshape(-1, low.shape[-1]), axis=0).reshape(low.shape)
    s_high = jnp.take_along_axis(supply, low.reshape(-1, low.shape[-1]) + 1, axis=0).reshape(low.shape)
    span = jnp.maximum(s_low - s_high, 1e-9)
    share = jnp.clip((s_low - load) / span, 0.0, 1.0)
    f = jnp.where(online, f_low + share * (f_high - f_low), f0)
    return Settled(
        frequency=jnp.clip(f, protection.lowest, protection.highest),
        power=power(f),
        sun=sun * throttled(protection, f),
        short=jnp.where(online, jnp.maximum(load - supply[0], 0.0), 0.0),
        surplus=jnp.where(online, jnp.maximum(supply[-1] - load, 0.0), 0.0),
    )
