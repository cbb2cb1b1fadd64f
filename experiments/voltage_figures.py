"""Figures of a run on VoltageControl-v0, from its files: `RUN/figures/*.png`."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any, cast

import jax
import numpy as np

from experiments.held_out import learner_name
from experiments.run_directory import RunDirectory, read_metrics
from experiments.training import Trainer, at_seed
from experiments.voltage_yardsticks import baselines
from gridjax.controllers import CATEGORY_B
from gridjax.envs.voltage_control import VoltageControl
from gridjax.evaluation.figures.feeder import feeder_map
from gridjax.evaluation.figures.run import reactive_power, training_curve, voltage_fan
from gridjax.evaluation.rollout import Trajectory, case_keys, record_day


def draw_voltage(
    run: RunDirectory, trainer: Trainer, policies: Any, days: np.ndarray, optimum: bool
) -> list[str]:
    """Draw the training curve, and the sunniest day of the first seed beside no control and, if wanted, the
    optimum; the paths.
    """
    env, params = cast(VoltageControl, trainer.task), trainer.learner.env_params
    day = sunniest(trainer, days)
    key = case_keys(jax.random.key(0), days)[list(days).index(day)]
    written = [training_curve(read_metrics(run.metrics), run.figures / "training.png")]
    learner = learner_name(trainer.learner.central_critic)
    shown = ("no_control", learner, *(["optimum"] if optimum else []))
    acts = baselines(env, params, CATEGORY_B) | {learner: trainer.act(at_seed(policies, 0))}
    voltages, reactive = {}, {}
    base = float(params.network.base_mva)
    sun = np.zeros(0)
    for name in shown:
        track = record_day(env, params, acts[name], day, key)
        voltages[name] = np.asarray(_voltages(env, track, params))
        reactive[name] = base * np.asarray(track.after.reactive)
        sun = base * np.asarray(track.state.sun)
    when = date(2016, 1, 1) + timedelta(days=int(day))
    title = f"{params.network.name}, {when:%A}, {when.day} {when:%B}"
    band = (float(params.voltage_low), float(params.voltage_high))
    written.append(voltage_fan(voltages, band, run.figures / "voltage.png", title))
    written.append(
        reactive_power(
            {name: reactive[name] for name in shown[1:]},
            sun,
            np.asarray(params.pv_bus).tolist(),
            run.figures / "reactive_power.png",
            title,
        )
    )
    brightest = int(sun.sum(axis=1).argmax())
    clock = f"{24 * brightest // env.steps_per_day}:{24 * 60 * brightest // env.steps_per_day % 60:02d}"
    written.append(
        feeder_map(
            params.network,
            {name: voltages[name][brightest] for name in shown[:2]},
            np.asarray(params.pv_bus),
            band,
            run.figures / "feeder.png",
            f"{title}, {clock}",
        )
    )
    return [str(path) for path in written]


def sunniest(trainer: Trainer, days: np.ndarray) -> int:
    """The day with the most sun: its noon pushes voltages up, its evening pulls them down."""
    rows = cast(VoltageControl, trainer.task).rows_per_day
    sun = np.asarray(trainer.learner.env_params.sun).sum(axis=1)
    return int(max(days, key=lambda day: sun[day * rows : (day + 1) * rows].sum()))


@partial(jax.jit, static_argnums=0)
def _voltages(env: Any, track: Trajectory, params: Any) -> jax.Array:
    """Magnitudes `[n_step, n_bus]` (p.u.) that each step's action led to, before the clock moves on."""

    def one(state, after):
        deviation, _ = env.flow(state.demand, state.sun, after.reactive, state.deviation, params)
        return env.voltage(deviation, params)[0]

    return jax.vmap(one)(track.state, track.after)
