"""VoltageControl-v0: inverters on a feeder, and the voltages that they hold."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.devices import reactive_limit
from gridjax.envs.environment import PerGroup, Transition
from gridjax.envs.stability import stability_index
from gridjax.envs.voltage_control import VoltageControl
from gridjax.envs.voltage_control.environment import GROUP
from gridjax.evaluation.views.lines import drawn, line_flows
from gridjax.evaluation.views.view import Look, View, agent


class VoltageControlView(View):
    """The power flow of the step is solved again: the state keeps only what follows it."""

    @classmethod
    def of(cls, env: VoltageControl, params: Any) -> VoltageControlView:
        """The view of that task, its drawing prepared."""
        network = params.network
        base = float(network.base_mva) * 1e3
        peak = np.asarray(params.sun).max(axis=0) * base
        agents = [
            agent(f"inverter {k + 1}", GROUP, int(bus), None, float(sun))
            for k, (bus, sun) in enumerate(zip(np.asarray(params.pv_bus), peak))
        ]
        return cls(
            env=env,
            network=network.name,
            grid=drawn(network),
            agents=tuple(agents),
            hours=24.0 / env.steps_per_day,
            voltage_band=(float(params.voltage_low), float(params.voltage_high)),
            rated=np.isfinite(network.rating_from) | np.isfinite(network.rating_to),
            sources=tuple(network.slack_buses),
        )

    def look(self, state: Any, actions: PerGroup, out: Transition, params: Any) -> Look:
        env, m, n = self.env, out.metrics, self.env.n_bus
        base = jnp.asarray(params.network.base_mva, jnp.float32) * 1e3
        reactive = out.state.reactive
        deviation, _ = env.flow(state.demand, state.sun, reactive, state.deviation, params)
        good = m["converged"] > 0.0
        deviation = jnp.where(good, deviation, 0.0)
        magnitude = jnp.where(good, env.voltage(deviation, params)[0], 0.0)
        e = jax.lax.complex(deviation[:n], deviation[n:])
        service = jnp.broadcast_to(good, (params.network.n_branch,))
        lines = line_flows(params.network, params.chord.nominal, e, service)
        index = stability_index(magnitude, lines.loading, jnp.float32(50.0))
        zero = jnp.zeros(env.n_agent, magnitude.dtype)
        nan = jnp.full_like(zero, jnp.nan)
        capability = reactive_limit(state.sun, params.apparent)
        return Look(
            day=state.day,
            hour=state.step_of_day * (24.0 / env.steps_per_day),
            voltage=magnitude,
            lines=lines,
            agents={
                "charge": nan,
                "energy_kwh": nan,
                "generation_kw": state.sun * base,
                "demand_kw": state.demand[:n][params.pv_bus] * base,
                "battery_kw": zero,
                "exchange_kw": zero,
                "transfer_kw": zero,
                "reactive_kvar": reactive * base,
                "unserved_kw": zero,
                "voltage": magnitude[params.pv_bus],
                "reward": out.reward[GROUP],
                "cost_eur": nan,
            },
            running=nan,
            sent=jnp.zeros(0),
            metrics={
                "stability": jnp.where(good, index, 0.0),
                "mean_energy_kwh": jnp.float32(0.0),
                "generation_kw": jnp.sum(state.sun) * base,
                "demand_kw": jnp.sum(state.demand[:n]) * base,
                "reward": jnp.mean(out.reward[GROUP]),
                "cost_eur": jnp.float32(0.0),
                "unserved_kwh": jnp.float32(0.0),
                "losses_kw": m["losses_mw"] * 1e3,
                "voltage_min": m["voltage_min"],
                "voltage_max": m["voltage_max"],
                "loading_max": jnp.max(lines.loading, initial=0.0),
                "reactive_mvar": m["reactive_mvar"],
                "reactive_share": jnp.mean(jnp.abs(reactive) / jnp.maximum(capability, 1e-9)),
                "out_of_band": m["out_of_band"],
            },
            connected=good,
            islanded=jnp.zeros((), bool),
            energised=good.astype(magnitude.dtype),
            converged=good,
        )
