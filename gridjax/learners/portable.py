"""A policy as two small files: `NAME.npz` of arrays and `NAME.json` that says what they are.

Neither needs the program that wrote it: no pickles, and the architecture stands in the JSON, beside a SHA-256
of the arrays and whatever the writer says about where the policy comes from.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from gridjax import archive
from gridjax.learners.actor import Actor
from gridjax.learners.layout import Group, Layout
from gridjax.learners.normalise import RunningStats
from gridjax.learners.policy import Policy

FORMAT = "gridjax.policy/1"
_ACTOR = (
    *("architecture", "head", "sharing", "hidden", "activation", "initial_log_std", "identity", "skip"),
)


def save_policy(policy: Policy, path: str | os.PathLike, about: Mapping[str, Any]) -> Path:
    """Write `policy` as `path` with endings `.npz` and `.json`; returns the latter.

    `about` is data for JSON.
    """
    record = {
        "format": FORMAT,
        "about": dict(about),
        "layout": dataclasses.asdict(policy.layout),
        "actor": {name: getattr(policy.actor, name) for name in _ACTOR},
        "normalise_observations": policy.normalise_observations,
    }
    return archive.write(path, _arrays(policy), record)


def read_about(path: str | os.PathLike) -> dict[str, Any]:
    """What the JSON of a policy says about it, without reading the arrays. Raises as `load_policy`."""
    return _read(path)["about"]


def load_policy(path: str | os.PathLike) -> tuple[Policy, dict[str, Any]]:
    """The policy at `path` (`.json` or `.npz`), and what is said about it.

    Raises `FileNotFoundError` if a part is missing, `ValueError` where the files are no policy, are damaged,
    or do not belong together.
    """
    record = _read(path)
    try:
        arrays = archive.read_arrays(path, "policy", record)
    except ValueError:
        # a training may have written it anew since the record was read
        newer = _read(path)
        if newer == record:
            raise
        record, arrays = newer, archive.read_arrays(path, "policy", newer)
    try:
        return _policy(record, arrays), record["about"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"policy {path} lacks or misnames something: {error}") from error


def _read(path: str | os.PathLike) -> dict[str, Any]:
    record = archive.read_record(path, "policy")
    if record.get("format") != FORMAT:
        raise ValueError(f"policy {path} has format {record.get('format')!r}, expected {FORMAT!r}")
    return record


def _policy(record: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Policy:
    groups = tuple(Group(**group) for group in record["layout"]["groups"])
    chosen = {name: _hashable(record["actor"][name]) for name in _ACTOR}
    actor = Actor(layout=Layout(groups, record["layout"]["global_state"]), **chosen)
    params: dict[str, Any] = {}
    for name, value in arrays.items():
        kind, *path = name.split("/")
        if kind == "params":
            place = params
            for part in path[:-1]:
                place = place.setdefault(part, {})
            place[path[-1]] = jnp.asarray(value)
    names = tuple(field.name for field in dataclasses.fields(RunningStats))
    statistics = {
        group.name: RunningStats(*(jnp.asarray(arrays[f"statistics/{group.name}/{name}"]) for name in names))
        for group in groups
    }
    near = arrays.get("neighbours")
    return Policy(
        params=params,
        statistics=statistics,
        neighbours=None if near is None else jnp.asarray(near),
        actor=actor,
        normalise_observations=record["normalise_observations"],
    )


def _arrays(policy: Policy) -> dict[str, np.ndarray]:
    found = {f"params/{name}": np.asarray(x) for name, x in _flat(policy.params)}
    for group, stats in policy.statistics.items():
        for field in dataclasses.fields(stats):
            found[f"statistics/{group}/{field.name}"] = np.asarray(getattr(stats, field.name))
    if policy.neighbours is not None:
        found["neighbours"] = np.asarray(policy.neighbours)
    return found


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found = []
    for name, value in tree.items():
        path = f"{prefix}{name}"
        found += _flat(value, f"{path}/") if isinstance(value, Mapping) else [(path, value)]
    return found


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
