"""The power flow equations of a batch whose scenarios may differ in topology and kinds of bus.

With V = V_n (1 + e) and S(V) = injection + constant_current |V| + constant_impedance |V|^2 the residual is

    PQ:     conj(V) (Y V) - conj(S(V))
    PV:     its real part, and (|V|^2 - v^2) / 2 as imaginary part
    slack and dead buses: 0.

Currents come from the branches and from e, never from Y V, so float32 keeps its digits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.powerflow.branch import across, charging
from gridjax.powerflow.double import completed
from gridjax.powerflow.nominal import Nominal, real_form
from gridjax.powerflow.topology import components, connected, slack_mask

Array = Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Equations:
    """What is to be solved, per scenario; complex p.u., masks are bool."""

    network: Network
    nominal: Nominal
    injection: Array  # [..., n_bus]
    constant_current: Array  # [..., n_bus]
    constant_impedance: Array  # [..., n_bus]
    branch_status: Array | None  # [..., n_branch], None where all are in service
    slack: Array  # [..., n_bus]
    controlled: Array  # [..., n_bus], PV buses that hold their magnitude
    energised: Array  # [..., n_bus]
    set_point: Array  # [n_bus], p.u., magnitude where controlled


def equations(
    network: Network,
    nominal: Nominal,
    injection: Array,
    *,
    constant_current: Array | None = None,
    constant_impedance: Array | None = None,
    branch_status: Array | None = None,
    slack: Array | None = None,
    energised: Array | None = None,
) -> Equations:
    """The equations of `injection` `[..., n_bus]`; what is `None` is the network's own.

    `branch_status` `[..., n_branch]` takes branches out where it is zero; buses without a source are
    then dead. `slack` `[..., n_bus]` replaces the network's slack buses, see `topology.sources`;
    `energised` `[..., n_bus]` is worked out from both unless given.
    """
    injection = jnp.asarray(injection)
    real = injection.real.dtype
    n = network.n_bus
    is_slack = slack_mask(network) if slack is None else jnp.asarray(slack)
    live: Any = np.ones(n, bool) if energised is None else energised
    if energised is None and (branch_status is not None or slack is not None):
        status = jnp.ones(network.n_branch) if branch_status is None else branch_status
        live = connected(components(network, status), is_slack)
    rows = np.array(network.pv_buses, int)
    kind = np.isin(np.arange(n), rows)
    held = completed(jnp.asarray(network.pv_voltage, real), jnp.abs(jnp.asarray(nominal.voltage))[rows])
    own_current = network.constant_current if constant_current is None else constant_current
    own_impedance = network.constant_impedance if constant_impedance is None else constant_impedance
    return Equations(
        network=network,
        nominal=nominal,
        injection=injection,
        constant_current=jnp.asarray(own_current, injection.dtype),
        constant_impedance=jnp.asarray(own_impedance, injection.dtype),
        branch_status=None if branch_status is None else jnp.asarray(branch_status, real),
        slack=is_slack & live,
        controlled=kind & live & ~is_slack,
        energised=live,
        set_point=jnp.ones(n, real).at[rows].set(held),
    )


def limit_reactive(system: Equations, side: jax.Array) -> Equations:
    """Turn PV buses into PQ buses at their limit: `side` `[..., n_pv]` is 1 at the upper, -1 at the lower."""
    network = system.network
    rows = np.array(network.pv_buses, int)
    real = system.injection.real.dtype
    high, low = jnp.asarray(network.reactive_max, real), jnp.asarray(network.reactive_min, real)
    fixed = jnp.where(side > 0, high, jnp.where(side < 0, low, 0.0))
    injection = system.injection.at[..., rows].add(1j * fixed)
    shape = jnp.broadcast_shapes(system.controlled.shape, (*side.shape[:-1], network.n_bus))
    controlled = jnp.broadcast_to(system.controlled, shape)
    controlled = controlled.at[..., rows].set(controlled[..., rows] & (side == 0))
    return replace(system, injection=injection, controlled=controlled)


def scheduled(system: Equations, deviation: jax.Array) -> jax.Array:
    """What the buses inject at V = V_n (1 + e): S(V), complex p.u. `[..., n_bus]`."""
    magnitude = jnp.abs(jnp.asarray(system.nominal.voltage, deviation.dtype) * (1.0 + deviation))
    return system.injection + system.constant_current * magnitude + system.constant_impedance * magnitude**2


def in_service(system: Equations) -> jax.Array | None:
    """1 where a branch is in service and supplied, else 0, `[..., n_branch]`; `None` where all are."""
    if system.branch_status is None:
        return None
    return system.branch_status * system.energised[..., system.network.from_bus]


def drawn(system: Equations, deviation: jax.Array) -> jax.Array:
    """What the network draws at every bus: V conj(Y V), complex p.u. `[..., n_bus]`."""
    network = system.network
    f, t, dtype = network.from_bus, network.to_bus, deviation.dtype
    inner = across(network, system.nominal, deviation)
    voltage = jnp.asarray(system.nominal.voltage, dtype) * (1.0 + deviation)
    current = inner.current
    at_from, at_to = charging(network, system.nominal, dtype)
    at_from = at_from * (inner.inverse_tap * jnp.conj(inner.inverse_tap))
    if system.branch_status is not None:
        current, at_from, at_to = (part * system.branch_status for part in (current, at_from, at_to))
    # what flows on and what flows to ground apart: rounding of the former then is the same at both ends
    ground = jnp.broadcast_to(jnp.asarray(network.shunt, dtype), (*at_to.shape[:-1], network.n_bus))
    ground = ground.at[..., f].add(at_from).at[..., t].add(at_to)
    total = jnp.zeros((*current.shape[:-1], network.n_bus), dtype)
    total = total.at[..., f].add(current * jnp.conj(inner.inverse_tap)).at[..., t].add(-current)
    return voltage * jnp.conj(total + ground * voltage)


def residual(system: Equations, deviation: jax.Array) -> jax.Array:
    """The residual of the module's head, complex p.u. `[..., n_bus]`."""
    re, im = deviation.real, deviation.imag
    longer = re * (2.0 + re) + im * im  # |1 + e|^2 - 1, its digits kept
    unbalanced = jnp.conj(drawn(system, deviation) - scheduled(system, deviation))
    scale = jnp.abs(jnp.asarray(system.nominal.voltage, deviation.dtype))
    excess = 0.5 * (scale**2 * longer + (scale - system.set_point) * (scale + system.set_point))
    value = jax.lax.complex(unbalanced.real, jnp.where(system.controlled, excess, unbalanced.imag))
    return jnp.where(system.energised & ~system.slack, value, 0.0)


def admittance(system: Equations, all_branches: Array) -> jax.Array:
    """Y of every scenario, `[..., n_bus, n_bus]`, from that of the network with all branches."""
    dtype = system.injection.dtype
    matrix = jnp.asarray(all_branches, dtype)
    if system.branch_status is not None:
        matrix = matrix - _without(system.network, 1.0 - system.branch_status, dtype)
    return matrix


def jacobian(system: Equations, matrix: jax.Array, deviation: jax.Array) -> jax.Array:
    """Derivative of the residual in log V, real `[..., 2 n_bus, 2 n_bus]`; identity at slack and dead buses.

    Columns are log-magnitude and angle; `matrix` is that of `admittance`.
    """
    voltage = jnp.asarray(system.nominal.voltage, deviation.dtype) * (1.0 + deviation)
    power = jnp.conj(voltage)[..., :, None] * matrix * voltage[..., None, :]
    magnitude = jnp.abs(voltage)
    slope = system.constant_current * magnitude + 2.0 * system.constant_impedance * magnitude**2
    full = real_form(power, jnp.conj(drawn(system, deviation)))
    # diagonals by their places: a mask of the whole matrix would be formed even where nothing needs Newton
    place = np.arange(voltage.shape[-1])
    below = place + len(place)
    full = full.at[..., place, place].add(-slope.real)
    full = full.at[..., below, place].add(slope.imag)  # of conj(S)
    controlled, free = jnp.asarray(system.controlled), jnp.asarray(system.energised & ~system.slack)
    free, kept = jnp.broadcast_arrays(free, free & ~controlled)
    kept = jnp.concatenate([free, kept], axis=-1)
    full = jnp.where(kept[..., :, None], full, 0.0)
    full = full.at[..., below, place].add(jnp.where(controlled & free, magnitude**2, 0.0))
    free = jnp.concatenate([free, free], axis=-1)
    full = jnp.where(free[..., None, :], full, 0.0)
    both = np.arange(2 * len(place))
    return full.at[..., both, both].add(jnp.where(free, 0.0, 1.0).astype(full.dtype))


def _without(network: Network, share: jax.Array, dtype) -> jax.Array:
    """Admittance matrix of the share of every branch, `[..., n_bus, n_bus]`."""
    f, t, n = network.from_bus, network.to_bus, network.n_bus
    ff, ft, tf, tt = (jnp.asarray(term, dtype) * share for term in branch_admittance(network))
    matrix = jnp.zeros((*share.shape[:-1], n, n), dtype)
    return matrix.at[..., f, f].add(ff).at[..., f, t].add(ft).at[..., t, f].add(tf).at[..., t, t].add(tt)


def branch_admittance(network: Network) -> tuple[Array, Array, Array, Array]:
    """Entries of the admittance matrix that every branch adds: from-from, from-to, to-from, to-to."""
    series = 1.0 / (network.resistance + 1j * network.reactance)
    tap = network.tap_ratio * jnp.exp(1j * network.phase_shift)
    return (
        (series + network.charging_from) / network.tap_ratio**2,
        -series / jnp.conj(tap),
        -series / tap,
        series + network.charging_to,
    )
