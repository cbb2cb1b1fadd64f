"""Resilience-v0: plants, loads and switches of a campus, beside the grid and without it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs.environment import PerGroup, Transition
from gridjax.envs.resilience import TIERS, Resilience
from gridjax.envs.resilience.observation import of_managers
from gridjax.evaluation.views.lines import drawn, line_flows, line_id
from gridjax.evaluation.views.view import COLUMNS, Look, View, agent
from gridjax.scenarios import outages
from gridjax.scenarios.calendar import day_and_hour


class ResilienceView(View):
    """Agents in the order of the task's groups: generators, batteries, load managers, switches."""

    @classmethod
    def of(cls, env: Resilience, params: Any) -> ResilienceView:
        """The view of that task, its drawing prepared."""
        network, campus, layout = params.network, params.campus, env.layout
        power = np.asarray(campus.generator.power)
        capacity = np.asarray(campus.battery.capacity)
        agents = [
            *(
                agent(f"generator {k + 1}", "generator", bus, None, float(power[k]))
                for k, bus in enumerate(env.generator_buses)
            ),
            *(
                agent(f"battery {k + 1}", "battery", bus, float(capacity[k]))
                for k, bus in enumerate(env.battery_buses)
            ),
            *(agent(f"loads {k + 1}", "load", bus) for k, bus in enumerate(env.load_buses)),
            *(
                agent(f"switch {k + 1}", "switch", None, line=line_id(row))
                for k, row in enumerate(layout.switches)
            ),
        ]
        return cls(
            env=env,
            network=network.name,
            grid=drawn(network, layout.switches),
            agents=tuple(agents),
            hours=env.hours,
            voltage_band=(float(params.voltage_low), float(params.voltage_high)),
            rated=np.isfinite(network.rating_from) | np.isfinite(network.rating_to),
            sources=tuple(network.slack_buses),
        )

    def look(self, state: Any, actions: PerGroup, out: Transition, params: Any) -> Look:
        env, m, after, hours = self.env, out.metrics, out.state, self.env.hours
        layout, campus, network = env.layout, params.campus, params.network
        n_generator, n_battery = len(env.generator_buses), len(env.battery_buses)
        # the task solves the grid outside also while it is lost, so that its program has one shape
        live = (after.voltage > 0.0) & after.energised
        rows = jnp.array(layout.switches)
        service = outages.branch_sound(state.timeline, state.step).at[rows].min(after.closed)
        service = service & live[network.from_bus] & live[network.to_bus]
        deviation = jax.lax.complex(after.deviation[0], after.deviation[1])

        _, _, pump_power = env.wishes(state, actions, params)
        _, mine = of_managers(params)
        wanted = jnp.sum(env.by_tier(state.now.demand, pump_power, params), axis=-1) @ mine
        unserved = wanted * (1.0 - after.served)
        sun = jnp.where(m["sun"] > 0.0, m["sun"] / jnp.maximum(m["sun"] + m["curtailed"], 1e-9), 0.0)
        exchange = after.exchange
        fuel = after.generator.fuel / campus.generator.tank
        groups = {
            "generator": {
                "charge": fuel,
                "generation_kw": after.power[n_battery:],
                "voltage": after.voltage[jnp.array(env.generator_buses)],
                "cost_eur": m["burnt"] * params.fuel_price,
            },
            "battery": {
                "charge": after.energy / campus.battery.capacity,
                "energy_kwh": after.energy,
                "battery_kw": after.power[:n_battery],
                "voltage": after.voltage[jnp.array(env.battery_buses)],
            },
            "load": {
                "demand_kw": wanted,
                "unserved_kw": unserved,
                "generation_kw": (state.now.sun @ mine) * sun,
                "voltage": after.voltage[jnp.array(env.load_buses)],
            },
            "connection": {"exchange_kw": exchange},
        }
        columns = {
            name: jnp.concatenate(
                [
                    part.get(name, out.reward[group] if name == "reward" else jnp.full(n, jnp.nan))
                    for (group, part), n in zip(groups.items(), env.groups.values())
                ]
            )
            for name in COLUMNS
        }
        none = jnp.full(n_battery + len(env.load_buses), jnp.nan)
        on, closed = (x.astype(none.dtype) for x in (after.generator.on, after.closed))
        served = {tier: m[f"served_{tier}"] for tier in TIERS}
        demand = {tier: m[f"demand_{tier}"] for tier in TIERS}
        lost = {tier: jnp.maximum(demand[tier] - served[tier], 0.0) for tier in TIERS}
        day, hour = day_and_hour(state.clock, env.steps_per_day)
        # zeros where nothing is live, so that the picture says so
        dead = m["energised"] <= 0.0
        return Look(
            day=day,
            hour=hour,
            voltage=jnp.where(live, after.voltage, 0.0),
            lines=line_flows(network, params.newton.nominal, deviation, service),
            agents=columns,
            running=jnp.concatenate([on, none, closed]),
            sent=jnp.zeros(0),
            metrics={
                "stability": jnp.where(dead, 0.0, m["stability"]),
                "mean_energy_kwh": jnp.mean(after.energy),
                "generation_kw": (m["sun"] + jnp.sum(m["generated"])) / hours,
                "demand_kw": sum(demand.values(), jnp.float32(0.0)) / hours,
                "reward": jnp.mean(out.reward["load"]),
                "cost_eur": m["energy_cost"],
                "unserved_kwh": sum(lost.values(), jnp.float32(0.0)),
                **{f"unserved_{tier}_kwh": value for tier, value in lost.items()},
                "losses_kw": m["losses"] / hours,
                "frequency_hz": m["frequency"],
                "voltage_min": jnp.where(dead, 0.0, m["voltage_min"]),
                "voltage_max": jnp.where(dead, 0.0, m["voltage_max"]),
                "loading_max": m["loading_max"],
                "import_price": m["import_price"],
                "slack_kw": (m["import"] - m["export"]) / hours,
                "fuel_share": jnp.mean(fuel),
                "running": jnp.sum(m["running"][:n_generator]),
                "curtailed_kw": m["curtailed"] / hours,
                "emissions_kg": m["emissions"],
            },
            connected=m["connected"] > 0.0,
            islanded=(m["connected"] <= 0.0) & ~dead,
            energised=m["energised"],
            converged=m["converged"] > 0.0,
        )
