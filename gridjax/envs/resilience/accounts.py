"""Accounts of a step: energy, money, emissions, quality of supply, and the reward that follows from them."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from gridjax.devices import heat_pump
from gridjax.envs.resilience.aftermath import Step, Used
from gridjax.envs.resilience.campus import TIERS
from gridjax.envs.resilience.rewards import Rewards
from gridjax.envs.resilience.state import Params, State
from gridjax.envs.resilience.topology import Layout
from gridjax.envs.stability import stability_index


def account(
    layout: Layout, state: State, after: State, step: Step, used: Used, params: Params, hours: float
) -> tuple[jax.Array, dict[str, jax.Array], dict[str, jax.Array]]:
    """Reward ([]), metrics and costs (see `quantities`) of `step`, `hours` long, from `state` to `after`."""
    demand, given, grid, present = step.demand, step.given, step.grid, step.present
    campus, now, prot = params.campus, state.now, params.protection
    asked, served = jnp.sum(demand, axis=0) * hours, jnp.sum(given.served, axis=0) * hours
    unserved = jnp.maximum(asked - served, 0.0)
    exchange = jnp.sum(grid.exchange)
    imported, exported = jnp.maximum(exchange, 0.0) * hours, jnp.maximum(-exchange, 0.0) * hours
    bill = imported * now.buy - exported * now.sell
    burnt = jnp.sum(used.burnt)
    fuel_cost = burnt * params.fuel_price
    start_cost = jnp.sum(used.starts * campus.generator.start_cost)
    cold = jnp.sum(heat_pump.discomfort(campus.heat_pump, after.temperature)) * hours
    gained = params.stored_price * jnp.sum(after.energy - state.energy)
    spent = bill + fuel_cost + start_cost + used.wear + params.discomfort_price * cold
    lost_value = jnp.sum(params.unserved_price * unserved)
    sun = jnp.sum(given.sun) * hours
    curtailed = jnp.sum(now.sun) * hours - sun
    losses, dumped = grid.losses * hours, jnp.sum(given.dumped) * hours
    wasted = used.wasted + curtailed + losses + dumped
    of_campus = jnp.array(layout.campus)
    live = given.live & of_campus
    voltage = jnp.where(live, after.voltage, 1.0)
    frequency = jnp.where(live, given.frequency, prot.nominal)
    worst = frequency[jnp.argmax(jnp.abs(frequency - prot.nominal))]
    index = stability_index(voltage, grid.loading, worst, prot.nominal)
    terms = Rewards(
        cost=(gained - spent) / params.reference_bill,
        resilience=-lost_value / params.reference_bill,
        efficiency=-wasted / (params.reference_power * hours),
        stability=index - 1.0,
    )
    reward = terms.total(params.weights)
    excess = jnp.maximum(voltage - params.voltage_high, 0.0)
    excess = excess + jnp.maximum(params.voltage_low - voltage, 0.0)
    overload = jnp.mean(jnp.maximum(grid.loading - 1.0, 0.0))
    away = jnp.abs(frequency / prot.nominal - 1.0)
    supplied = jnp.sum(after.power) + exchange + jnp.sum(given.sun)
    consumed = jnp.sum(given.served) + grid.losses + jnp.sum(given.dumped)
    metrics = {
        "reward_cost": terms.cost,
        "reward_resilience": terms.resilience,
        "reward_efficiency": terms.efficiency,
        "reward_stability": terms.stability,
        **{f"demand_{tier}": asked[k] for k, tier in enumerate(TIERS)},
        **{f"served_{tier}": served[k] for k, tier in enumerate(TIERS)},
        "import": imported,
        "export": exported,
        "sun": sun,
        "curtailed": curtailed,
        "losses": losses,
        "dumped": dumped,
        "wasted": wasted,
        "imbalance": (supplied - consumed) * hours,
        "stored": jnp.sum(after.energy),
        "discharged": used.discharged,
        "generated": used.generated,
        "burnt": used.burnt,
        "fuel": after.generator.fuel,
        "energy_cost": bill + fuel_cost + start_cost + used.wear,
        "bill": bill,
        "fuel_cost": fuel_cost,
        "start_cost": start_cost,
        "wear": used.wear,
        "stored_value": gained,
        "unserved_cost": lost_value,
        "discomfort": cold,
        "emissions": imported * params.grid_emissions + burnt * params.fuel_emissions,
        "import_price": now.buy,
        "grid_present": present.astype(index.dtype),
        "connected": jnp.any(after.connected & of_campus).astype(index.dtype),
        "energised": jnp.sum(live) / jnp.sum(of_campus),
        "running": after.generator.on.astype(index.dtype),
        "stages_shed": given.stage,
        "frequency": worst,
        "nadir": given.nadir,
        "zenith": given.zenith,
        "rate": given.rate,
        "stability": index,
        "voltage_min": jnp.min(jnp.where(live, voltage, jnp.where(jnp.any(live), 9.0, 1.0))),
        "voltage_max": jnp.max(jnp.where(live, voltage, jnp.where(jnp.any(live), 0.0, 1.0))),
        "loading_max": jnp.max(grid.loading),
        "converged": grid.converged.astype(index.dtype),
    }
    cost = {
        "unserved": jnp.sum(unserved),
        "voltage": jnp.mean(excess),
        "loading": overload,
        "frequency": jnp.maximum(jnp.max(away) - 0.02, 0.0),
    }
    return reward, metrics, cost
