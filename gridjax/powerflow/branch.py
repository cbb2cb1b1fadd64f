"""What flows through the branches, from the deviation e of the bus voltages."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gridjax.network import Network
from gridjax.powerflow.double import completed
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
) -> BranchFlow:
    """Currents, powers and losses at V = V_n (1 + e), `deviation` e complex `[..., n_bus]`.

    `service` `[..., n_branch]` is 0 where a branch carries nothing and 1 elsewhere; `None`: all are live.
    The voltage across a series element is its nominal value plus a small change, never the difference
    of two stored voltages, so float32 keeps the digits of the losses.
    """
    dtype = deviation.dtype
    inner = across(network, nominal, deviation)
    charging_from, charging_to = charging(network, nominal, dtype)
    inner_current = inner.current + charging_from * inner.voltage
    lost = (
        inner.lost
        + charging_from.real * _squared(inner.voltage)
        + charging_to.real * _squared(inner.voltage_to)
    )
    current_to = charging_to * inner.voltage_to - inner.current
    if service is not None:
        inner_current, current_to, lost = inner_current * service, current_to * service, lost * service
    return BranchFlow(
        power_from=inner.voltage * jnp.conj(inner_current),
        power_to=inner.voltage_to * jnp.conj(current_to),
        current_from=inner_current * jnp.conj(inner.inverse_tap),
        current_to=current_to,
        losses=jnp.sum(lost, axis=-1),
    )


class Across(NamedTuple):
    """The series element of every branch, complex p.u. `[..., n_branch]`."""

    current: jax.Array  # from the inner end of the ideal transformer to the to end
    voltage: jax.Array  # at the inner end of the ideal transformer
    voltage_to: jax.Array
    inverse_tap: jax.Array  # [n_branch]
    lost: jax.Array  # real


def across(network: Network, nominal: Nominal, deviation: jax.Array) -> Across:
    """Series elements at V = V_n (1 + e), as `branch_flow`."""
    dtype = deviation.dtype
    f, t = network.from_bus, network.to_bus
    nominal_tap = jnp.asarray(nominal.inverse_tap, dtype)
    inverse_tap = completed((1.0 / complex_tap(network)).astype(dtype), nominal_tap)
    v_n, drop_n, inner_n = (
        jnp.asarray(part, dtype) for part in (nominal.voltage, nominal.drop, nominal.inner)
    )
    e_from, e_to = deviation[..., f], deviation[..., t]
    apart = e_from - e_to  # first: the difference of two numbers so close is exact
    small = drop_n * e_to
    if dtype == jnp.complex64:  # a branch with little load has little left of the nominal drop
        small = small + (nominal.lost["drop"] + nominal.lost["inner"] * apart)
    drop = drop_n + inner_n * apart + small
    v_from = v_n[f] * (1.0 + e_from)
    drop = drop + v_from * (inverse_tap - nominal_tap)  # zero in value; carries the derivative in the tap
    series = jnp.asarray(1.0 / (network.resistance + 1j * network.reactance), dtype)
    series = completed(series, jnp.asarray(nominal.series))
    return Across(
        current=series * drop,
        voltage=v_from * inverse_tap,
        voltage_to=v_n[t] * (1.0 + e_to),
        inverse_tap=inverse_tap,
        lost=series.real * _squared(drop),
    )


def charging(network: Network, nominal: Nominal, dtype) -> tuple[jax.Array, jax.Array]:
    """Charging admittances at the from and at the to end, `[n_branch]` each."""
    given = (network.charging_from, nominal.charging_from), (network.charging_to, nominal.charging_to)
    at_from, at_to = (completed(jnp.asarray(value, dtype), jnp.asarray(known)) for value, known in given)
    return at_from, at_to


def losses(network: Network, nominal: Nominal, deviation: jax.Array) -> jax.Array:
    """Active losses of all branches at packed real e `[..., 2 n_bus]`, p.u. `[...]`: the lean way.

    Equals `branch_flow(...).losses`; real arithmetic and one gather per branch end.
    """
    dtype, n = deviation.dtype, network.n_bus
    f, t = network.from_bus, network.to_bus
    v_n = jnp.asarray(nominal.voltage)
    a = jnp.asarray(nominal.inner)
    e_from = deviation[..., f], deviation[..., f + n]
    e_to = deviation[..., t], deviation[..., t + n]
    drop = jnp.asarray(nominal.drop)
    apart = e_from[0] - e_to[0], e_from[1] - e_to[1]
    re = drop.real * (1.0 + e_to[0]) - drop.imag * e_to[1] + (a.real * apart[0] - a.imag * apart[1])
    im = drop.imag * (1.0 + e_to[0]) + drop.real * e_to[1] + (a.real * apart[1] + a.imag * apart[0])
    conductance = network.resistance / (network.resistance**2 + network.reactance**2)
    series = jnp.sum(jnp.asarray(conductance, dtype) * (re * re + im * im).astype(dtype), axis=-1)
    to_ground = jnp.zeros(n, dtype).at[f].add(network.charging_from.real / network.tap_ratio**2)
    to_ground = to_ground.at[t].add(network.charging_to.real) * jnp.abs(v_n).astype(dtype) ** 2
    bottom = 1.0 + deviation[..., :n]
    return series + jnp.sum(to_ground * (bottom * bottom + deviation[..., n:] ** 2), axis=-1)


def _squared(value: jax.Array) -> jax.Array:
    return value.real**2 + value.imag**2
