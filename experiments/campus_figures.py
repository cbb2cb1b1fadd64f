"""Figures of a run on Resilience-v0, from its files: `RUN/figures/*.png`."""

from __future__ import annotations

import json
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from experiments.campus_yardsticks import rules
from experiments.cases import Cases
from experiments.held_out import learner_name
from experiments.run_directory import RunDirectory, read_metrics
from experiments.steering import known_rule
from experiments.training import Trainer, at_seed
from gridjax.controllers.campus import CampusRule
from gridjax.envs.resilience import Resilience
from gridjax.evaluation.figures.outage import plot_outage
from gridjax.evaluation.figures.resilience import plot_survival, plot_trapezoid
from gridjax.evaluation.figures.run import training_curve
from gridjax.evaluation.rollout import record_days
from gridjax.evaluation.survival import survival

_WHOLE = 1.0 - 1e-5  # served: all but rounding
_PANELS = (
    ("reward", "validation/reward", 1.0, "mean reward per step (-)"),
    ("metrics/unserved_cost", "validation/unserved_cost", 4.0, "worth of what is not served (EUR/h)"),
)


def draw_campus(run: RunDirectory, trainer: Trainer, policies: Any, cases: Cases) -> list[str]:
    """Draw the training curve, one long outage under the first seed, survival and trapezoids; the paths."""
    env, params = cast(Resilience, trainer.task), cases.params
    name = learner_name(trainer.learner.central_critic)
    acts = rules(env, known_rule(trainer.learner.env) or _evaluated_rule(run))
    acts |= {name: trainer.act(at_seed(policies, 0))}
    tracks = {}
    for key, act in acts.items():
        metrics = record_days(env, params, act, cases.rows, jax.random.key(0), 40).metrics
        tracks[key] = {measure: np.asarray(value, float) for measure, value in metrics.items()}
    begin, end = outage_of(tracks[name]["grid_present"])
    row = _telling(end - begin, tracks["do_nothing"])
    one = {key: {k: np.asarray(v[row], float) for k, v in track.items()} for key, track in tracks.items()}
    title = (
        f"a campus on {params.network.name}, {int(end[row] - begin[row]) * env.hours:.0f} h without the grid"
    )
    written = [training_curve(read_metrics(run.metrics), run.figures / "training.png", _PANELS)]
    mine = one[name]
    capacity = float(np.sum(np.asarray(params.campus.battery.capacity)))
    tanks = float(np.sum(np.asarray(params.campus.generator.tank)))
    mine |= {"charge": mine["stored"] / capacity, "tank": mine["fuel"].sum(axis=1) / tanks}
    timeline = jax.tree.map(lambda x: np.asarray(x)[cases.rows[row]], params.scenarios.timeline)
    events = events_of(timeline, env.case_steps)
    written.append(plot_outage(mine, env.hours, run.figures / "outage.png", events, title))
    curves = {key: _survival(track, begin, end) for key, track in tracks.items()}
    written.append(plot_survival(curves, env.hours, run.figures / "survival.png", "held-out outages"))
    shares = {key: _share(track) for key, track in one.items()}
    first, last = int(begin[row]), int(end[row])
    written.append(
        plot_trapezoid(shares, env.hours, first, last, run.figures / "trapezoid.png", "one outage, all load")
    )
    return [str(path) for path in written]


def _evaluated_rule(run: RunDirectory) -> CampusRule:
    """The rule that the policies were measured against, tuned for that."""
    constants = json.loads(run.evaluation.read_text(encoding="utf-8"))["rule"]
    return CampusRule(**{name: jnp.float32(value) for name, value in constants.items()})


def outage_of(present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First step of the first outage of every case, and the step in which the grid is back, `[n_case]`."""
    lost = np.asarray(present) < 0.5
    begin = lost.argmax(axis=1)
    back = ~lost & (np.arange(lost.shape[1]) > begin[:, None])
    end = np.where(back.any(axis=1), back.argmax(axis=1), lost.shape[1])
    return begin, np.maximum(end, begin + 1)


def events_of(timeline: Any, n_step: int) -> dict[str, np.ndarray]:
    """What happens in a case, bool `[n_step]` by name; what does not happen is left out."""
    step = np.arange(n_step)

    def during(begin, end):
        return ((step[:, None] >= begin.ravel()) & (step[:, None] < end.ravel())).any(axis=1)

    every = {
        "no grid": during(timeline.grid_begin, timeline.grid_end),
        "storm": during(timeline.storm_begin, timeline.storm_end),
        "branch faults": during(timeline.branch_begin, timeline.branch_end),
        "sensors lost": during(timeline.sensor_begin, timeline.sensor_end),
    }
    return {name: flags for name, flags in every.items() if flags.any()}


def _telling(length: np.ndarray, idle: dict[str, np.ndarray]) -> int:
    """A case of about a day without the grid in which doing nothing loses critical load."""
    lost = (np.asarray(idle["demand_critical"]) - np.asarray(idle["served_critical"])).sum(axis=1) > 1.0
    off = np.abs(length - 96) + np.where(lost, 0, 10_000)
    return int(off.argmin())


def _share(track: dict[str, np.ndarray]) -> np.ndarray:
    tiers = ("critical", "priority", "discretionary")
    demand = sum(np.asarray(track[f"demand_{tier}"], float) for tier in tiers)
    served = sum(np.asarray(track[f"served_{tier}"], float) for tier in tiers)
    return np.clip(served / demand, 0.0, 1.0)


def _survival(track: dict[str, np.ndarray], begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    served = np.asarray(track["served_critical"]) >= _WHOLE * np.asarray(track["demand_critical"])
    longest = int((end - begin).max())
    shifted = np.ones((served.shape[0], longest), bool)
    for k, (first, last) in enumerate(zip(begin, end)):
        shifted[k, : last - first] = served[k, first:last]
    return survival(shifted, (end - begin).astype(int))
