"""The task: the pure functions of the environment contract.

Time. An observation shows the step that begins now: its demand, sun and prices, and what is stored. What the
grid did is known once the step is over, so voltage, stability and frequency in an observation are those of
the step before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.devices import battery, heat_pump, reactive_limit, vehicle
from gridjax.envs.environment import Environment, PerGroup, Transition
from gridjax.envs.smart_grid import observation, outside
from gridjax.envs.smart_grid.agreement import Transfers, agree, covered_shortage
from gridjax.envs.smart_grid.balance import Ability, ability, settle
from gridjax.envs.smart_grid.companding import TRADE, TRANSFER, expand
from gridjax.envs.smart_grid.grid import NOMINAL_FREQUENCY, run
from gridjax.envs.smart_grid.money import Prices, idle_bill, payments
from gridjax.envs.smart_grid.quantities import COSTS, METRICS
from gridjax.envs.smart_grid.rewards import Rewards
from gridjax.envs.smart_grid.state import Now, Params, State
from gridjax.envs.spaces import Box, Space
from gridjax.scenarios import events, prices
from gridjax.scenarios.calendar import day_and_hour
from gridjax.scenarios.weather import outdoors

GROUP = "prosumer"


@dataclass(frozen=True)
class SmartGrid(Environment[State, Params]):
    """Prosumers on a feeder trade with the grid and with one another, every quarter of an hour.

    Action of one prosumer, all in [-1, 1], in this order, transfers and trade by the scale of `companding`:
        n_slot transfers: with the neighbour of that slot, positive offers, negative asks; see `agreement`.
        trade: positive buys, negative sells; 1 is the rating of the connection. What neighbours give is not
            bought, what they take is not sold; see `balance.settle`.
        reactive power of the inverter: 1 injects all that active power leaves of its rating.
        vehicle, heat pump, where the task has such: -1 off, 0 as is usual, 1 full power; see `devices`.
    The battery takes what is left of demand, see `balance`: with all actions zero it serves self-consumption.
    Reward: weighted sum of four terms, see `rewards`; a step whose power flow fails pays `divergence_penalty`
    instead and terminates.
    """

    n_bus: int
    n_agent: int  # prosumers
    n_slot: int  # neighbours that each of them may have
    vehicles: bool = False  # each agent has an entry and an action for one
    heat_pumps: bool = False  # likewise
    steps_per_day: int = 96
    max_iterations: int = 20  # of the chord, before a power flow counts as failed

    metrics_told = METRICS
    costs_told = COSTS

    @property
    def name(self) -> str:
        return "SmartGrid-v0"

    @property
    def groups(self) -> Mapping[str, int]:
        return {GROUP: self.n_agent}

    @property
    def hours(self) -> float:
        """Length of a step, h."""
        return 24.0 / self.steps_per_day

    @property
    def n_action(self) -> int:
        """Entries of one agent's action."""
        return self.n_slot + 2 + self.vehicles + self.heat_pumps

    def initial(self, key: jax.Array, params: Params) -> State:
        day_key, charge_key, event_key, noise_key, start_key = jax.random.split(key, 5)
        home, n, real = params.households, self.n_agent, params.households.demand.dtype
        day = params.days[jax.random.randint(day_key, (), 0, params.days.shape[0])]
        step = jax.random.randint(start_key, (), 0, params.latest_start + 1, jnp.int32)
        clock = (day * self.steps_per_day).astype(jnp.int32) + step
        low, high = params.initial_charge[0], params.initial_charge[1]
        charge = low + (high - low) * jax.random.uniform(charge_key, (n,), real)
        drawn = events.draw(event_key, params.events, self.hours)
        price_noise, forecast_noise, message_noise, heard = self._noise(noise_key, real)
        offer = jnp.zeros((n, self.n_slot), real)
        pump = home.heat_pump
        energy = charge * home.battery.capacity
        now = outside.at(clock, step, drawn, price_noise, params, self.steps_per_day)
        return State(
            clock=clock,
            step=step,
            energy=energy,
            need=home.vehicle.trip,
            temperature=0.5 * (pump.lowest + pump.highest),
            unforeseen=price_noise,
            drawn=drawn,
            now=now,
            forecast=outside.forecast(clock, forecast_noise, params, self.steps_per_day),
            message=self._messages(energy, now, offer, message_noise, heard, params),
            offer=offer,
            voltage=jnp.ones(self.n_bus, real),
            stability=jnp.ones((), real),
            frequency=jnp.asarray(NOMINAL_FREQUENCY, real),
            deviation=jnp.zeros((2, self.n_bus), real),
        )

    def transition(self, key: jax.Array, state: State, actions: PerGroup, params: Params) -> Transition:
        home, pile, hours, now = params.households, params.households.battery, self.hours, state.now
        action = jnp.clip(actions[GROUP].reshape(self.n_agent, self.n_action), -1.0, 1.0)
        offer, trade, lever = action[:, : self.n_slot], action[:, self.n_slot], action[:, self.n_slot + 1]
        demand, need, missed, temperature = self._flexible(action, state, params)
        able = self.ability(demand, state, params)
        transfers = self._agreed(offer, able, params)
        wish = expand(trade, TRADE) * home.connection
        balance = settle(demand, now.sun, able, transfers.net, wish, home.connection, now.connected)
        energy = battery.advance(pile, state.energy, balance.battery, hours)

        through = now.sun - balance.curtailed + balance.battery
        injected = lever * reactive_limit(through, home.inverter)
        wanted = outside.reactive_demand(state.clock, params) * now.demand_factor
        grid = run(balance.drawn, wanted - injected, state, params, self.max_iterations)

        tariff = Prices(now.buy, now.sell, params.tariff.imbalance, params.tariff.peer_share)
        paid = payments(balance, transfers, tariff, grid.loss_slope, params.neighbour, hours)
        wear = battery.wear_cost(pile, balance.battery, hours)
        unserved = balance.unserved * hours + missed
        cold = heat_pump.discomfort(home.heat_pump, temperature) * hours
        stored = params.stored_price * (energy - state.energy - (need - state.need) / home.vehicle.efficiency)
        spent = paid.total + wear + params.unserved_price * unserved + params.discomfort_price * cold
        alone = idle_bill(now.demand, now.sun, home.inverter, tariff, hours)
        wasted = battery.wasted(pile, state.energy, balance.battery, hours) + balance.curtailed * hours
        # the vehicle and the heat pump can wait: only what is asked for now can be short
        shortage = jnp.minimum(able.shortage, now.demand)
        crumbs = 0.1 * jnp.mean(home.demand)
        terms = Rewards(
            stability=jnp.broadcast_to(grid.stability - 1.0, (self.n_agent,)),
            efficiency=-(wasted + grid.losses * hours / self.n_agent) / params.reference_energy,
            cost=(alone - spent + stored) / params.reference_bill,
            cooperation=covered_shortage(transfers, shortage, crumbs, params.neighbour, params.reverse),
        )
        reward = jnp.where(grid.converged, terms.total(params.weights), -params.divergence_penalty)

        excess = jnp.maximum(grid.voltage - params.voltage_high, 0.0)
        excess = excess + jnp.maximum(params.voltage_low - grid.voltage, 0.0)
        outside_band = jnp.mean(excess > 0.0, dtype=excess.dtype)
        good = grid.converged
        metrics = {
            # per agent, [n_agent]
            "reward_stability": terms.stability,
            "reward_efficiency": terms.efficiency,
            "reward_cost": terms.cost,
            "reward_cooperation": terms.cooperation,
            "paid_grid": paid.grid,
            "paid_peers": paid.peers,
            "paid_losses": paid.losses,
            "wear": wear,
            "idle_bill": alone,
            "stored_value": stored,
            "discomfort": cold,
            "demand": demand * hours,
            "sun": now.sun * hours,
            "import": jnp.maximum(balance.exchange, 0.0) * hours,
            "export": jnp.maximum(-balance.exchange, 0.0) * hours,
            "received": jnp.sum(transfers.received, axis=-1) * hours,
            "sent": jnp.sum(transfers.sent, axis=-1) * hours,
            "throughput": jnp.abs(balance.battery) * hours,
            "curtailed": balance.curtailed * hours,
            "unserved": unserved,
            # of the whole, []
            "losses": grid.losses * hours,
            "slack": grid.slack * hours,
            "others": grid.others * hours,
            "shed": grid.shed * hours,
            "loss_cost": grid.losses * hours * now.buy,
            "import_price": now.buy,
            "stability": grid.stability,
            "frequency": grid.frequency,
            "voltage_min": jnp.min(grid.voltage),
            "voltage_max": jnp.max(grid.voltage),
            "loading_max": jnp.max(grid.loading, initial=0.0),
            "out_of_band": jnp.where(good, outside_band, 1.0),
            "controllable": jnp.where(good, outside_band == 0.0, False).astype(excess.dtype),
            "converged": good.astype(excess.dtype),
        }
        overload = jnp.mean(jnp.maximum(grid.loading - 1.0, 0.0))
        cost = {
            "voltage": jnp.where(good, jnp.mean(excess), 1.0),
            "loading": jnp.where(good, overload, 1.0),
            "unserved": jnp.sum(unserved),
            "peak": jnp.maximum(jnp.sum(balance.exchange) - params.contracted_power, 0.0),
        }

        price_noise, forecast_noise, message_noise, heard = self._noise(key, home.demand.dtype)
        clock, step = state.clock + 1, state.step + 1
        unforeseen = prices.next_unforeseen(params.tariff, state.unforeseen, price_noise, hours)
        given = outside.at(clock, step, state.drawn, unforeseen, params, self.steps_per_day)
        after = State(
            clock=clock,
            step=step,
            energy=energy,
            need=need,
            temperature=temperature,
            unforeseen=unforeseen,
            drawn=state.drawn,
            now=given,
            forecast=outside.forecast(clock, forecast_noise, params, self.steps_per_day),
            message=self._messages(energy, given, offer, message_noise, heard, params),
            offer=offer,
            voltage=grid.voltage,
            stability=grid.stability,
            frequency=grid.frequency,
            deviation=grid.deviation,
        )
        return Transition(
            state=after,
            reward={GROUP: reward},
            terminated=~good,
            truncated=(step >= params.episode_length) & good,
            cost=cost,
            metrics=metrics,
        )

    def ability(self, demand: jax.Array, state: State, params: Params) -> Ability:
        """What agents can do in the step that begins now if their demand is `demand` (kW, `[n_agent]`)."""
        home = params.households
        return ability(
            demand, state.now.sun, home.battery, state.energy, home.inverter, home.connection, self.hours
        )

    def transfers(self, state: State, actions: PerGroup, params: Params) -> Transfers:
        """What neighbours exchange, kW `[n_agent, n_slot]`, in the step in which agents do `actions`."""
        action = jnp.clip(actions[GROUP].reshape(self.n_agent, self.n_action), -1.0, 1.0)
        demand = self._flexible(action, state, params)[0]
        return self._agreed(action[:, : self.n_slot], self.ability(demand, state, params), params)

    def usual_demand(self, state: State, params: Params) -> jax.Array:
        """Demand (kW, `[n_agent]`) of the step that begins now if vehicles and heat pumps act as is usual."""
        return self._flexible(jnp.zeros((self.n_agent, self.n_action)), state, params)[0]

    def observe(self, state: State, params: Params) -> PerGroup:
        seen = observation.local(state, params, self.steps_per_day, self.vehicles, self.heat_pumps)
        return {GROUP: seen}

    def global_state(self, state: State, params: Params) -> jax.Array:
        return observation.whole(state, params, self.steps_per_day, self.vehicles, self.heat_pumps)

    def neighbours(self, params: Params) -> jax.Array:
        """With whom agents may exchange energy, bool `[n_agent, n_agent]`."""
        return jnp.any(jax.nn.one_hot(params.neighbour, self.n_agent, dtype=bool), axis=1)

    def observation_space(self, params: Params) -> dict[str, Box]:
        return {GROUP: Box(-np.inf, np.inf, (len(self.observation_labels(params)[GROUP]),))}

    def action_space(self, params: Params) -> dict[str, Space]:
        return {GROUP: Box(-1.0, 1.0, (self.n_action,))}

    def action_labels(self, params: Params) -> dict[str, tuple[str, ...]]:
        del params
        slots = (f"slot {k}: transfer, + offers [rating, companded]" for k in range(self.n_slot))
        extra = (("vehicle", self.vehicles), ("heat pump", self.heat_pumps))
        return {
            GROUP: (
                *slots,
                "trade, + buys [connection, companded]",
                "reactive power, + injects [reactive capability]",
                *(f"{name} [-1 off, 0 as usual, 1 full]" for name, there in extra if there),
            )
        }

    def observation_labels(self, params: Params) -> dict[str, tuple[str, ...]]:
        """See `observation`; slots without neighbour read 0 throughout."""
        return {GROUP: observation.labels(self.n_slot, self.vehicles, self.heat_pumps)}

    @property
    def case_steps(self) -> int:
        return self.steps_per_day

    def on_case(self, params: Params, case: jax.Array | int) -> Params:
        """Params under which an episode is that whole day of the year, batteries half full at first."""
        return replace(
            params,
            days=jnp.atleast_1d(jnp.asarray(case, jnp.int32)),
            episode_length=jnp.int32(self.steps_per_day),
            initial_charge=jnp.full(2, 0.5, jnp.float32),
            latest_start=jnp.int32(0),
        )

    def staggered(self, params: Params) -> Params:
        """The first episode of each environment ends at the usual midnight and begins at any hour before."""
        return replace(params, latest_start=jnp.asarray(params.episode_length - 1, jnp.int32))

    def _agreed(self, offer: jax.Array, able: Ability, params: Params) -> Transfers:
        return agree(expand(offer, TRANSFER), able.send, able.take, params.neighbour, params.reverse)

    def _flexible(
        self, action: jax.Array, state: State, params: Params
    ) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
        """Demand of all devices (kW), then need, missed need (kWh) and temperature after the step."""
        home, demand = params.households, state.now.demand
        day, hour = day_and_hour(state.clock, self.steps_per_day)
        need, missed, temperature = state.need, jnp.zeros_like(state.need), state.temperature
        column = self.n_slot + 2
        if self.vehicles:
            power = vehicle.charging_power(home.vehicle, need, action[:, column], hour, self.hours)
            need, missed = vehicle.advance(home.vehicle, need, power, hour, self.hours)
            demand, column = demand + power, column + 1
        if self.heat_pumps:
            air = outdoors(day, hour)
            power = heat_pump.heating_power(home.heat_pump, temperature, air, action[:, column], self.hours)
            temperature = heat_pump.advance(home.heat_pump, temperature, air, power, self.hours)
            demand = demand + power
        return demand, need, missed, temperature

    def _noise(self, key: jax.Array, real) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
        """Noise of price (normal), forecasts and messages (uniform, unit variance); uniforms of who is heard.

        Drawn for every agent in every step, so frugally: one word of random bits per agent and slot, cut up.
        """
        price_key, many_key = jax.random.split(key)
        words = jax.random.bits(many_key, (self.n_agent, 1 + self.n_slot), jnp.uint32)

        def uniform(of, shift: int, width: int):
            return (((of >> shift) & (2**width - 1)).astype(real) + 0.5) / 2**width

        def unit(of, shift: int, width: int):
            return np.sqrt(12.0) * (uniform(of, shift, width) - 0.5)

        own, slots = words[:, 0], words[:, 1:]
        ahead = jnp.stack([unit(own, 0, 16), unit(own, 16, 16)], axis=-1)
        spoken = jnp.stack([unit(slots, shift, 7) for shift in (0, 7, 14)], axis=-1)
        return jax.random.normal(price_key, (), real), ahead, spoken, uniform(slots, 21, 11)

    def _messages(
        self,
        energy: jax.Array,
        now: Now,
        offer: jax.Array,
        noise: jax.Array,
        heard: jax.Array,
        params: Params,
    ) -> jax.Array:
        """What agents hear of their neighbours, `[n_agent, n_slot, 4]`; zero where nothing is heard."""
        home = params.households
        charge = energy / jnp.maximum(home.battery.capacity, 1e-6)
        spare = (jnp.minimum(now.sun, home.inverter) - now.demand) / jnp.mean(home.demand)
        there = jnp.maximum(params.neighbour, 0)
        said = (
            jnp.stack([charge[there], spare[there], offer[there, params.reverse]], axis=-1)
            + params.message_noise * noise
        )
        got = (params.neighbour >= 0) & (heard >= params.message_loss)
        flag = jnp.ones((*got.shape, 1), said.dtype)
        return jnp.where(got[..., None], jnp.concatenate([said, flag], axis=-1), 0.0)
