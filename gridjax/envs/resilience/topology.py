"""Which parts of the network hang together in a step: faults, the grid's presence, and switches."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from gridjax.envs.resilience.state import Params, State
from gridjax.powerflow.topology import components, connected

NOMINAL_FREQUENCY = 50.0  # Hz


class Layout(NamedTuple):
    """Where switches are; hashable."""

    switches: tuple[int, ...]  # branch of each
    from_bus: tuple[int, ...]  # its ends
    to_bus: tuple[int, ...]
    to_grid: tuple[bool, ...]  # whether it connects the campus with the grid
    normal: tuple[bool, ...]  # whether it is closed in normal operation
    campus: tuple[bool, ...]  # of every bus, whether it is part of the campus


class Parts(NamedTuple):
    """The network in one step."""

    closed: jax.Array  # [n_switch], bool
    status: jax.Array  # [n_branch], 1 in service, 0 out
    label: jax.Array  # [n_bus], int: lowest bus of the connected part
    connected: jax.Array  # [n_bus], bool: to the grid, which is there


def parts(
    layout: Layout, wish: jax.Array, present: jax.Array, sound: jax.Array, state: State, params: Params
) -> Parts:
    """Where switches stand that wish to be closed, bool `[n_switch]`, and what hangs together then.

    `present` (bool, []) says whether the grid is there: without it, its switches open by themselves.
    `sound` (bool `[n_branch]`) are branches without fault. An open switch closes onto a dead side at once,
    between two live parts only if they are nearly synchronous.
    """
    rows = jnp.array(layout.switches)
    near, far = jnp.array(layout.from_bus), jnp.array(layout.to_bus)
    to_grid = jnp.array(layout.to_grid)
    v = state.voltage
    f = jnp.where(jnp.array(layout.campus), state.frequency, jnp.where(present, NOMINAL_FREQUENCY, 0.0))
    live = (f[near] > 0.0) & (f[far] > 0.0)
    close = (jnp.abs(f[near] - f[far]) <= params.synchronism_frequency) & (
        jnp.abs(v[near] - v[far]) <= params.synchronism_voltage
    )
    allowed = state.closed | ~live | close
    closed = wish & allowed & sound[rows] & (present | ~to_grid)
    status = sound.astype(v.dtype).at[rows].multiply(closed.astype(v.dtype))
    label = components(params.network, status)
    slack = jnp.zeros(label.shape, bool).at[jnp.array(params.network.slack_buses)].set(True)
    return Parts(closed, status, label, connected(label, slack) & present)
