"""The task: the pure functions of the environment contract.

Time. An observation shows the step that begins now: its demand, sun, weather and prices, and what is stored.
What the grid did, at the own bus and in what was measured, is known once a step is over and belongs to the
step before or, as delays and losses have it, to an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.devices import generator, heat_pump
from gridjax.envs.environment import Environment, PerGroup, Transition
from gridjax.envs.resilience import measurement, observation, outside
from gridjax.envs.resilience.accounts import account
from gridjax.envs.resilience.aftermath import Step, aftermath
from gridjax.envs.resilience.grid import run
from gridjax.envs.resilience.quantities import COSTS, METRICS
from gridjax.envs.resilience.state import Params, Scenario, State
from gridjax.envs.resilience.supply import Supply, Wishes, limits, supply
from gridjax.envs.resilience.topology import NOMINAL_FREQUENCY, Layout, parts
from gridjax.envs.spaces import Box, Space
from gridjax.scenarios import outages, prices
from gridjax.scenarios.outages import Sizes

GROUPS = ("generator", "battery", "load", "connection")
N_ACTION: Mapping[str, int] = {"generator": 1, "battery": 1, "load": 2, "connection": 1}


@dataclass(frozen=True)
class Resilience(Environment[State, Params]):
    """A campus that rides through outages of the grid: four kinds of agents, every quarter of an hour.

    Actions, all in [-1, 1]; with all of them zero generators rest, batteries only react, every load is
    wanted, heat pumps do as is usual, and switches go to their normal position as soon as they may:
        generator: at most 0 off, above that on, from its minimum to its rating.
        battery: set-point as a share of its power, positive for discharge.
        load: share of load that is shed (-1: all; from 0 on none), lowest tier first; heat pump: -1 off, 0 as
            is usual, 1 full power.
        connection: from 0 on the normal position of the switch, below 0 the other one.
    In an island set-points are those at nominal frequency, and droop does the rest; see `supply`.
    Reward: weighted sum of four terms, the same for all agents, see `rewards`. A power flow that fails is a
    collapse: the campus is dark for the step. Nothing ends an episode but time.
    """

    layout: Layout
    generator_buses: tuple[int, ...]
    battery_buses: tuple[int, ...]
    load_buses: tuple[int, ...]  # of each manager, where its heat pump is
    sizes: Sizes
    delay: int = 1  # steps from a measurement to its arrival
    memory: tuple[float, ...] = ()  # h over which agents remember means of what they received
    full_observability: bool = False  # agents see what is hidden
    steps_per_day: int = 96
    max_iterations: int = 12

    metrics_told = METRICS
    costs_told = COSTS

    @property
    def name(self) -> str:
        return "Resilience-v0"

    @property
    def groups(self) -> Mapping[str, int]:
        counts = (self.generator_buses, self.battery_buses, self.load_buses, self.layout.switches)
        return dict(zip(GROUPS, map(len, counts)))

    @property
    def hours(self) -> float:
        """Length of a step, h."""
        return 24.0 / self.steps_per_day

    @property
    def unit_buses(self) -> tuple[int, ...]:
        """Buses of what can form the voltage of an island: batteries, then generators."""
        return (*self.battery_buses, *self.generator_buses)

    def initial(self, key: jax.Array, params: Params) -> State:
        scenario_key, noise_key = jax.random.split(key)
        campus, real = params.campus, params.campus.demand.dtype
        given, step = self._scenario(scenario_key, params)
        clock = (given.day * self.steps_per_day).astype(jnp.int32) + step
        price_noise, ahead, storm_noise, _, _ = self._noise(noise_key, real)
        n_unit, n_bus = len(self.unit_buses), campus.demand.shape[0]
        n_measured = len(measurement.labels(len(self.battery_buses), len(self.generator_buses)))
        pump = campus.heat_pump
        alive = jnp.ones(n_bus, bool)
        state = State(
            clock=clock,
            step=step,
            timeline=given.timeline,
            unforeseen=price_noise,
            now=outside.at(clock, price_noise, params, self.steps_per_day),
            forecast=outside.forecast(clock, ahead, params, self.steps_per_day),
            warning=outside.warning(step, given.timeline, storm_noise, params, self.steps_per_day),
            energy=given.charge * campus.battery.capacity,
            generator=generator.at_rest(given.fuel * campus.generator.tank),
            power=jnp.zeros(n_unit, real),
            locked=jnp.zeros(n_unit, real),
            temperature=0.5 * (pump.lowest + pump.highest),
            closed=jnp.array(self.layout.normal),
            connected=alive,
            energised=alive,
            voltage=jnp.ones(n_bus, real),
            frequency=jnp.full(n_bus, NOMINAL_FREQUENCY, real),
            served=jnp.ones(len(self.load_buses), real),
            exchange=jnp.zeros(len(self.layout.switches), real),
            dark=jnp.zeros((), real),
            delivery=jnp.full((), -1.0, real),
            delivered=jnp.int32(0),
            sent=jnp.zeros((self.delay + 1, n_measured), real),
            seen=jnp.zeros((sum(self.groups.values()), n_measured), real),
            age=jnp.zeros(sum(self.groups.values()), real),
            remembered=None,
            deviation=jnp.zeros((2, n_bus), real),
        )
        # as if the campus had been beside the grid before, and everybody had heard of it
        demand = self.by_tier(state.now.demand, jnp.zeros_like(pump.power), params)
        none = jnp.zeros(())
        first = measurement.measure(state, demand, demand, none, jnp.asarray(True), none, params)
        seen = jnp.broadcast_to(first, state.seen.shape)
        always = observation.memorable(seen, state.warning)
        return replace(
            state,
            sent=jnp.broadcast_to(first, state.sent.shape),
            seen=seen,
            age=jnp.full_like(state.age, self.delay * self.hours),
            remembered=jnp.stack([always] * len(self.memory)) if self.memory else None,
        )

    def transition(self, key: jax.Array, state: State, actions: PerGroup, params: Params) -> Transition:
        hours, now = self.hours, state.now
        wishes, switches, pump_power = self.wishes(state, actions, params)
        present = outages.grid_present(state.timeline, state.step)
        sound = outages.branch_sound(state.timeline, state.step)
        network = parts(self.layout, switches, present, sound, state, params)
        demand = self.by_tier(now.demand, pump_power, params)
        at = jnp.array(self.unit_buses)
        given = supply(at, demand, wishes, network, state, params, hours)
        on = jnp.sum(given.served, axis=-1) / jnp.maximum(jnp.sum(demand, axis=-1), 1e-9)
        grid = run(
            self.layout,
            self.unit_buses,
            now.reactive * on,
            given,
            network,
            state,
            params,
            self.max_iterations,
        )
        given = _where(grid.converged, given, _dark(given, params))
        return self._advance(
            key, state, Step(wishes, pump_power, demand, present, network, given, grid), params
        )

    def wishes(self, state: State, actions: PerGroup, params: Params) -> tuple[Wishes, jax.Array, jax.Array]:
        """What actions ask for: units and loads, switches to close (bool), heat pumps (kW, `[n_load]`)."""
        campus, hours = params.campus, self.hours
        action = {
            group: jnp.clip(actions[group].reshape(n, N_ACTION[group]), -1.0, 1.0)
            for group, n in self.groups.items()
        }
        throttle = action["generator"][:, 0]
        fails, trip_after = self._fates(state)
        commitment = generator.commit(
            campus.generator, state.generator, throttle > 0.0, fails, trip_after, hours
        )
        n_battery = len(self.battery_buses)
        level = jnp.maximum(throttle, 0.0)
        wishes = Wishes(commitment, state.power, jnp.zeros_like(campus.tiers))
        lowest, highest = limits(wishes, state, params, hours)
        charge = jnp.clip(
            action["battery"][:, 0] * campus.battery.power, lowest[:n_battery], highest[:n_battery]
        )
        running = generator.set_point(campus.generator, level, state.power[n_battery:], commitment, hours)
        pump_power = heat_pump.heating_power(
            campus.heat_pump, state.temperature, state.now.outdoors, action["load"][:, 1], hours
        )
        kept = self._kept(1.0 + jnp.minimum(action["load"][:, 0], 0.0), pump_power, state, params)
        wishes = Wishes(commitment, jnp.concatenate([charge, running]), kept)
        normal = jnp.array(self.layout.normal)
        return wishes, jnp.where(action["connection"][:, 0] >= 0.0, normal, ~normal), pump_power

    def observe(self, state: State, params: Params) -> PerGroup:
        return observation.local(
            self.layout, self._buses, state, params, self.steps_per_day, self.full_observability
        )

    def global_state(self, state: State, params: Params) -> jax.Array:
        return observation.whole(self.layout, self._buses, state, params, self.steps_per_day)

    def observation_space(self, params: Params) -> dict[str, Box]:
        labels = self.observation_labels(params)
        return {group: Box(-np.inf, np.inf, (len(labels[group]),)) for group in GROUPS}

    def action_space(self, params: Params) -> dict[str, Space]:
        return {group: Box(-1.0, 1.0, (N_ACTION[group],)) for group in GROUPS}

    def action_labels(self, params: Params) -> dict[str, tuple[str, ...]]:
        del params
        return {
            "generator": ("power [up to 0 off, above share of the range]",),
            "battery": ("set-point, + discharges [rating]",),
            "load": ("load shed [-1 all, from 0 none]", "heat pump [-1 off, 0 as usual, 1 full]"),
            "connection": ("switch [from 0 in normal position]",),
        }

    def observation_labels(self, params: Params) -> dict[str, tuple[str, ...]]:
        """See `observation`."""
        return observation.labels(
            self.layout,
            self.sizes.n_branch,
            len(self.battery_buses),
            len(self.generator_buses),
            self.memory,
            self.full_observability,
        )

    @property
    def case_steps(self) -> int:
        return self.sizes.n_step

    def on_case(self, params: Params, case: jax.Array | int) -> Params:
        """A case is a row of `params.scenarios`."""
        return self.on_scenario(params, jax.tree.map(lambda x: jnp.asarray(x)[case], params.scenarios))

    def on_scenario(self, params: Params, scenario: Scenario) -> Params:
        """Params under which every episode is `scenario`, from its first step to its last."""
        return replace(
            params,
            scenarios=jax.tree.map(lambda x: jnp.asarray(x)[None], scenario),
            listed=jnp.asarray(True),
            episode_length=jnp.int32(self.sizes.n_step),
            latest_start=jnp.int32(0),
        )

    def staggered(self, params: Params) -> Params:
        """The first episode of each environment ends as usual and begins in any step before."""
        return replace(params, latest_start=jnp.asarray(params.episode_length - 1, jnp.int32))

    @property
    def _buses(self) -> dict[str, tuple[int, ...]]:
        return {"generator": self.generator_buses, "battery": self.battery_buses, "load": self.load_buses}

    def _scenario(self, key: jax.Array, params: Params) -> tuple[Scenario, jax.Array]:
        """The scenario of an episode, one of the list or drawn, and the step it begins in."""
        key, event_key = jax.random.split(key)
        n_battery, n_generator = len(self.battery_buses), len(self.generator_buses)
        uniform = jax.random.uniform(key, (3 + n_battery + n_generator,))

        def one_of(share: jax.Array, n: jax.Array | int) -> jax.Array:
            # float32 may round the largest product up
            return jnp.minimum((share * n).astype(jnp.int32), n - 1)

        row = one_of(uniform[0], params.scenarios.day.shape[0])
        listed = jax.tree.map(lambda x: jnp.asarray(x)[row], params.scenarios)
        charge, fuel = uniform[3 : 3 + n_battery], uniform[3 + n_battery :]
        low, high = params.initial_charge, params.initial_fuel
        drawn = Scenario(
            day=params.days[one_of(uniform[1], params.days.shape[0])],
            charge=low[0] + (low[1] - low[0]) * charge,
            fuel=high[0] + (high[1] - high[0]) * fuel,
            timeline=outages.draw(event_key, params.rates, self.sizes, self.hours),
        )
        chosen = jax.tree.map(lambda a, b: jnp.where(params.listed, a, b).astype(b.dtype), listed, drawn)
        return chosen, one_of(uniform[2], params.latest_start + 1)

    def _fates(self, state: State) -> tuple[jax.Array, jax.Array]:
        """Whether the next start of each generator fails, and after how many hours it trips."""
        return outages.fails_to_start(state.timeline, state.generator.attempts), state.timeline.trip_after

    def by_tier(self, demand: jax.Array, pump_power: jax.Array, params: Params) -> jax.Array:
        """Demand of each tier at every bus, kW `[n_bus, 3]`; heat pumps are discretionary."""
        campus = params.campus
        return (demand[:, None] * campus.tiers).at[campus.pump_bus, 2].add(pump_power)

    def _kept(self, share: jax.Array, pump_power: jax.Array, state: State, params: Params) -> jax.Array:
        """Share of each tier at every bus, `[n_bus, 3]`, where managers serve `share` of their demand."""
        demand = self.by_tier(state.now.demand, pump_power, params)
        _, mine = observation.of_managers(params)
        tiers = jnp.einsum("bt,bm->mt", demand, mine)
        above = jnp.cumsum(tiers, axis=-1) - tiers
        most = share * jnp.sum(tiers, axis=-1)
        kept = jnp.clip((most[:, None] - above) / jnp.maximum(tiers, 1e-9), 0.0, 1.0)
        # all is wanted: rounding sheds nothing
        kept = jnp.where(share[:, None] >= 1.0, 1.0, kept)
        return jnp.where((params.campus.manager >= 0)[:, None], kept[params.campus.manager], 0.0)

    def _advance(self, key: jax.Array, state: State, done: Step, params: Params) -> Transition:
        """Reward and metrics of the step that is `done`, and the step after it."""
        hours, real = self.hours, params.campus.demand.dtype
        after, used = aftermath(self.layout, state, done, params, hours)
        reward, metrics, cost = account(self.layout, state, after, done, used, params, hours)
        price_noise, ahead, storm_noise, measured, heard = self._noise(key, real)
        clock, step = state.clock + 1, state.step + 1
        unforeseen = prices.next_unforeseen(params.tariff, state.unforeseen, price_noise, hours)
        faults = jnp.sum(~outages.branch_sound(state.timeline, state.step))
        exchange = jnp.sum(done.grid.exchange)
        reading = measurement.measure(
            after, done.demand, done.given.served, exchange, done.present, faults, params
        )
        reading = reading * (1.0 + params.noise * measured)
        alive = outages.sensor_alive(state.timeline, state.step) & (heard >= params.message_loss)
        sent, seen, age = measurement.deliver(state.sent, state.seen, state.age, reading, alive, hours)
        warning = outside.warning(step, state.timeline, storm_noise, params, self.steps_per_day)
        after = replace(
            after,
            clock=clock,
            step=step,
            unforeseen=unforeseen,
            now=outside.at(clock, unforeseen, params, self.steps_per_day),
            forecast=outside.forecast(clock, ahead, params, self.steps_per_day),
            warning=warning,
            sent=sent,
            seen=seen,
            age=age,
            remembered=self._remembered(state, seen, warning),
        )
        return Transition(
            state=after,
            reward={group: jnp.broadcast_to(reward, (n,)) for group, n in self.groups.items()},
            terminated=jnp.zeros((), bool),
            truncated=step >= params.episode_length,
            cost=cost,
            metrics=metrics,
        )

    def _remembered(self, state: State, seen: jax.Array, warning: jax.Array) -> jax.Array | None:
        if state.remembered is None:
            return None
        fades = jnp.exp(-self.hours / jnp.asarray(self.memory, seen.dtype))[:, None, None]
        return fades * state.remembered + (1.0 - fades) * observation.memorable(seen, warning)

    def readings(self, state: State) -> dict[str, measurement.Reading]:
        """What the agents of each group received last, leading axis `[n_agents]`."""
        parts, first = {}, 0
        for group, n in self.groups.items():
            rows = state.seen[first : first + n]
            parts[group] = measurement.unpack(rows, len(self.battery_buses), len(self.generator_buses))
            first += n
        return parts

    def _noise(self, key: jax.Array, real) -> tuple[jax.Array, ...]:
        """Of price, forecasts `[2]`, storm warning, measurement (all normal); uniforms of who hears.

        Drawn in one go: every call of a generator is a large part of what there is to compile.
        """
        n_measured = len(measurement.labels(len(self.battery_buses), len(self.generator_buses)))
        normal = jax.random.normal(key, (4 + n_measured + sum(self.groups.values()),), real)
        heard = jax.scipy.special.ndtr(normal[4 + n_measured :])
        return normal[0], normal[1:3], normal[3], normal[4 : 4 + n_measured], heard


def _dark(given: Supply, params: Params) -> Supply:
    """The same step with the campus black."""
    nothing = jax.tree.map(jnp.zeros_like, given)
    nominal = params.protection.nominal
    return nothing._replace(
        tripped=given.online | given.tripped,
        nadir=jnp.minimum(given.nadir, params.protection.lowest),
        zenith=jnp.maximum(given.zenith, nominal),
        rate=given.rate,
        stage=given.stage,
    )


def _where(condition: jax.Array, yes: Any, no: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), yes, no)
