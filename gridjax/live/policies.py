"""Who may run a grid: trained policies, checkpoints of a run, and rules."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import jax.numpy as jnp
from jax.tree_util import Partial

from gridjax.controllers import (
    CATEGORY_B,
    STEEP,
    CampusRule,
    Droop,
    Rule,
    campus_rule,
    droop,
    idle_battery,
    no_control,
    peer_to_peer,
    prosumer_rule,
    self_consumption,
    time_of_use,
)
from gridjax.controllers import campus as campus_rules
from gridjax.envs import Environment
from gridjax.envs.resilience import Resilience
from gridjax.envs.smart_grid import SmartGrid
from gridjax.envs.voltage_control import VoltageControl
from gridjax.evaluation.rollout import Act, Recalling
from gridjax.evaluation.trained import Trained
from gridjax.learners.portable import read_about

SHIPPED = Path(__file__).parent / "policies"
Kind = Literal["trained", "rule", "checkpoint"]


@dataclass(frozen=True)
class Entry:
    """A policy that is loaded when it is first asked for."""

    name: str
    kind: Kind
    text: str  # one line
    load: Callable[[], Act | Recalling]  # may raise, as reading files may


class Catalogue:
    """Policies by name, for one task. `fallback` never fails: it takes over from one that does."""

    def __init__(self, env: Environment, params: Any, run: Path | None = None) -> None:
        self._env, self._params, self._run = env, params, run
        rules = _rules(env, params)
        self._own = {entry.name: entry for entry in [*self._shipped(), *rules]}
        self.fallback, self._best_rule = rules[0].name, rules[-1].name

    def add(self, entry: Entry) -> None:
        """One more, in place of any of the same name."""
        self._own[entry.name] = entry

    def entries(self) -> list[Entry]:
        """All there are now: a run that goes on gains checkpoints."""
        return [*self._checkpoints(), *self._own.values()]

    def names(self) -> list[str]:
        """Names of all policies there are now."""
        return [entry.name for entry in self.entries()]

    @property
    def first(self) -> str:
        """The one to begin with: of the run where there is one, else what was trained, else the best rule."""
        trained = (entry.name for entry in self.entries() if entry.kind != "rule")
        return next(trained, self._best_rule)

    def get(self, name: str) -> Entry:
        """Raises `ValueError` for a name that is not there."""
        for entry in self.entries():
            if entry.name == name:
                return entry
        raise ValueError(f"policy is {name!r}, expected one of {', '.join(self.names())}")

    def _shipped(self) -> list[Entry]:
        path = SHIPPED / f"{self._env.name}.json"
        if not path.is_file():
            return []
        trained = Trained.load(path)
        agents = {group.name: group.agents for group in trained.policy.layout.groups}
        if agents != dict(self._env.groups) or trained.about["network"] != self._params.network.name:
            return []  # another grid than it was trained on
        load = partial(_load, path, self._env, self._params)
        return [Entry("trained", "trained", f"ships with gridjax: {trained.about['run']}", load)]

    def _checkpoints(self) -> list[Entry]:
        if self._run is None:
            return []
        found = []
        for path in policy_files(self._run):
            match = re.fullmatch(r"update-0*(\d+)", path.stem)
            name = f"checkpoint {match[1]}" if match else f"run, {path.stem}"
            text = f"of {self._run.name}, {'after ' + match[1] + ' updates' if match else path.stem}"
            found.append(Entry(name, "checkpoint", text, partial(_load, path, self._env, self._params)))
        return found


def policy_files(run: Path) -> list[Path]:
    """Policies of a run: the best first, then from the newest to the oldest."""
    files = sorted((run / "policies").glob("*.json"), reverse=True)
    return sorted(files, key=lambda path: path.stem != "best")


def _load(path: Path, env: Environment, params: Any) -> Act | Recalling:
    return Trained.load(path).act(env, params)


def _rules(env: Environment, params: Any) -> list[Entry]:
    """The simplest first, which cannot fail."""

    def entry(name: str, text: str, function: Callable[..., Any], *leading: Any) -> Entry:
        # once, since a new function would be compiled anew
        return Entry(name, "rule", text, cache(lambda: Partial(partial(_ignoring, function), *leading)))

    if isinstance(env, SmartGrid):
        rest = lambda state, params: self_consumption(env, state, params)  # noqa: E731
        idle = lambda state, params: idle_battery(env, state, params)  # noqa: E731
        follow = lambda rule, state, params: prosumer_rule(rule, env, state, params)  # noqa: E731
        rules = [
            entry("self-consumption", "the battery takes what sun leaves of demand", rest),
            entry("idle batteries", "no battery moves, everybody trades with the grid alone", idle),
            entry("time of use", "charge at night, discharge in the evening", follow, time_of_use()),
            entry(
                "peer to peer",
                "self-consumption, and sun to spare goes to neighbours",
                follow,
                peer_to_peer(),
            ),
        ]
        constants = _steered_constants(env)
        if constants:
            rule = Rule(*(jnp.float32(value) for value in constants))
            rules.append(entry("tuned rule", "all of these in one, tuned on training days", follow, rule))
        return rules
    if isinstance(env, Resilience):
        nothing = lambda state, params: campus_rules.do_nothing(env, state, params)  # noqa: E731
        alone = lambda state, params: campus_rules.droop(env, state, params)  # noqa: E731
        engineer = lambda rule, state, params: campus_rule(rule, env, state, params)  # noqa: E731
        return [
            entry("do nothing", "the grid only, and batteries by their droop", nothing),
            entry("droop alone", "generators at half power through an outage", alone),
            entry(
                "engineer's rule",
                "as an engineer writes it down first",
                engineer,
                campus_rules.default_rule(),
            ),
            *_tuned_campus(env, engineer, entry),
        ]
    if not isinstance(env, VoltageControl):
        raise ValueError(
            f"{env.name} has no rules here, expected SmartGrid-v0, VoltageControl-v0, Resilience-v0"
        )
    rest = lambda state, params: no_control(env, state, params)  # noqa: E731
    curve = lambda curve, state, params: droop(curve, env, state, params)  # noqa: E731

    def arrays(droop: Droop) -> Droop:
        return Droop(jnp.asarray(droop.points, jnp.float32), jnp.float32(droop.limit))

    return [
        entry("no control", "unity power factor", rest),
        entry("droop, category B", "Volt-VAR curve of IEEE 1547-2018", curve, arrays(CATEGORY_B)),
        entry("droop, steep", "a steeper Volt-VAR curve", curve, arrays(STEEP)),
    ]


def _ignoring(function: Callable[..., Any], *arguments: Any) -> Any:
    """A rule as a policy: key and observations are not needed."""
    *leading, _, _, state, params = arguments
    return function(*leading, state, params)


def _steered_constants(env: Environment) -> tuple[float, ...] | None:
    """Constants of the tuned rule that the shipped policy steers."""
    path = SHIPPED / f"{env.name}.json"
    return tuple(read_about(path).get("rule_constants") or ()) or None if path.is_file() else None


def _tuned_campus(env: Environment, engineer: Any, entry: Any) -> list[Entry]:
    constants = _steered_constants(env)
    if constants is None:
        return []
    rule = CampusRule(*(jnp.float32(value) for value in constants))
    return [entry("tuned rule", "the engineer's rule, tuned on training outages", engineer, rule)]
