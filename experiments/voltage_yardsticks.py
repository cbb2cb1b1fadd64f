"""VoltageControl-v0: no control, droops, and the optimum with perfect information."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from experiments.yardsticks import Measures, Yardsticks, named_costs
from gridjax.controllers import CATEGORY_B, STEEP, Droop, droop, no_control, optimum, tune_droop
from gridjax.envs.voltage_control import VoltageControl
from gridjax.evaluation.rollout import Act, Recalling, Scores, score_days


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


def voltage_yardsticks(
    env: VoltageControl, params: Any, days: np.ndarray, done: Callable[[int, str], None]
) -> Yardsticks:
    """See `yardsticks.Yardsticks`."""
    done(0, "tuning the droop on training days")
    tuned = jax.tree.map(np.asarray, tune_droop(env, params, jax.random.key(0)))
    acts = baselines(env, params, tuned)
    best = acts.pop("optimum")

    def score(act: Act | Recalling, note: str) -> Measures:
        return _measures(
            score_days(env, params, act, days, jax.random.key(0), 24, lambda number: done(number, note))
        )

    return Yardsticks(
        before=acts,
        best=lambda: best,
        score=score,
        start="no_control",
        order=tuple(acts),
        constants={"droop": droop_constants(tuned)},
    )


def _as_arrays(curve: Droop) -> Droop:
    return Droop(points=jnp.asarray(curve.points, jnp.float32), limit=jnp.asarray(curve.limit, jnp.float32))


def _measures(scores: Scores) -> Measures:
    measures = {"reward": scores.reward, **scores.metrics, **named_costs(scores), "diverged": scores.failed}
    # extremes of a step, averaged over a day, mean little
    for name in ("voltage_min", "voltage_max"):
        measures.pop(name, None)
    measures["energy_loss_mwh"] = measures["losses_mw"] * 24.0  # a day's mean MW, times its hours
    return {name: np.asarray(value, float) for name, value in measures.items()}


def droop_constants(tuned: Droop) -> dict[str, Any]:
    """Points (p.u.) and limit (share of the rating) of every curve in the comparison."""
    curves = {"category_b": CATEGORY_B, "steep": STEEP, "tuned_droop": tuned}
    return {
        name: {"points_pu": np.round(np.asarray(c.points, float), 5), "limit": round(float(c.limit), 5)}
        for name, c in curves.items()
    }
