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
    """Reward ([]), metrics and costs of `step`, `hours` long, that leads from `state` to `after`."""
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
        **{f"demand_{tier}": asked[k] for k, tier in enumerate(TIERS)},  # kWh, all of these
        **{f"served_{tier}": served[k] for k, tier in enumerate(TIERS)},
        "import": imported,
        "export": exported,
        "sun": sun,
        "curtailed": curtailed,
        "losses": losses,
        "dumped": dumped,
        "wasted": wasted,
        "imbalance": (supplied - consumed) * hours,  # of the accounts of the campus: rounding
        "stored": jnp.sum(after.energy),
        "discharged": used.discharged,  # [n_battery], negative for charging
        "generated": used.generated,  # [n_generator]
        "burnt": used.burnt,  # [n_generator], l
        "fuel": after.generator.fuel,  # [n_generator], l
        "energy_cost": bill + fuel_cost + start_cost + used.wear,  # EUR, all of these
        "bill": bill,
        "fuel_cost": fuel_cost,
        "start_cost": start_cost,
        "wear": used.wear,
        "stored_value": gained,
        "unserved_cost": lost_value,
        "discomfort": cold,  # K h
        "emissions": imported * params.grid_emissions + burnt * params.fuel_emissions,  # kg CO2
        "import_price": now.buy,  # EUR/kWh
        "grid_present": present.astype(index.dtype),
        "connected": jnp.any(after.connected & of_campus).astype(index.dtype),
        "energised": jnp.sum(live) / jnp.sum(of_campus),  # share of the buses
        "running": after.generator.on.astype(index.dtype),  # [n_generator]
        "stages_shed": given.stage,
        "frequency": worst,  # Hz, of the live bus farthest from nominal, settled
        "nadir": given.nadir,  # Hz
        "zenith": given.zenith,  # Hz
        "rate": given.rate,  # Hz/s
        "stability": index,
        # p.u., of live buses of the campus; 1 where none is
        "voltage_min": jnp.min(jnp.where(live, voltage, jnp.where(jnp.any(live), 9.0, 1.0))),
        "voltage_max": jnp.max(jnp.where(live, voltage, jnp.where(jnp.any(live), 0.0, 1.0))),
        "loading_max": jnp.max(grid.loading),
        "converged": grid.converged.astype(index.dtype),
    }
    cost = {
        "unserved": jnp.sum(unserved),  # kWh
        "voltage": jnp.mean(excess),  # mean p.u. beyond the band
        "loading": overload,  # mean share of the rating beyond it
        "frequency": jnp.maximum(jnp.max(away) - 0.02, 0.0),  # p.u. beyond EN 50160 for islands
    }
    return reward, metrics, cost
