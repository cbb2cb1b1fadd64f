"""What flows through the branches, from the deviation e of the bus voltages."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gridjax.network import Network
from gridjax.powerflow.nominal import Nominal, complex_tap

Array = Any


class BranchFlow(NamedTuple):
    """Both ends of every branch, complex p.u. `[..., n_branch]`; positive into the branch."""

    power_from: jax.Array
    power_to: jax.Array
    current_from: jax.Array
    current_to: jax.Array
    losses: jax.Array  # [...], active p.u., all branches together


def branch_flow(
    network: Network,
    nominal: Nominal,
    deviation: jax.Array,
    service: jax.Array | None = None,
    remainder: jax.Array | None = None,
) -> BranchFlow:
    """Currents, powers and losses at V = V_n (1 + e), `deviation` e complex `[..., n_bus]`.

    `service` `[..., n_branch]` is 0 where a branch carries nothing and 1 elsewhere; `None`: all are live.
    `remainder`, complex `[..., n_bus]`, is what is to be added to e, far below its rounding.
    The voltage across a series element is its nominal value plus a small change, never the difference
    of two stored voltages, so float32 keeps the digits of the losses.
    """
    dtype = deviation.dtype
    v_n = jnp.asarray(nominal.voltage, dtype)
    shift = v_n * deviation
    voltage = v_n + shift
    f, t = network.from_bus, network.to_bus
    inverse_tap = (1.0 / complex_tap(network)).astype(dtype)
    nominal_tap = jnp.asarray(nominal.inverse_tap, dtype)
    v_from, v_to = voltage[..., f], voltage[..., t]
    drop = jnp.asarray(nominal.drop, dtype) + (shift[..., f] * nominal_tap - shift[..., t])
    if remainder is not None:
        small = v_n * remainder
        drop = drop + (small[..., f] * nominal_tap - small[..., t])
    drop = drop + v_from * (inverse_tap - nominal_tap)  # zero in value; carries the derivative in the tap
    series = jnp.asarray(1.0 / (network.resistance + 1j * network.reactance), dtype)
    inner = v_from * inverse_tap
    charging_from = jnp.asarray(network.charging_from, dtype)
    charging_to = jnp.asarray(network.charging_to, dtype)
    through = series * drop
    inner_current = through + charging_from * inner
    lost = (
        series.real * _squared(drop)
        + charging_from.real * _squared(inner)
        + charging_to.real * _squared(v_to)
    )
    current_to = charging_to * v_to - through
    if service is not None:
        inner_current, current_to, lost = inner_current * service, current_to * service, lost * service
    return BranchFlow(
        power_from=inner * jnp.conj(inner_current),
        power_to=v_to * jnp.conj(current_to),
        current_from=inner_current * jnp.conj(inverse_tap),
        current_to=current_to,
        losses=jnp.sum(lost, axis=-1),
    )


def losses(network: Network, nominal: Nominal, deviation: jax.Array) -> jax.Array:
    """Active losses of all branches at packed real e `[..., 2 n_bus]`, p.u. `[...]`: the lean way.

    Equals `branch_flow(...).losses`; real arithmetic and one gather per branch end.
    """
    dtype, n = deviation.dtype, network.n_bus
    f, t = network.from_bus, network.to_bus
    v_n = jnp.asarray(nominal.voltage)
    a, c = v_n[f] * jnp.asarray(nominal.inverse_tap), v_n[t]
    e_from = deviation[..., f], deviation[..., f + n]
    e_to = deviation[..., t], deviation[..., t + n]
    drop = jnp.asarray(nominal.drop)
    re = drop.real + a.real * e_from[0] - a.imag * e_from[1] - (c.real * e_to[0] - c.imag * e_to[1])
    im = drop.imag + a.real * e_from[1] + a.imag * e_from[0] - (c.real * e_to[1] + c.imag * e_to[0])
    conductance = network.resistance / (network.resistance**2 + network.reactance**2)
    series = jnp.sum(jnp.asarray(conductance, dtype) * (re * re + im * im).astype(dtype), axis=-1)
    to_ground = jnp.zeros(n, dtype).at[f].add(network.charging_from.real / network.tap_ratio**2)
    to_ground = to_ground.at[t].add(network.charging_to.real) * jnp.abs(v_n).astype(dtype) ** 2
    bottom = 1.0 + deviation[..., :n]
    return series + jnp.sum(to_ground * (bottom * bottom + deviation[..., n:] ** 2), axis=-1)


def _squared(value: jax.Array) -> jax.Array:
    return value.real**2 + value.imag**2
