"""Early checks of a learner's settings: each error names the field, its value and what was expected."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from gridjax.learners.attention import ATTENTION_HEADS
from gridjax.learners.distributions import beta
from gridjax.learners.distributions.gaussian import LOG_STD_BOUNDS
from gridjax.learners.layout import Layout

# Bounds of the numeric settings; None is open.
NUMBERS: Mapping[str, tuple[float | None, float | None]] = {
    "learning_rate": (0.0, None),
    "final_learning_rate_fraction": (0.0, 1.0),
    "total_updates": (1.0, None),
    "gamma": (0.0, 1.0),
    "gae_lambda": (0.0, 1.0),
    "clip": (0.0, None),
    "value_clip": (0.0, None),
    "huber_delta": (0.0, None),
    "advantage_clip": (0.0, None),
    "entropy_coefficient": (0.0, None),
    "prior_coefficient": (0.0, None),
    "value_coefficient": (0.0, None),
    "max_grad_norm": (0.0, None),
    "multiplier_rate": (0.0, None),
    "cost_margin": (0.0, 1.0),
    "reward_sharing": (0.0, 1.0),
}
OPTIONAL = ("advantage_clip", "prior_coefficient")  # of these, those that may be None
# and those of which each group of agents may have its own
PER_GROUP = {"gae_lambda", "advantage_clip", "prior_coefficient"}


def check_names(settings: Iterable[str], known: Iterable[str]) -> None:
    """Refuse settings that do not exist, with the nearest that do."""
    known = sorted(known)
    for name in settings:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3)
            raise ValueError(f"setting {name!r} does not exist, expected one of {', '.join(near or known)}")


def check_number(name: str, value: Any) -> None:
    """Refuse a number out of its bounds. Arrays pass: they are swept over, and may be traced."""
    if (name in OPTIONAL and value is None) or (name in PER_GROUP and isinstance(value, tuple)):
        return
    if value is None or isinstance(value, str | bool | list | tuple | Mapping):
        raise ValueError(f"{name}: got {value!r}, expected a number")
    if not isinstance(value, Real):
        return
    low, high = NUMBERS[name]
    number = float(value)
    if (
        not math.isfinite(number)
        or (low is not None and number < low)
        or (high is not None and number > high)
    ):
        bounds = f"at least {low:g}" if high is None else f"within {low:g} and {high:g}"
        raise ValueError(f"{name}: got {value!r}, expected a finite number {bounds}")


def check_count(name: str, value: Any) -> None:
    """Refuse anything but a positive integer."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}: got {value!r}, expected a positive integer")


def check_flag(name: str, value: Any) -> bool:
    """`value`, where it is true or false."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name}: got {value!r}, expected True or False")
    return bool(value)


def check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """Refuse anything but one of `choices`."""
    if value not in tuple(choices):
        raise ValueError(f"{name}: got {value!r}, expected one of {', '.join(choices)}")


def check_sharing(sharing: str, layout: Layout) -> None:
    """Refuse one network for agents that see or do vectors of different lengths."""
    sizes = {replace(group, name="", agents=1) for group in layout.groups}
    if sharing == "all" and len(sizes) > 1:
        found = ", ".join(
            f"{group.name} {group.observation} and {group.action + group.choices}" for group in layout.groups
        )
        raise ValueError(
            f"sharing: got 'all', expected 'group' or 'agent', since the lengths of observation and action "
            f"differ between groups ({found})"
        )


def check_architecture(architecture: str, sharing: str, hidden: tuple[int, ...]) -> None:
    """Refuse attention where nothing is shared, a memory of no width, a token that heads cannot divide."""
    if architecture == "attention" and sharing != "group":
        raise ValueError(
            f"sharing: got {sharing!r}, expected 'group' with architecture 'attention', in which agents of a "
            "group share an encoder and a decoder, and all agents the rest"
        )
    if architecture != "feedforward" and not hidden:
        raise ValueError(
            f"hidden: got {hidden!r}, expected at least one width with architecture {architecture!r}"
        )
    if architecture == "attention" and hidden[0] % ATTENTION_HEADS:
        raise ValueError(
            f"hidden: got {hidden!r}, expected a multiple of {ATTENTION_HEADS} first with attention"
        )


def check_prior(prior: Any, head: str, layout: Layout) -> None:
    """Refuse a pull to zero actions for heads that have no such thing."""
    chooses = [group.name for group in layout.groups if group.choices]
    if prior is not None and (head != "gaussian" or chooses):
        what = f"groups that choose: {', '.join(chooses)}" if chooses else f"head {head!r}"
        raise ValueError(f"prior_coefficient: got {prior!r}, expected None with {what}")


def check_finite(name: str, value: Any) -> None:
    """Refuse anything but a finite number."""
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(float(value)):
        raise ValueError(f"{name}: got {value!r}, expected a finite number")


def check_log_std(value: Any, layout: Layout, sharing: str, head: str) -> float | tuple[float, ...]:
    """A number; or one per entry of the action, or per group where several have networks of their own."""
    each = tuple(value) if isinstance(value, list | tuple) else (value,)
    low, high = LOG_STD_BOUNDS
    if head == "beta":
        low = beta.LEAST_LOG_STD
    for number in each:
        check_finite("initial_log_std", number)
        if not low <= number <= high:
            raise ValueError(
                f"initial_log_std: got {number!r}, expected a number within {low:g} and {high:g}"
                + (" with head 'beta'" if head == "beta" else "")
            )
    each = tuple(map(float, each))
    groups = layout.groups
    alike = len(groups) == 1 or sharing == "all"
    expected = max(groups[0].action, 1) if alike else len(groups)
    if len(each) not in (1, expected):
        what = "entry of the action" if alike else "group of agents"
        raise ValueError(
            f"initial_log_std: got {len(each)} numbers, expected 1, or one per {what} ({expected})"
        )
    return each[0] if len(each) == 1 else each


def check_groups(name: str, value: Any, layout: Layout) -> Any:
    """A number, or a tuple with one per group."""
    if not isinstance(value, list | tuple):
        return value
    if len(value) not in (1, len(layout.groups)):
        raise ValueError(
            f"{name}: got {len(value)} numbers, expected 1, or one per group of agents ({len(layout.groups)})"
        )
    for number in value:
        # only of what is cut can a group go without
        if number is None and name != "advantage_clip":
            raise ValueError(f"{name}: got {value!r}, expected a number for every group")
        check_number(name, number)
    return value[0] if len(value) == 1 else tuple(value)


def check_hashable(name: str, value: Any) -> None:
    """Refuse what JAX cannot use as a static argument."""
    try:
        hash(value)
    except TypeError as error:
        raise ValueError(f"{name}: got {value!r}, expected a hashable object ({error})") from error
