"""A policy as two small files: `NAME.npz` of arrays and `NAME.json` that says what they are.

Neither needs the program that wrote it: no pickles, and the architecture stands in the JSON, beside a SHA-256
of the arrays and whatever the writer says about where the policy comes from.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from gridjax.learners.actor import Actor
from gridjax.learners.layout import Group, Layout
from gridjax.learners.normalise import RunningStats
from gridjax.learners.policy import Policy
from gridjax.network.artefact import digest

FORMAT = "gridjax.policy/1"
_ACTOR = (
    *("architecture", "head", "sharing", "hidden", "activation", "initial_log_std", "identity", "skip"),
)
_LARGEST = 256 << 20  # bytes of arrays, beyond which a file is not what it should be


def save_policy(policy: Policy, path: str | os.PathLike, about: Mapping[str, Any]) -> Path:
    """Write `policy` as `path` with endings `.npz` and `.json`; returns the latter.

    `about` is data for JSON. Both files are written under temporary names and renamed, the JSON last.
    """
    arrays = _arrays(policy)
    record = {
        "format": FORMAT,
        "about": dict(about),
        "layout": dataclasses.asdict(policy.layout),
        "actor": {name: getattr(policy.actor, name) for name in _ACTOR},
        "normalise_observations": policy.normalise_observations,
        "sha256": digest(arrays),
    }
    sheet = Path(path).with_suffix(".json")
    archive = sheet.with_suffix(".npz")
    sheet.parent.mkdir(parents=True, exist_ok=True)
    unfinished = [file.with_name(file.name + ".partial") for file in (archive, sheet)]
    text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    with open(unfinished[0], "wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
    unfinished[1].write_text(text, encoding="utf-8")
    for file, final in zip(unfinished, (archive, sheet)):
        os.replace(file, final)
    return sheet


def read_about(path: str | os.PathLike) -> dict[str, Any]:
    """What the JSON of a policy says about it, without reading the arrays. Raises as `load_policy`."""
    return _read(Path(path).with_suffix(".json"))["about"]


def load_policy(path: str | os.PathLike) -> tuple[Policy, dict[str, Any]]:
    """The policy at `path` (`.json` or `.npz`), and what is said about it.

    Raises `FileNotFoundError` if a part is missing, `ValueError` where the files are no policy, are damaged,
    or do not belong together.
    """
    sheet = Path(path).with_suffix(".json")
    archive = sheet.with_suffix(".npz")
    record = _read(sheet)
    if not archive.is_file():
        raise FileNotFoundError(f"policy {archive} does not exist")
    if archive.stat().st_size > _LARGEST:
        raise ValueError(f"policy {archive} has {archive.stat().st_size} bytes, expected {_LARGEST} at most")
    try:
        with archive.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except Exception as error:  # of many kinds, depending on where the file is damaged
        raise ValueError(f"policy {archive} cannot be read: {error}") from error
    if digest(arrays) != record["sha256"]:
        raise ValueError(f"policy {archive} does not match the checksum in {sheet.name}")
    try:
        return _policy(record, arrays), record["about"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"policy {sheet} lacks or misnames something: {error}") from error


def _read(sheet: Path) -> dict[str, Any]:
    if not sheet.is_file():
        raise FileNotFoundError(f"policy {sheet} does not exist")
    try:
        record = json.loads(sheet.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"policy {sheet} is no JSON: {error}") from error
    found = record.get("format") if isinstance(record, dict) else None
    if found != FORMAT:
        raise ValueError(f"policy {sheet} has format {found!r}, expected {FORMAT!r}")
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
