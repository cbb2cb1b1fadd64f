"""DC power flow and its distribution factors: the linear model for screening.

Lossless branches at 1 p.u. voltage (MATPOWER manual, section 3.7; pandapower's `rundcpp`):

    P_k = (theta_from - theta_to - phase_shift_k) / (reactance_k tap_ratio_k)

with shunt conductances and voltage-dependent loads as they are at 1 p.u. All functions can be jitted,
mapped and differentiated.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from gridjax.network import Network
from gridjax.powerflow.topology import energised as connected_to_slack
from gridjax.powerflow.topology import slack_mask

Array = Any


class DirectFlow(NamedTuple):
    """A DC power flow per scenario."""

    angle: jax.Array  # [..., n_bus], rad; 0 at dead buses
    power: jax.Array  # [..., n_branch], active p.u., from the from end to the to end
    loading: jax.Array  # [..., n_branch], share of the rating at 1 p.u. voltage; 0 where unrated
    slack_power: jax.Array  # [..., n_slack], active p.u., beyond the bus's own injection
    energised: jax.Array  # [..., n_bus], bool, connected to a slack bus


def solve_dc(network: Network, injection: Array, branch_status: Array | None = None) -> DirectFlow:
    """Solve the DC power flow for every scenario.

    Args:
        network: any; reactances must not be zero.
        injection: p.u. `[..., n_bus]`, generation positive; the real part of a complex one counts.
        branch_status: `[..., n_branch]`, zero where a branch is out; what has no source is dead.

    Raises `ValueError` for a wrong shape, or a branch without reactance (where they are not traced).
    """
    injection = jnp.asarray(injection)
    if injection.ndim == 0 or injection.shape[-1] != network.n_bus:
        raise ValueError(f"injection has shape {injection.shape}, expected [..., {network.n_bus}]")
    susceptance = _susceptance(network, injection.real.dtype)
    f, t, n = network.from_bus, network.to_bus, network.n_bus
    dtype = susceptance.dtype
    own = network.constant_current.real + network.constant_impedance.real - network.shunt.real
    power = injection.real + jnp.asarray(own, dtype)
    live: Any = jnp.ones(n, bool)
    if branch_status is not None:
        live = connected_to_slack(network, branch_status)
        susceptance = susceptance * jnp.asarray(branch_status, dtype)
    shift = susceptance * jnp.asarray(network.phase_shift, dtype)
    driven = power + _to_buses(network, shift)

    slack = np.array(network.slack_buses)
    reference = jnp.zeros(n, dtype).at[slack].set(jnp.angle(jnp.asarray(network.slack_voltage)).astype(dtype))
    solved = jnp.asarray(live & ~slack_mask(network))
    matrix = _laplacian(network, susceptance)
    rhs = driven - _times(matrix, reference)
    matrix = jnp.where(solved[..., :, None] & solved[..., None, :], matrix, jnp.eye(n, dtype=dtype))
    batch = jnp.broadcast_shapes(rhs.shape, solved.shape)
    rhs = jnp.broadcast_to(jnp.where(solved, rhs, 0.0), batch)
    if matrix.ndim == 2:
        angle = jnp.linalg.solve(matrix, rhs.reshape(-1, n).T).T.reshape(batch)
    else:
        angle = jnp.linalg.solve(matrix, rhs[..., None])[..., 0]
    angle = angle + reference
    alive = live[..., f] & live[..., t]
    flow = jnp.where(alive, susceptance * (angle[..., f] - angle[..., t]) - shift, 0.0)
    rating = jnp.minimum(jnp.asarray(network.rating_from, dtype), jnp.asarray(network.rating_to, dtype))
    return DirectFlow(
        angle=jnp.where(live, angle, 0.0),
        power=flow,
        loading=jnp.abs(flow) / rating,
        slack_power=(_to_buses(network, flow) - power)[..., slack],
        energised=jnp.broadcast_to(live, batch),
    )


def ptdf(network: Network) -> jax.Array:
    """Power transfer distribution factors `[n_branch, n_bus]`: branch flow per injection at a bus.

    The injection is taken up by the slack buses, whose columns are zero; where there are several, they
    share it as their held angles demand.
    """
    susceptance = _susceptance(network)
    n = network.n_bus
    free = ~slack_mask(network)
    matrix = _laplacian(network, susceptance)
    matrix = jnp.where(free[:, None] & free[None, :], matrix, jnp.eye(n, dtype=matrix.dtype))
    angle = jnp.where(free[:, None] & free[None, :], jnp.linalg.inv(matrix), 0.0)
    return susceptance[:, None] * (angle[network.from_bus] - angle[network.to_bus])


def lodf(network: Network, factors: Array | None = None) -> jax.Array:
    """Line outage distribution factors `[n_branch, n_branch]`: after the outage of branch k, branch l
    carries `power[l] + lodf[l, k] * power[k]`.

    `factors` is `ptdf(network)`, computed here if absent. Where k is a bridge, its far side goes dead:
    the live side answers to the loss of the bridge's flow, and in rows of dead branches the column is
    zero, for they carry nothing (`DirectFlow.energised` tells them). The diagonal is -1, nothing is NaN.
    """
    h = ptdf(network) if factors is None else jnp.asarray(factors)
    f, t, rows = network.from_bus, network.to_bus, np.arange(network.n_branch)
    transfer = h[:, f] - h[:, t]  # of a unit from one end of k to the other
    left = 1.0 - jnp.diagonal(transfer)
    bridge = jnp.abs(left) < jnp.finfo(h.dtype).eps ** 0.5
    meshed = transfer / jnp.where(bridge, 1.0, left)
    from_is_dead = h[rows, f] > 0.5
    radial = jnp.where(from_is_dead, -h[:, t], h[:, f])
    return jnp.where(bridge, radial, meshed).at[rows, rows].set(-1.0)


def _susceptance(network: Network, dtype: Any = None) -> jax.Array:
    reactance = network.reactance
    if not isinstance(reactance, Tracer) and np.any(np.asarray(reactance) == 0.0):
        row = int(np.flatnonzero(np.asarray(reactance) == 0.0)[0])
        raise ValueError(
            f"network {network.name!r}: branch {row} ({network.branch_labels[row]}) has no reactance, "
            "which the DC power flow needs"
        )
    return jnp.asarray(1.0 / (reactance * network.tap_ratio), dtype)


def _laplacian(network: Network, susceptance: jax.Array) -> jax.Array:
    """`[..., n_bus, n_bus]` from `[..., n_branch]`."""
    f, t, n = network.from_bus, network.to_bus, network.n_bus
    matrix = jnp.zeros((*susceptance.shape[:-1], n, n), susceptance.dtype)
    matrix = matrix.at[..., f, f].add(susceptance).at[..., t, t].add(susceptance)
    return matrix.at[..., f, t].add(-susceptance).at[..., t, f].add(-susceptance)


def _to_buses(network: Network, flow: jax.Array) -> jax.Array:
    """What the buses send into the branches, `[..., n_bus]`."""
    total = jnp.zeros((*flow.shape[:-1], network.n_bus), flow.dtype)
    return total.at[..., network.from_bus].add(flow).at[..., network.to_bus].add(-flow)


def _times(matrix: jax.Array, vector: jax.Array) -> jax.Array:
    return jnp.matmul(matrix, vector, precision=jax.lax.Precision.HIGHEST)
