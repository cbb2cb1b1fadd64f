"""From what every agent draws to the state of the network: one power flow."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from gridjax.devices import droop_frequency
from gridjax.envs.smart_grid import outside
from gridjax.envs.smart_grid.state import Params, State
from gridjax.envs.stability import stability_index
from gridjax.powerflow import solve

NOMINAL_FREQUENCY = 50.0  # Hz


class Grid(NamedTuple):
    """A solved step; at rest where the power flow fails."""

    voltage: jax.Array  # [n_bus], p.u., magnitude
    loading: jax.Array  # [n_branch], share of the rating
    losses: jax.Array  # [], kW
    slack: jax.Array  # [], kW supplied by the grid, or by the grid-forming unit of an island
    others: jax.Array  # [], kW taken by those who are no agents
    shed: jax.Array  # [], kW of their demand that an island cannot feed
    frequency: jax.Array  # [], Hz
    stability: jax.Array  # [], in [0, 1]
    loss_slope: jax.Array  # [n_agent], kW of losses per kW injected
    converged: jax.Array  # [], bool
    deviation: jax.Array  # [2, n_bus]


def run(drawn: jax.Array, reactive: jax.Array, state: State, params: Params, max_iterations: int) -> Grid:
    """Solve the step in which agents draw `drawn` (kW) and `reactive` (kVAr), both `[n_agent]`.

    Without connection the slack is a grid-forming unit of limited power: others are fed as far as that
    reaches, all alike, and frequency follows its droop.
    """
    network, now = params.network, state.now
    base = jnp.asarray(network.base_mva, drawn.dtype) * 1e3
    active, imaginary = outside.background(state.clock, params)
    active, imaginary = active * now.demand_factor, imaginary * now.demand_factor
    wanted = jnp.sum(active)
    fed = jnp.minimum(1.0, params.island_power / base / jnp.maximum(wanted, 1e-9))
    fed = jnp.where(now.connected, 1.0, fed)
    present = params.agents_at >= 0
    at_bus = jnp.stack([drawn, reactive]) / base
    at_bus = jnp.sum(jnp.where(present, at_bus[:, jnp.maximum(params.agents_at, 0)], 0.0), axis=-1)
    p, q = -(at_bus[0] + fed * active), -(at_bus[1] + fed * imaginary)
    flow = solve(
        network,
        jax.lax.complex(p, q),
        method="chord",
        solver=params.chord,
        start=jax.lax.complex(state.deviation[0], state.deviation[1]),
        max_iterations=max_iterations,
    )
    good = flow.converged
    squared = flow.voltage.real**2 + flow.voltage.imag**2
    voltage = jnp.where(good, jnp.sqrt(jnp.where(good, squared, 1.0)), 1.0)
    loading = jnp.where(good, flow.loading, 0.0)
    slack = jnp.where(good, jnp.sum(flow.slack_power.real, axis=-1), 0.0) * base
    frequency = droop_frequency(slack, params.island_power, params.island_droop, NOMINAL_FREQUENCY)
    frequency = jnp.where(now.connected, NOMINAL_FREQUENCY, frequency).astype(drawn.dtype)
    return Grid(
        voltage=voltage,
        loading=loading,
        losses=jnp.where(good, flow.losses, 0.0) * base,
        slack=slack,
        others=fed * wanted * base,
        shed=(1.0 - fed) * wanted * base,
        frequency=frequency,
        stability=stability_index(voltage, loading, frequency, NOMINAL_FREQUENCY),
        loss_slope=jnp.asarray(params.loss_matrix) @ p,
        converged=good,
        deviation=jax.lax.stop_gradient(
            jnp.where(good, jnp.stack([flow.deviation.real, flow.deviation.imag]), 0.0)
        ),
    )
