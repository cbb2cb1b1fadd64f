"""Figures of a run on SmartGrid-v0, from its files: `RUN/figures/*.png`."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from experiments.held_out import learner_name
from experiments.prosumer_yardsticks import rules, tuned_rule
from experiments.run_directory import RunDirectory, read_metrics
from experiments.steering import known_rule
from experiments.training import Trainer, at_seed
from gridjax.envs.smart_grid import SmartGrid
from gridjax.envs.smart_grid.agreement import agree
from gridjax.envs.smart_grid.companding import TRANSFER, expand
from gridjax.evaluation.figures.community import CommunityDay, energy_day, stability_meaning, supply_matrix
from gridjax.evaluation.figures.flow_map import Snapshot, flow_map
from gridjax.evaluation.figures.run import training_curve
from gridjax.evaluation.rollout import Trajectory, case_keys, record_day
from gridjax.powerflow.branch import branch_flow

_PANELS = (
    ("reward", "validation/reward", 1.0, "mean reward per step and agent (-)"),
    ("metrics/received", "", 4.0, "power from peers, mean of an agent (kW)"),
)


def draw_community(run: RunDirectory, trainer: Trainer, policies: Any, days: np.ndarray) -> list[str]:
    """Draw the training curve, a day of energy under the tuned rule, the first seed and the optimum, who
    supplied whom, the feeder's flows at noon and in the evening, and what the stability index means; the
    paths.
    """
    env, params = cast(SmartGrid, trainer.task), trainer.learner.env_params
    name = learner_name(trainer.learner.central_critic)
    written = [training_curve(read_metrics(run.metrics), run.figures / "training.png", _PANELS)]
    day = _median_sun(env, params, days)
    key = case_keys(jax.random.key(0), days)[list(days).index(day)]
    tuned = known_rule(trainer.learner.env) or tuned_rule(env, params)
    acts = {"tuned_rule": rules(env, tuned)["tuned_rule"], name: trainer.act(at_seed(policies, 0))}
    tracks = {name: record_day(env, params, act, day, key) for name, act in acts.items()}
    shown = {name: _community_day(env, params, track) for name, track in tracks.items()}
    now = tracks[name].state.now
    when = date(2016, 1, 1) + timedelta(days=int(day))
    title = f"{env.n_agent} prosumers on {params.network.name}, {when:%A}, {when.day} {when:%B}"
    prices = np.asarray(now.buy), np.asarray(now.sell)
    written.append(energy_day(shown, *prices, run.figures / "day.png", title))
    written.append(
        supply_matrix(
            {name: one.supplied for name, one in shown.items()},
            run.figures / "supply.png",
            f"who supplied whom: {title}",
        )
    )
    hours = {"noon": 12, "evening": 19}
    steps = {label: hour * env.steps_per_day // 24 for label, hour in hours.items()}
    written.append(
        flow_map(
            params.network,
            {
                f"{label}, {hours[label]}:00": _snapshot(params, tracks[name], step)
                for label, step in steps.items()
            },
            np.asarray(params.households.bus),
            run.figures / "feeder.png",
            f"{title}: {name.upper()}",
        )
    )
    written.append(stability_meaning(run.figures / "stability.png"))
    return [str(path) for path in written]


def _median_sun(env: SmartGrid, params: Any, days: np.ndarray) -> int:
    """The day in the summer half of `days` with the median of sun: neither dark nor without clouds."""
    half = np.array([day for day in days if 80 <= day < 265] or list(days))
    table = np.asarray(params.profiles.sun).sum(axis=1)
    rows = env.steps_per_day
    sun = np.array([table[day * rows : (day + 1) * rows].sum() for day in half])
    return int(half[np.argsort(sun)[sun.size // 2]])


def _community_day(env: SmartGrid, params: Any, track: Trajectory) -> CommunityDay:
    m = {name: np.asarray(value, float) for name, value in track.metrics.items()}
    capacity = np.asarray(params.households.battery.capacity)
    exchange = (m["import"] - m["export"]) / env.hours
    demand, sun = m["demand"] / env.hours, m["sun"] / env.hours
    net = (m["received"] - m["sent"]) / env.hours
    kept = sun - m["curtailed"] / env.hours
    battery = demand - m["unserved"] / env.hours - kept - net - exchange
    with np.errstate(divide="ignore", invalid="ignore"):
        charge = np.where(capacity > 0, np.asarray(track.state.energy) / capacity, np.nan)
    sent, there = (np.asarray(x) for x in _transfers(env, track, params))
    supplied = np.zeros((env.n_agent, env.n_agent))
    for agent in range(env.n_agent):
        np.add.at(supplied[agent], there[agent][there[agent] >= 0], sent[agent][there[agent] >= 0])
    return CommunityDay(
        demand=demand.sum(axis=1),
        sun=sun.sum(axis=1),
        battery=battery.sum(axis=1),
        exchange=exchange.sum(axis=1),
        peers=m["sent"].sum(axis=1) / env.hours,
        charge=charge,
        supplied=supplied,
    )


@partial(jax.jit, static_argnums=0)
def _transfers(env: SmartGrid, track: Trajectory, params: Any) -> tuple[jax.Array, jax.Array]:
    """Energy sent in the day, kWh `[n_agent, n_slot]`, and to whom."""

    def one(state, actions, demand):
        able = env.ability(demand / env.hours, state, params)
        offer = expand(actions["prosumer"][:, : env.n_slot], TRANSFER)
        return agree(offer, able.send, able.take, params.neighbour, params.reverse).sent

    sent = jax.vmap(one)(track.state, track.actions, track.metrics["demand"])
    return jnp.sum(sent, axis=0) * env.hours, params.neighbour


def _snapshot(params: Any, track: Trajectory, step: int) -> Snapshot:
    """What flowed in `step`, from the voltages it ended with."""
    network, after = params.network, jax.tree.map(lambda x: x[step], track.after)
    e = jax.lax.complex(after.deviation[0], after.deviation[1])
    flow = branch_flow(network, params.chord.nominal, e)
    loading = np.maximum(
        np.abs(np.asarray(flow.current_from)) / np.asarray(network.rating_from),
        np.abs(np.asarray(flow.current_to)) / np.asarray(network.rating_to),
    )
    base = float(network.base_mva) * 1e3
    return Snapshot(
        power=base * np.asarray(flow.power_from.real),
        loading=loading,
        voltage=np.asarray(after.voltage),
    )
