"""The view of a task of one's own: it says what its grid and its agents did, and the rest follows.

view = NetworkView.of(env, params.network, {"depot": params.depots}, hours=0.25, read=read)
rollout = record(env, params, act, case=0, key=jax.random.key(0), view=view)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs.environment import Environment, PerGroup, Transition
from gridjax.envs.stability import stability_index
from gridjax.evaluation.views.lines import Lines, drawn
from gridjax.evaluation.views.view import COLUMNS, Look, View, agent
from gridjax.network import Network
from gridjax.powerflow.flow import Flow


class Seen(NamedTuple):
    """One step, as a task tells it."""

    flow: Flow  # of the step
    hour: jax.Array | float  # [], h of the day, when the step began
    agents: Mapping[str, jax.Array] = {}  # [n_agent] of all groups in their order; names are `COLUMNS`
    metrics: Mapping[str, jax.Array] = {}  # [] each, besides those of the task
    day: jax.Array | int = 0  # [], of the year


@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkView(View):
    """Buses and lines from a power flow, agents from columns; `read` tells a step, and is traced."""

    network_data: Network
    rows: np.ndarray  # [n_agent], of the buses of the agents
    # of state, actions [n_agent_in_group, ...] per group, transition and params; traced
    read: Callable[[Any, PerGroup, Transition, Any], Seen]

    @classmethod
    def of(
        cls,
        env: Environment,
        network: Network,
        buses: Mapping[str, Sequence[int]],
        *,
        hours: float,
        read: Callable[[Any, PerGroup, Transition, Any], Seen],
        voltage_band: tuple[float, float] = (0.95, 1.05),
    ) -> NetworkView:
        """A view of `env` on `network`; host-side.

        Args:
            env: the task.
            network: whose buses and lines are drawn.
            buses: of every group of agents, the row of each agent's bus, `[n_agent_in_group]`.
            hours: length of a step.
            read: `(state, actions, out, params) -> Seen` of the step from `state` by `actions` to `out`.
            voltage_band: p.u., in which voltages should be.

        Raises `ValueError` where `buses` does not fit the groups of `env` or the network.
        """
        for group, number in env.groups.items():
            given = np.asarray(buses.get(group, ()), int)
            if given.shape != (number,) or not ((given >= 0) & (given < network.n_bus)).all():
                raise ValueError(
                    f"buses of group {group!r} are {given.tolist()}, expected {number} rows of the network's "
                    f"{network.n_bus}"
                )
        rows = [(group, k, int(bus)) for group in env.groups for k, bus in enumerate(buses[group])]
        return cls(
            env=env,
            network=network.name,
            grid=drawn(network),
            agents=tuple(agent(f"{group} {k + 1}", group, bus) for group, k, bus in rows),
            hours=hours,
            voltage_band=voltage_band,
            rated=np.isfinite(network.rating_from) | np.isfinite(network.rating_to),
            sources=tuple(network.slack_buses),
            network_data=network,
            rows=np.array([bus for *_, bus in rows]),
            read=read,
        )

    def look(self, state: Any, actions: PerGroup, out: Transition, params: Any) -> Look:
        seen = self.read(state, actions, out, params)
        flow, base = seen.flow, jnp.asarray(self.network_data.base_mva, jnp.float32) * 1e3
        good = flow.converged
        live = good & flow.energised
        voltage = jnp.where(live, jnp.abs(flow.voltage), 0.0)
        ends = np.asarray(self.network_data.from_bus), np.asarray(self.network_data.to_bus)
        service = live[ends[0]] & live[ends[1]]
        reward = jnp.concatenate([out.reward[group] for group in self.env.groups])
        nan = jnp.full(self.rows.size, jnp.nan)
        unknown = seen.agents.keys() - set(COLUMNS)
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))}: expected columns among {', '.join(COLUMNS)}")
        columns = dict.fromkeys(COLUMNS, nan) | {"voltage": voltage[self.rows], "reward": reward}
        columns |= {name: jnp.broadcast_to(value, nan.shape) for name, value in seen.agents.items()}
        summed = {
            name: jnp.nansum(columns[name]) for name in ("demand_kw", "generation_kw") if name in seen.agents
        }
        return Look(
            day=jnp.asarray(seen.day),
            hour=jnp.asarray(seen.hour) % 24.0,
            voltage=voltage,
            lines=Lines(jnp.where(service, flow.power_from.real * base, 0.0), flow.loading, service),
            agents=columns,
            running=nan,
            sent=jnp.zeros(0),
            metrics={
                "stability": jnp.where(good, stability_index(voltage, flow.loading, jnp.float32(50.0)), 0.0),
                "mean_energy_kwh": jnp.nansum(columns["energy_kwh"]) / self.rows.size,
                "generation_kw": jnp.zeros(()),
                "demand_kw": jnp.zeros(()),
                "reward": jnp.mean(reward),
                "cost_eur": jnp.zeros(()),
                "unserved_kwh": jnp.zeros(()),
                "losses_kw": jnp.where(good, flow.losses * base, 0.0),
                "voltage_min": jnp.min(jnp.where(live, voltage, jnp.inf), initial=2.0),
                "voltage_max": jnp.max(voltage),
                "loading_max": jnp.max(flow.loading, initial=0.0),
                **summed,
                **{name: value for name, value in out.metrics.items() if jnp.ndim(value) == 0},
                **seen.metrics,
            },
            connected=good,
            islanded=jnp.zeros((), bool),
            energised=jnp.mean(live.astype(jnp.float32)),
            converged=good,
        )
