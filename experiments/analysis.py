"""From recorded cases to what `analysis.json` holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.case_panels import Panel, case_name, panels_of
from experiments.cases import Cases
from gridjax.envs import Environment
from gridjax.evaluation.action_distribution import action_distribution
from gridjax.evaluation.correlation import rank_correlation
from gridjax.evaluation.recording import Forecast, Recording
from gridjax.evaluation.value_error import calibration, realised_returns, telling
from gridjax.evaluation.worst_cases import rank_cases, usual_costs
from gridjax.learners import MAPPO


def actions(env: Environment, params: Any, played: Recording) -> dict[str, Any]:
    """Distributions of every entry of the actions, by group."""
    spaces, labels = env.action_space(params), env.action_labels(params)
    return {
        group: action_distribution(played.action[group], spaces[group], labels[group]) for group in env.groups
    }


def correlations(env: Environment, params: Any, played: Recording) -> dict[str, Any]:
    """What agents of each group see and do, with the grid; a sample is an agent in a step."""
    labels, acts = env.observation_labels(params), env.action_labels(params)
    found = {}
    for group, agents in env.groups.items():
        action = played.action[group]
        parts = [action["continuous"], action["discrete"]] if isinstance(action, dict) else [action]
        sampled = np.asarray(played.observation[group]).shape[:3]
        flat = [np.asarray(part).reshape(*sampled, -1) for part in parts]
        grid = {**played.metrics, **{f"cost: {name}": value for name, value in played.cost.items()}}
        columns = {
            "observation": _columns(labels[group], np.asarray(played.observation[group])),
            "action": _columns(acts[group], np.concatenate(flat, axis=-1)),
            "grid": {
                name: _per_agent(np.asarray(value), agents, len(env.groups) == 1).ravel()
                for name, value in grid.items()
            }
            | {"reward": np.asarray(played.reward[group]).ravel()},
        }
        found[group] = rank_correlation(columns)
    return found


def _columns(labels: tuple[str, ...], values: np.ndarray) -> dict[str, np.ndarray]:
    return {label: values[..., k].ravel() for k, label in enumerate(labels)}


def _per_agent(value: np.ndarray, agents: int, alone: bool) -> np.ndarray:
    """A metric `[n_case, n_step, ...]` as every agent's `[n_case, n_step, agents]`.

    Its own, where the task has one group and the metric an entry per agent; else the sum of the entries.
    """
    if alone and value.shape[2:] == (agents,):
        return value
    total = value.reshape(*value.shape[:2], -1).sum(axis=2)
    return np.broadcast_to(total[..., None], (*total.shape, agents))


def value_error(learner: MAPPO, foretold: Forecast) -> dict[str, Any]:
    """Calibration of the critic by stream, then by group of agents.

    `judged` is the share of the steps that counts, `bootstrapped` the mean weight of the critic's own value
    in their returns.
    """
    ends = (np.asarray(foretold.terminated), np.asarray(foretold.truncated))
    returns, weights = realised_returns(
        foretold.paid, foretold.next_value, *ends, float(learner.gamma), learner.finite_horizon
    )
    chosen = telling(weights)
    names = ("reward", *(f"cost {name}" for name in learner.cost_bounds or ()))
    groups = learner.layout.groups
    firsts = np.cumsum([0, *(group.agents for group in groups)])
    streams: dict[str, dict[str, Any]] = {}
    for k, stream in enumerate(names):
        for group, first in zip(groups, firsts):
            mine = np.s_[:, first : first + group.agents, k]
            streams.setdefault(stream, {})[group.name] = calibration(
                np.asarray(foretold.value)[chosen][mine], returns[chosen][mine]
            )
    return {
        "gamma": float(learner.gamma),
        "judged": chosen.mean(),
        "bootstrapped": weights[chosen].mean(),
        "streams": streams,
    }


def _median(values: np.ndarray) -> np.ndarray:
    """Over the cases that have the quantity, `[n_step]`; nan where none has."""
    there = np.isfinite(values).any(axis=0)
    found = np.full(values.shape[1], np.nan)
    found[there] = np.nanmedian(values[:, there], axis=0)
    return found


def worst_cases(
    env: Environment, cases: Cases, played: Recording, by: str | None, shown: int
) -> dict[str, Any]:
    """Cases ranked by their costs, and the worst of them through time."""
    costs = {name: np.asarray(value, float) for name, value in played.cost.items()}
    earned = np.concatenate([np.asarray(reward) for reward in played.reward.values()], axis=2)
    means = {name: value.mean(axis=1) for name, value in costs.items()}
    ranked = rank_cases(means, earned.mean(axis=(1, 2)), cases.rows, by)
    ranked = [{"name": case_name(env, case["row"]), **case} for case in ranked]
    rows = cases.rows.tolist()
    worst = [rows.index(case["row"]) for case in ranked[:shown]]
    panels = (
        *panels_of(env, cases.params),
        *(Panel(f"cost {name}", {"": lambda m, name=name: costs[name]}) for name in usual_costs(means)),
    )
    return {
        "ranked": ranked,
        "ranked_by": by or "all costs, each over its mean where it occurs",
        "usual": usual_costs(means),
        "shown": len(worst),
        "hours": env.hours,
        "panels": [
            {
                "label": panel.label,
                "limits": panel.limits,
                "series": {name: values[worst] for name, values in every.items()},
                "median": {name: _median(values) for name, values in every.items()},
            }
            for panel in panels
            for every in [{name: read(played.metrics) for name, read in panel.series.items()}]
        ],
    }
