"""Tables of a task in Markdown, from what its environment declares, so that no page drifts from the code."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from fields import commented

from gridjax.envs import Box, Environment, Hybrid

_UNIT = re.compile(r"(?P<what>.*?) \[(?P<unit>[^\]]*)\]$")
_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")


class Row(NamedTuple):
    """Entries `first` to `last` of a vector; `k` in `what` counts from 0 where these are several."""

    first: int
    last: int
    what: str
    unit: str

    def covers(self, entry: int, label: str) -> bool:
        """Whether this row tells of that entry just what its label does."""
        what, unit = split(label)
        spelt = re.sub(r"\bk\b", str(entry - self.first), self.what) if self.last > self.first else self.what
        return self.first <= entry <= self.last and (spelt, unit) == (what, self.unit)


def split(label: str) -> tuple[str, str]:
    """What a label says, and its unit; a pure number has none."""
    match = _UNIT.match(label)
    return (match["what"], match["unit"]) if match else (label, "")


def rows(labels: Sequence[str], first: int = 0) -> list[Row]:
    """One row per entry, or for several that differ in a number counted from 0 alone."""
    found: list[Row] = []
    k = 0
    while k < len(labels):
        pattern, length = _run(labels[k:])
        found.append(Row(first + k, first + k + length - 1, *split(pattern)))
        k += length
    return found


def _run(labels: Sequence[str]) -> tuple[str, int]:
    for match in _NUMBER.finditer(labels[0]):
        before, after = labels[0][: match.start()], labels[0][match.end() :]
        if match[0] == "0":
            length = 1
            while length < len(labels) and labels[length] == f"{before}{length}{after}":
                length += 1
            if length > 1:
                return f"{before}k{after}", length
    return labels[0], 1


def shared(groups: Sequence[Sequence[str]]) -> int:
    """How many labels at their ends all groups have in common; 0 for one group."""
    if len(groups) < 2:
        return 0
    n = 0
    while n < min(map(len, groups)) and len({labels[-1 - n] for labels in groups}) == 1:
        n += 1
    return n


def observations(env: Environment, params: Any) -> str:
    """Markdown: entry, meaning and unit of every group's observation, what all see alike once."""
    labels, parts = env.observation_labels(params), []
    common = shared(list(labels.values()))
    heading = ("entry", "what it is", "unit")
    for group, own in labels.items():
        agents, alike = _agents(env, group), len(own) - common
        parts.append(f"**{group}**, {agents} of {len(own)} entries" + (". Its own:" if common else ":"))
        parts.append(table([heading, *map(_cells, rows(own[:alike]))]))
    if common:
        parts.append(f"All groups see these {common} after their own, numbered here from 0:")
        parts.append(table([heading, *map(_cells, rows(next(iter(labels.values()))[-common:]))]))
    return "\n\n".join(parts)


def actions(env: Environment, params: Any) -> str:
    """Markdown: entry, meaning, range and unit of every group's action."""
    parts = []
    for group, labels in env.action_labels(params).items():
        space = env.action_space(params)[group]
        box = space.continuous if isinstance(space, Hybrid) else space
        n_real = box.shape[0] if isinstance(box, Box) else 0
        parts.append(f"**{group}**, {_agents(env, group)}:")
        body = [
            (*_cells(row)[:2], "-1 to 1" if row.last < n_real else "a choice", row.unit)
            for row in rows(labels)
        ]
        parts.append(table([("entry", "what it does", "range", "unit, or what values mean"), *body]))
    return "\n\n".join(parts)


def costs(env: Environment, params: Any) -> str:
    """Markdown: name, meaning and unit of every cost."""
    body = [(f"`{name}`", *split(label)) for name, label in env.cost_labels(params).items()]
    return table([("cost", "what it is", "unit"), *body])


def metrics(env: Environment, params: Any) -> str:
    """Markdown: name, shape, meaning and unit of every metric."""
    shapes = {name: list(leaf.shape) for name, leaf in _info(env, params)["metrics"].items()}
    labels = env.metric_labels(params).items()
    body = [(f"`{name}`", f"`{shapes[name]}`", *split(label)) for name, label in labels]
    return table([("metric", "shape", "what it is", "unit"), *body])


def numbers(env: Environment, params: Any) -> str:
    """Markdown: name, default and meaning of the numbers in `params`, tables and networks left out."""
    body = []
    for name, (_, comment) in commented(type(params)).items():
        value = getattr(params, name)
        if dataclasses.is_dataclass(value) and all(np.ndim(leaf) == 0 for leaf in jax.tree.leaves(value)):
            said = commented(type(value))
            body += [(f"`{name}.{k}`", _number(x), said[k][1]) for k, x in vars(value).items()]
        elif not dataclasses.is_dataclass(value) and np.size(value) <= 4:
            body.append((f"`{name}`", _number(value), comment))
    return table([("in `params`", "default", "shape, unit, what it is"), *body])


def table(body: Iterable[Sequence[str]]) -> str:
    """A Markdown table; its first row is the heading."""
    first, *rest = (f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in body)
    return "\n".join([first, "|---" * (first.count(" | ") + 1) + "|", *rest])


def _cells(row: Row) -> tuple[str, str, str]:
    if row.first == row.last:
        return str(row.first), row.what, row.unit
    return f"{row.first} to {row.last}", f"{row.what}, k from 0 to {row.last - row.first}", row.unit


def _number(value: Any) -> str:
    return ", ".join(f"{x:.4g}" if isinstance(x, float) else str(x) for x in np.ravel(value).tolist())


def _agents(env: Environment, group: str) -> str:
    return "1 agent" if env.groups[group] == 1 else f"{env.groups[group]} agents"


def _info(env: Environment, params: Any) -> dict[str, Any]:
    key = jax.random.key(0)
    _, state = jax.eval_shape(env.reset, key, params)
    spaces = env.action_space(params)
    one = {group: jax.eval_shape(spaces[group].sample, key) for group in env.groups}
    several = {
        group: jax.tree.map(lambda x, n=env.groups[group]: jnp.zeros((n, *x.shape), x.dtype), part)
        for group, part in one.items()
    }
    return jax.eval_shape(env.step, key, state, several, params)[-1]
