"""Fixed lists of scenarios that controllers are compared on, like for like."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs.resilience.environment import Resilience
from gridjax.envs.resilience.state import Params, Scenario
from gridjax.scenarios import days, outages

_SEEDS = {"train": 1, "validation": 2, "test": 3}
_DRAWN = 64  # candidates for one that is kept
_SHORTEST = 1.0  # h of an outage that counts
_ENRICHMENT = 100.0


def outage_cases(env: Resilience, params: Params, split: str, number: int) -> Scenario:
    """`number` scenarios of `split` in each of which the grid is lost for an hour at least.

    They are drawn from `params.rates`, all that is per year a hundred times as often, and those without such
    an outage left out: how long and what else fails is as the rates have it. Days are spread evenly over
    those with which an episode within the split begins. A function of the arguments alone; leading axis
    `[number]`.

    Raises `ValueError` for an unknown split, or rates under which the grid is hardly ever lost.
    """
    every = days(split, -(-env.case_steps // env.steps_per_day))
    chosen = every[np.linspace(0, every.size, number, endpoint=False).astype(int)]
    event_key, charge_key, fuel_key = jax.random.split(jax.random.key(_SEEDS[split]), 3)
    often = replace(params.rates, enrichment=jnp.float32(_ENRICHMENT))
    keys = jax.random.split(event_key, number * _DRAWN)
    drawn = jax.jit(jax.vmap(lambda key: outages.draw(key, often, env.sizes, env.hours)))(keys)
    lost = np.clip(np.asarray(drawn.grid_end), 0, env.case_steps) - np.asarray(drawn.grid_begin)
    kept = np.flatnonzero(lost.max(axis=1) * env.hours >= _SHORTEST)[:number]
    if kept.size < number:
        raise ValueError(
            f"rates lose the grid in {kept.size} of {keys.size} episodes, expected {number} at least"
        )

    def between(key, bounds, n):
        return bounds[0] + (bounds[1] - bounds[0]) * jax.random.uniform(key, (number, n), jnp.float32)

    return Scenario(
        day=jnp.asarray(chosen, jnp.int32),
        charge=between(charge_key, params.initial_charge, len(env.battery_buses)),
        fuel=between(fuel_key, params.initial_fuel, len(env.generator_buses)),
        timeline=jax.tree.map(lambda x: x[kept], drawn),
    )


def calm_cases(env: Resilience, chosen: np.ndarray) -> Scenario:
    """A scenario without events for every day of the year in `chosen`, batteries half full, tanks full.

    `chosen` is `[n_scenario]`, and so is the leading axis of the scenarios.
    """
    never = outages.never(env.sizes)
    number = len(chosen)
    return Scenario(
        day=jnp.asarray(chosen, jnp.int32),
        charge=jnp.full((number, len(env.battery_buses)), 0.5, jnp.float32),
        fuel=jnp.ones((number, len(env.generator_buses)), jnp.float32),
        timeline=jax.tree.map(lambda x: jnp.broadcast_to(x, (number, *x.shape)), never),
    )
