"""Scores of a run's policies, and of what they are measured against, on the same days."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from experiments.progress import ProgressBar
from experiments.training import Trainer, at_seed
from gridjax.controllers import CATEGORY_B, STEEP, Droop, droop, no_control, optimum, tune_droop
from gridjax.envs.voltage_control import VoltageControl
from gridjax.evaluation.rollout import Act, Scores, act_with, score_days


def baselines(env: VoltageControl, params: Any, tuned: Droop) -> dict[str, Act]:
    """What learning is measured against, from the worst to the best that is expected."""

    def hold(key, obs, state, params):
        return no_control(env, state, params)

    def follow(curve, key, obs, state, params):
        return droop(curve, env, state, params)

    # a droop is one compiled program for all its curves, so all of them are arrays
    curves = [_as_arrays(curve) for curve in (CATEGORY_B, STEEP, tuned)]
    curvature = bool(np.any(np.asarray(params.loss_weight) > 0))

    def best(key, obs, state, params):
        return optimum(env, state, params, loss_curvature=curvature)

    return {
        "no_control": Partial(hold),
        "category_b": Partial(follow, curves[0]),
        "steep": Partial(follow, curves[1]),
        "tuned_droop": Partial(follow, curves[2]),
        "optimum": Partial(best),
    }


def voltage_control(trainer: Trainer) -> VoltageControl:
    """The task of a run. Raises `ValueError` for one without baselines."""
    env = trainer.learner.env
    if not isinstance(env, VoltageControl):
        raise ValueError(f"{env.name} has nothing to be measured against yet; only VoltageControl-v0 has")
    return env


def _as_arrays(curve: Droop) -> Droop:
    return Droop(points=jnp.asarray(curve.points, jnp.float32), limit=jnp.asarray(curve.limit, jnp.float32))


def score_all(
    trainer: Trainer, policies: Any, days: np.ndarray
) -> tuple[dict[str, dict[str, np.ndarray]], Droop]:
    """Measures `[n_run, n_day]` of every controller, worst expected first; and the tuned droop.

    `policies` is stacked over the seeds. Raises `ValueError` for a task without baselines.
    """
    env, params = voltage_control(trainer), trainer.learner.env_params
    seeds = len(trainer.seeds)
    with ProgressBar("evaluating", days.size * (5 + seeds), unit="days") as bar:
        bar.advance(0, "tuning the droop on training days")
        tuned = jax.tree.map(np.asarray, tune_droop(env, params, jax.random.key(0)))

        def score(act: Act, note: str) -> Scores:
            return score_days(
                env, params, act, days, jax.random.key(0), 24, lambda number: bar.advance(number, note)
            )

        acts = baselines(env, params, tuned)
        best = acts.pop("optimum")
        scores = {name: [score(act, name.replace("_", " "))] for name, act in acts.items()}
        scores["mappo"] = [score(act_with(at_seed(policies, k)), f"MAPPO seed {k}") for k in range(seeds)]
        scores["optimum"] = [score(best, "optimum")]
    return {name: _measures(runs) for name, runs in scores.items()}, tuned


def _measures(runs: list[Scores]) -> dict[str, np.ndarray]:
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves).astype(float), *runs)
    measures = {"reward": stacked.reward, **stacked.metrics, "diverged": stacked.failed}
    # extremes of a step, averaged over a day, mean little
    for name in ("voltage_min", "voltage_max"):
        measures.pop(name, None)
    measures["energy_loss_mwh"] = measures["losses_mw"] * 24.0  # a day's mean MW, times its hours
    return measures


def droop_constants(tuned: Droop) -> dict[str, Any]:
    """Points (p.u.) and limit (share of the rating) of every curve in the comparison."""
    curves = {"category_b": CATEGORY_B, "steep": STEEP, "tuned_droop": tuned}
    return {
        name: {"points_pu": np.round(np.asarray(c.points, float), 5), "limit": round(float(c.limit), 5)}
        for name, c in curves.items()
    }
