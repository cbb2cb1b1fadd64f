"""From what every bus draws to the state of the network: one power flow, whatever the topology."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs.resilience import outside
from gridjax.envs.resilience.state import Params, State
from gridjax.envs.resilience.supply import Supply
from gridjax.envs.resilience.topology import Layout, Parts
from gridjax.powerflow import solve

# p.u., of Newton's last step, whose square is what is left then
_TOLERANCE = 1e-4
_SLACK = 0.01  # share of the rating by which losses may take a reference beyond its limits


class Grid(NamedTuple):
    """A solved step; dead buses have voltage 0."""

    voltage: jax.Array  # [n_bus], p.u., magnitude
    power: jax.Array  # [n_unit], kW supplied, losses included
    exchange: jax.Array  # [n_switch], kW into the campus through switches to the grid, 0 for others
    losses: jax.Array  # [], kW, of the campus
    loading: jax.Array  # [n_branch], share of the rating
    converged: jax.Array  # [], bool: solved, and no reference beyond its limits
    deviation: jax.Array  # [2, n_bus]


def run(
    layout: Layout,
    buses: tuple[int, ...],
    reactive: jax.Array,
    given: Supply,
    parts: Parts,
    state: State,
    params: Params,
    max_iterations: int,
) -> Grid:
    """Solve the step; `reactive` is the demand of the campus, kVAr `[n_bus]`, `buses` those of the units.

    The reference of every island is its slack; the other units of an island carry a part of its reactive
    demand by their rating.
    """
    network, campus = params.network, params.campus
    base = jnp.asarray(network.base_mva, reactive.dtype) * 1e3
    at = jnp.array(buses)
    town_p, town_q = outside.background(state.clock, params)
    rating = jnp.where(given.islanded, campus.forming.rating, 0.0)
    together = parts.label[at][:, None] == parts.label[at]
    island = parts.label[at][:, None] == parts.label
    wanted = jnp.sum(jnp.where(island, reactive, 0.0), axis=-1)
    capacity = jnp.sum(jnp.where(together, rating, 0.0), axis=-1)
    shared = wanted * rating / jnp.maximum(capacity, 1e-9)
    unit_p = jnp.zeros_like(reactive).at[at].add(given.power - given.dumped)
    unit_q = jnp.zeros_like(reactive).at[at].add(shared)
    p = unit_p + given.sun - jnp.sum(given.served, axis=-1)
    q = unit_q - reactive
    flow = solve(
        network,
        jax.lax.complex(p / base - town_p, q / base - town_q),
        method="newton",
        solver=params.newton,
        start=jax.lax.complex(state.deviation[0], state.deviation[1]),
        branch_status=parts.status,
        backup_slack=tuple((bus, 1.0) for bus in buses),
        backup_available=given.reference,
        tolerance=_TOLERANCE,
        max_iterations=max_iterations,
    )
    n_slack = len(network.slack_buses)
    rest = jnp.where(given.reference, flow.slack_power.real[n_slack:] * base, 0.0)
    # a reference that must give what it does not have trips, and its island with it
    power, slack = given.power + rest, _SLACK * campus.forming.rating
    over = given.reference & ((power > given.highest + slack) | (power < given.lowest - slack))
    good = flow.converged & ~jnp.any(over)
    squared = flow.voltage.real**2 + flow.voltage.imag**2
    live = given.live | ~jnp.array(layout.campus)
    voltage = jnp.where(good & live, jnp.sqrt(jnp.where(squared > 0.0, squared, 1.0)), 0.0)
    of_campus = jnp.array(layout.campus)
    inside = of_campus[network.from_bus] & of_campus[network.to_bus]
    lost = jnp.sum(jnp.where(inside, (flow.power_from + flow.power_to).real, 0.0)) * base
    rows = np.array(layout.switches)
    forward = of_campus[np.array(layout.to_bus)]
    through = -jnp.where(forward, flow.power_to[rows].real, flow.power_from[rows].real) * base
    return Grid(
        voltage=voltage,
        power=jnp.where(good, power, 0.0),
        exchange=jnp.where(good & jnp.array(layout.to_grid), through, 0.0),
        losses=jnp.where(good, lost, 0.0),
        loading=jnp.where(good, flow.loading, 0.0),
        converged=good,
        deviation=jax.lax.stop_gradient(
            jnp.where(good, jnp.stack([flow.deviation.real, flow.deviation.imag]), 0.0)
        ),
    )
