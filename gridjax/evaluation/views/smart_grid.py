"""SmartGrid-v0: prosumers, what they send one another, and the feeder between them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.devices import battery
from gridjax.envs.environment import PerGroup, Transition
from gridjax.envs.smart_grid import GROUP, SmartGrid
from gridjax.evaluation.views.lines import drawn, line_flows
from gridjax.evaluation.views.view import Look, View, agent
from gridjax.scenarios.calendar import day_and_hour


class SmartGridView(View):
    """Energies of the cards are the task's own metrics, over the length of a step."""

    @classmethod
    def of(cls, env: SmartGrid, params: Any) -> SmartGridView:
        """The view of that task, its drawing prepared."""
        home, network = params.households, params.network
        columns = (home.bus, home.battery.capacity, home.sun)
        agents = [
            agent(f"prosumer {k + 1}", GROUP, int(bus), float(capacity) or None, float(sun) or None)
            for k, (bus, capacity, sun) in enumerate(zip(*(np.asarray(column) for column in columns)))
        ]
        neighbour = np.asarray(params.neighbour)
        return cls(
            env=env,
            network=network.name,
            grid=drawn(network),
            agents=tuple(agents),
            hours=env.hours,
            voltage_band=(float(params.voltage_low), float(params.voltage_high)),
            pairs=tuple((i, int(j)) for i, row in enumerate(neighbour) for j in row),
            rated=np.isfinite(network.rating_from) | np.isfinite(network.rating_to),
            sources=tuple(network.slack_buses),
        )

    def look(self, state: Any, actions: PerGroup, out: Transition, params: Any) -> Look:
        env, m, after = self.env, out.metrics, out.state
        home, pile, hours = params.households, params.households.battery, env.hours
        good = m["converged"] > 0.0
        # the metric counts energy both ways alike; what is stored tells which way it went
        charging = after.energy > battery.kept(pile, state.energy, hours)
        has = pile.capacity > 0.0
        transfers = env.transfers(state, actions, params)
        sent = jnp.where(params.neighbour >= 0, transfers.sent, 0.0)
        cost = m["paid_grid"] + m["paid_peers"] + m["paid_losses"] + m["wear"]
        deviation = jax.lax.complex(after.deviation[0], after.deviation[1])
        service = jnp.broadcast_to(good, (params.network.n_branch,))
        voltage = jnp.where(good, after.voltage, 0.0)
        generation = (m["sun"] - m["curtailed"]) / hours
        nan = jnp.full_like(cost, jnp.nan)
        day, hour = day_and_hour(state.clock, env.steps_per_day)
        return Look(
            day=day,
            hour=hour,
            voltage=voltage,
            lines=line_flows(params.network, params.chord.nominal, deviation, service),
            agents={
                "charge": jnp.where(has, after.energy / jnp.where(has, pile.capacity, 1.0), jnp.nan),
                "energy_kwh": jnp.where(has, after.energy, jnp.nan),
                "generation_kw": generation,
                "demand_kw": m["demand"] / hours,
                "battery_kw": jnp.where(charging, -1.0, 1.0) * m["throughput"] / hours,
                "exchange_kw": (m["import"] - m["export"]) / hours,
                "transfer_kw": (m["received"] - m["sent"]) / hours,
                "reactive_kvar": nan,
                "unserved_kw": m["unserved"] / hours,
                "voltage": voltage[home.bus],
                "reward": out.reward[GROUP],
                "cost_eur": cost,
            },
            running=nan,
            sent=sent.reshape(-1),
            metrics={
                "stability": jnp.where(good, m["stability"], 0.0),
                "mean_energy_kwh": jnp.sum(jnp.where(has, after.energy, 0.0)) / jnp.maximum(jnp.sum(has), 1),
                "generation_kw": jnp.sum(generation),
                "demand_kw": jnp.sum(m["demand"]) / hours,
                "reward": jnp.mean(out.reward[GROUP]),
                "cost_eur": jnp.sum(cost),
                "unserved_kwh": jnp.sum(m["unserved"]) + m["shed"],
                "losses_kw": m["losses"] / hours,
                "frequency_hz": m["frequency"],
                "voltage_min": m["voltage_min"],
                "voltage_max": m["voltage_max"],
                "loading_max": m["loading_max"],
                "import_price": m["import_price"],
                "slack_kw": m["slack"] / hours,
                "others_kw": m["others"] / hours,
                "peer_kw": jnp.sum(m["sent"]) / hours,
                "curtailed_kw": jnp.sum(m["curtailed"]) / hours,
            },
            connected=state.now.connected & good,
            islanded=~state.now.connected & good,
            energised=good.astype(cost.dtype),
            converged=good,
        )
