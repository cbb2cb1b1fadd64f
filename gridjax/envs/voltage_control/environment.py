"""The task: state, params, and the pure functions of the environment contract.

Time. An observation shows one instant: demand and sun of the interval that begins now, and the voltages
that they cause while the inverters still hold their last set-points. Those voltages come from one chord
iteration around the last solved flow (the linear power flow, second order in what changed), so that every
step solves exactly one power flow: that of the chosen action, whose voltages make the reward.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.devices import reactive_limit
from gridjax.envs.environment import Environment, PerGroup, Transition
from gridjax.envs.spaces import Box, Space
from gridjax.envs.voltage_control.barriers import barrier
from gridjax.envs.voltage_control.quantities import COSTS, METRICS
from gridjax.network import Network
from gridjax.powerflow import Chord
from gridjax.powerflow.branch import losses
from gridjax.powerflow.chord import iterate, pack

Array = Any
GROUP = "inverter"


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Params:
    """Every number of the task. Powers in p.u. of the network's base unless said otherwise."""

    network: Network
    chord: Chord
    demand: Array  # [n_row + 1, 2 n_bus], p then q of every bus, one row per quarter hour
    sun: Array  # [n_row + 1, n_agent], active power of every inverter
    days: Array  # [n_day], int: days of the year an episode may start on
    pv_bus: Array  # [n_agent], int: where the inverters are
    zone: Array  # [n_agent, n_zone_bus], int: buses an agent observes, -1 for padding
    apparent: Array  # [n_agent], rating s_max of the inverters
    action_range: Array  # [], share of the reactive capability that an action of 1 uses
    barrier: Array  # [], int: number of `BARRIERS`
    reactive_weight: Array  # [], on the mean |q| in MVAr
    loss_weight: Array  # [], on the losses in MW
    voltage_low: Array  # [], p.u., the band of the metrics and of the voltage cost
    voltage_high: Array  # [], p.u.
    divergence_penalty: Array  # [], reward (negated) of a step whose power flow fails
    tolerance: Array  # [], p.u., largest last change of e that counts as converged
    episode_length: Array  # [], int: steps until truncation
    random_start: Array  # [], bool: start anywhere in the day that leaves a whole episode, else at midnight


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class State:
    """One episode at one instant."""

    day: jax.Array  # [], int32
    step_of_day: jax.Array  # [], int32
    step: jax.Array  # [], int32, since the episode began
    demand: jax.Array  # [2 n_bus], p.u., now
    sun: jax.Array  # [n_agent], p.u., now
    reactive: jax.Array  # [n_agent], p.u., set-points held since the last action
    deviation: jax.Array  # [2 n_bus], packed e of the voltages now, with the set-points held


@dataclass(frozen=True)
class VoltageControl(Environment[State, Params]):
    """Inverters on a feeder choose reactive power every three minutes; the reward is shared.

    Action, one per inverter in [-1, 1]: q = a * action_range * sqrt(s_max^2 - p^2).
    Reward: -(mean over buses of barrier(|v|) + reactive_weight * mean |q| [MVAr] + loss_weight * losses
    [MW]); a step whose power flow fails pays `divergence_penalty` instead and terminates.
    """

    n_bus: int
    n_agent: int  # inverters
    steps_per_day: int = 480
    rows_per_day: int = 96  # of the tables of demand and sun, between which steps interpolate
    max_iterations: int = 20  # of the chord, before a power flow counts as failed

    metrics_told = METRICS
    costs_told = COSTS

    @property
    def name(self) -> str:
        return "VoltageControl-v0"

    @property
    def groups(self) -> Mapping[str, int]:
        return {GROUP: self.n_agent}

    def initial(self, key: jax.Array, params: Params) -> State:
        day_key, start_key = jax.random.split(key)
        day = params.days[jax.random.randint(day_key, (), 0, params.days.shape[0])]
        latest = jnp.maximum(self.steps_per_day - params.episode_length, 0)
        start = jax.random.randint(start_key, (), 0, latest + 1)
        start = jnp.where(params.random_start, start, 0)
        demand, sun = self.exogenous(day, start, params)
        reactive = jnp.zeros(self.n_agent, demand.dtype)
        at_rest = jnp.zeros(2 * self.n_bus, demand.dtype)
        deviation = iterate(params.chord, self.change(demand, sun, reactive, params), at_rest)
        return State(
            day=day.astype(jnp.int32),
            step_of_day=start.astype(jnp.int32),
            step=jnp.int32(0),
            demand=demand,
            sun=sun,
            reactive=reactive,
            deviation=deviation,
        )

    def transition(self, key: jax.Array, state: State, actions: PerGroup, params: Params) -> Transition:
        del key  # nothing in this task is random after its start
        base = params.network.base_mva
        limit = params.action_range * reactive_limit(state.sun, params.apparent)
        reactive = jnp.clip(actions[GROUP].reshape(self.n_agent), -1.0, 1.0) * limit
        deviation, moved = self.flow(state.demand, state.sun, reactive, state.deviation, params)
        converged = moved < params.tolerance
        # an unconverged iterate is reported at rest, so that no number of it leaves this function
        deviation = jnp.where(converged, deviation, 0.0)
        magnitude, _ = self.voltage(deviation, params)
        losses_mw = losses(params.network, params.chord.nominal, deviation) * base
        reactive_mvar = jnp.mean(jnp.abs(reactive)) * base

        penalty = (
            jnp.mean(barrier(params.barrier, magnitude))
            + params.reactive_weight * reactive_mvar
            + params.loss_weight * losses_mw
        )
        reward = jnp.where(converged, -penalty, -params.divergence_penalty)
        excess = jnp.maximum(magnitude - params.voltage_high, 0.0) + jnp.maximum(
            params.voltage_low - magnitude, 0.0
        )
        outside = jnp.mean(excess > 0.0, dtype=excess.dtype)
        metrics = {
            "voltage_min": jnp.min(magnitude),
            "voltage_max": jnp.max(magnitude),
            "controllable": jnp.where(converged, outside == 0.0, False).astype(excess.dtype),
            "out_of_band": jnp.where(converged, outside, 1.0),
            "reactive_mvar": reactive_mvar,
            "losses_mw": losses_mw,
            "converged": converged.astype(excess.dtype),
        }
        cost = {"voltage": jnp.where(converged, jnp.mean(excess), 1.0)}

        step_of_day = state.step_of_day + 1
        demand, sun = self.exogenous(state.day, step_of_day, params)
        ahead = iterate(params.chord, self.change(demand, sun, reactive, params), deviation)
        after = State(
            day=state.day,
            step_of_day=step_of_day,
            step=state.step + 1,
            demand=demand,
            sun=sun,
            reactive=reactive,
            deviation=ahead,
        )
        terminated = ~converged
        return Transition(
            state=after,
            reward={GROUP: jnp.broadcast_to(reward, (self.n_agent,))},
            terminated=terminated,
            truncated=(after.step >= params.episode_length) & ~terminated,
            cost=cost,
            metrics=metrics,
        )

    def observe(self, state: State, params: Params) -> PerGroup:
        base = params.network.base_mva
        magnitude, angle = self.voltage(state.deviation, params)
        n = self.n_bus
        per_bus = jnp.stack([state.demand[:n] * base, state.demand[n:] * base, magnitude, angle])
        seen = jnp.where(params.zone >= 0, per_bus[:, params.zone], 0.0)  # [4, n_agent, n_zone_bus]
        own = jnp.stack([state.sun, state.reactive], axis=-1) * base
        return {GROUP: jnp.concatenate([*seen, own], axis=-1)}

    def global_state(self, state: State, params: Params) -> jax.Array:
        base = params.network.base_mva
        magnitude, angle = self.voltage(state.deviation, params)
        return jnp.concatenate(
            [state.demand * base, magnitude, angle, state.sun * base, state.reactive * base]
        )

    def neighbours(self, params: Params) -> jax.Array:
        """Who observes some of the same buses, bool `[n_agent, n_agent]`."""
        sees = jnp.any(jax.nn.one_hot(params.zone, self.n_bus, dtype=bool), axis=1)
        return jnp.any(sees[:, None] & sees, axis=-1)

    def observation_space(self, params: Params) -> dict[str, Box]:
        size = 4 * params.zone.shape[-1] + 2
        return {GROUP: Box(-np.inf, np.inf, (size,))}

    def action_space(self, params: Params) -> dict[str, Space]:
        return {GROUP: Box(-1.0, 1.0, (1,))}

    def action_labels(self, params: Params) -> dict[str, tuple[str, ...]]:
        del params
        return {GROUP: ("reactive power q, + injects [reactive capability in use]",)}

    def observation_labels(self, params: Params) -> dict[str, tuple[str, ...]]:
        """Entry k of a zone block is the agent's k-th observed bus, `params.zone[agent, k]`, 0 if padding."""
        blocks = ("demand p [MW]", "demand q [MVAr]", "voltage magnitude [p.u.]", "voltage angle [rad]")
        seen = [f"zone bus {k} {what}" for what in blocks for k in range(params.zone.shape[-1])]
        return {GROUP: (*seen, "own sun p [MW]", "own reactive power q, held [MVAr]")}

    @property
    def hours(self) -> float:
        """Length of a step, h."""
        return 24.0 / self.steps_per_day

    @property
    def case_steps(self) -> int:
        return self.steps_per_day

    def on_case(self, params: Params, case: jax.Array | int) -> Params:
        """Params under which an episode is the whole of that day of the year, from midnight."""
        return replace(
            params,
            days=jnp.atleast_1d(jnp.asarray(case, jnp.int32)),
            episode_length=jnp.int32(self.steps_per_day),
            random_start=jnp.asarray(False),
        )

    def exogenous(
        self, day: jax.Array, step_of_day: jax.Array, params: Params
    ) -> tuple[jax.Array, jax.Array]:
        """Demand `[2 n_bus]` and sun `[n_agent]`, p.u., linear between quarter hours."""
        per_row = self.steps_per_day // self.rows_per_day
        row = day * self.rows_per_day + step_of_day // per_row
        share = (step_of_day % per_row).astype(jnp.float32) / per_row

        def between(table):
            pair = jax.lax.dynamic_slice_in_dim(jnp.asarray(table), row, 2, axis=0)
            return pair[0] + share * (pair[1] - pair[0])

        return between(params.demand), between(params.sun)

    def change(self, demand: jax.Array, sun: jax.Array, reactive: jax.Array, params: Params) -> jax.Array:
        """Injection minus nominal injection, packed p.u. `[2 n_bus]`."""
        place = (params.pv_bus[:, None] == jnp.arange(self.n_bus)).astype(demand.dtype)
        at_bus = jnp.concatenate([sun @ place, reactive @ place])
        return at_bus - demand - pack(jnp.asarray(params.chord.nominal.injection)).astype(demand.dtype)

    def flow(
        self, demand: jax.Array, sun: jax.Array, reactive: jax.Array, start: jax.Array, params: Params
    ) -> tuple[jax.Array, jax.Array]:
        """Power flow: packed e `[2 n_bus]` and its last change, below `tolerance` if it converged.

        Iterates to the tolerance, at most `max_iterations` times: under `vmap` every scenario keeps its
        own result from the moment it converges, whatever its batch.
        """
        change = self.change(demand, sun, reactive, params)

        def unfinished(carry):
            _, moved, count = carry
            return (moved >= params.tolerance) & (count < self.max_iterations)

        def body(carry):
            deviation, _, count = carry
            new = iterate(params.chord, change, deviation)
            return new, jnp.max(jnp.abs(new - deviation)), count + 1

        carry = (start, jnp.asarray(jnp.inf, start.dtype), 0)
        deviation, moved, _ = jax.lax.while_loop(unfinished, body, carry)
        return deviation, moved

    def voltage(self, deviation: jax.Array, params: Params) -> tuple[jax.Array, jax.Array]:
        """Voltage magnitude (p.u.) and angle (rad) of every bus at packed e, each `[n_bus]`."""
        n = self.n_bus
        v_n = jnp.asarray(params.chord.nominal.voltage)
        re, im = 1.0 + deviation[:n], deviation[n:]
        magnitude = jnp.abs(v_n).astype(re.dtype) * jnp.sqrt(re * re + im * im)
        return magnitude, jnp.angle(v_n).astype(re.dtype) + jnp.arctan(im / jnp.maximum(re, 1e-3))
