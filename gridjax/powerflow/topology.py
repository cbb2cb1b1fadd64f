"""Which buses are connected to a source, and who forms the voltage of an island; inside a program.

Branch status is a number per scenario and branch, `[..., n_branch]`: zero is out of service.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.powerflow.double import unshared

Array = Any


class Sources(NamedTuple):
    """Who holds the voltage in each scenario."""

    slack: jax.Array  # [..., n_bus], bool, the network's slack buses and those that took over an island
    energised: jax.Array  # [..., n_bus], bool, connected to one of them
    magnitude: jax.Array  # [..., n_bus], p.u., what a bus that took over holds; 0 elsewhere
    took_over: jax.Array  # [..., n_backup], bool, the backups that did; at most one of those that share a bus


def components(network: Network, branch_status: Array) -> jax.Array:
    """Connected components: the lowest bus row in the component of every bus, int32 `[..., n_bus]`.

    Labels are hooked across every branch in service and halved by pointer jumping until nothing
    changes (Shiloach and Vishkin 1982): a number of rounds that grows as the logarithm of `n_bus`.
    """
    status = jnp.asarray(branch_status) != 0
    batch = status.shape[:-1]
    label = _components(unshared(network), status.reshape(-1, network.n_branch))
    return label.reshape(*batch, network.n_bus)


@jax.jit
def _components(network: Network, live: jax.Array) -> jax.Array:
    n = network.n_bus
    f, t = jnp.asarray(network.from_bus), jnp.asarray(network.to_bus)
    scenario = jnp.arange(live.shape[0])[:, None]

    def hook(carry):
        label, _ = carry
        a, b = label[:, f], label[:, t]
        low = jnp.where(live, jnp.minimum(a, b), n)
        # both ends and what they point at: a root may hang on a lower label
        new = label.at[scenario, a].min(low).at[scenario, b].min(low)
        new = new.at[:, f].min(low).at[:, t].min(low)
        for _ in range(2):
            new = jnp.take_along_axis(new, new, axis=-1)
        return new, jnp.any(new != label)

    start = jnp.broadcast_to(jnp.arange(n, dtype=jnp.int32), (live.shape[0], n))
    return jax.lax.while_loop(lambda carry: carry[1], hook, (start, jnp.asarray(True)))[0]


def connected(label: jax.Array, chosen: Array) -> jax.Array:
    """Whether each bus shares its component with a chosen one: bool `[..., n_bus]`.

    `label` is from `components`, `chosen` bool `[..., n_bus]`.
    """
    n = label.shape[-1]
    batch = jnp.broadcast_shapes(label.shape, jnp.shape(chosen))
    flat = jnp.broadcast_to(label, batch).reshape(-1, n)
    marked = jnp.broadcast_to(jnp.asarray(chosen), batch).reshape(-1, n)
    scenario = jnp.arange(flat.shape[0])[:, None]
    found = jnp.zeros(flat.shape, bool).at[scenario, flat].max(marked)
    return jnp.take_along_axis(found, flat, axis=-1).reshape(batch)


def energised(network: Network, branch_status: Array) -> jax.Array:
    """Whether each bus is connected to a slack bus of the network: bool `[..., n_bus]`."""
    return connected(components(network, branch_status), slack_mask(network))


def slack_mask(network: Network) -> np.ndarray:
    """The network's own slack buses: bool `[n_bus]`."""
    return np.isin(np.arange(network.n_bus), network.slack_buses)


def sources(
    network: Network,
    branch_status: Array,
    backup: tuple[tuple[int, float], ...] = (),
    available: Array | None = None,
) -> Sources:
    """The slack buses of every scenario; an island without one is taken over by its first backup.

    `backup` lists (bus row, voltage magnitude in p.u.) in order of priority, such as the buses of
    grid-forming batteries. A backup in a component that already has a source stays what it was.
    `available` `[..., n_backup]` is zero where a backup cannot take over in that scenario, such as an
    empty battery; default all can. Its leading axes and those of `branch_status` broadcast.

    Raises `ValueError` for a row that is not in the network, a voltage that is not positive, or
    `available` without one entry per backup.
    """
    for row, magnitude in backup:
        if not 0 <= row < network.n_bus:
            raise ValueError(
                f"backup bus {row} must lie in [0, {network.n_bus}) for network {network.name!r}"
            )
        if not magnitude > 0:
            raise ValueError(f"backup bus {row}: voltage must be positive, got {magnitude}")
    label = components(network, branch_status)
    if available is not None:
        available = jnp.asarray(available) != 0
        if available.ndim == 0 or available.shape[-1] != len(backup):
            raise ValueError(
                f"available has shape {available.shape}, expected [..., {len(backup)}] "
                f"for network {network.name!r}"
            )
        batch = jnp.broadcast_shapes(label.shape[:-1], available.shape[:-1])
        label = jnp.broadcast_to(label, (*batch, network.n_bus))
    slack = jnp.broadcast_to(slack_mask(network), label.shape)
    held = jnp.zeros(label.shape, jnp.result_type(float))
    live = connected(label, slack)
    took_over = jnp.zeros((*label.shape[:-1], len(backup)), bool)
    for k, (row, magnitude) in enumerate(backup):
        takes_over = ~live[..., row]
        if available is not None:
            takes_over = takes_over & available[..., k]
        took_over = took_over.at[..., k].set(takes_over)
        slack = slack.at[..., row].set(slack[..., row] | takes_over)
        held = held.at[..., row].set(jnp.where(takes_over, magnitude, held[..., row]))
        live = live | (takes_over[..., None] & (label == label[..., row, None]))
    return Sources(slack=slack, energised=live, magnitude=held, took_over=took_over)
