"""How the agents of a group act: entries in [-1, 1], choices among levels, or both.

One head stands between what a network gives for an agent (`output` `[..., head.outputs]` and `log_std`) and
its action. What is drawn is stored as it was drawn (`Drawn`), since log-probabilities are of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gridjax.learners.distributions import beta, categorical, gaussian
from gridjax.learners.layout import Group

CONTINUOUS: dict[str, Any] = {"gaussian": gaussian, "beta": beta}
Output = tuple[jax.Array, jax.Array | None]  # what a network gives, and log_std of a continuous part


class Drawn(NamedTuple):
    """None for a part that the action does not have."""

    continuous: jax.Array | None  # [..., n], before it is squashed into [-1, 1]
    discrete: jax.Array | None  # [..., n], int32


@dataclass(frozen=True)
class Head:
    """`kind` is the distribution of the continuous part; choices are categorical, with masks."""

    kind: str
    group: Group

    @property
    def outputs(self) -> int:
        """Numbers a network gives per agent."""
        group = self.group
        return self._continuous + group.choices * group.levels

    def sample(self, key: jax.Array, output: Output, mask: jax.Array | None = None) -> Drawn:
        """Draw an action. `mask` is that of the task: bool, `[..., n, levels]` or `[..., levels]`."""
        continuous, logits, mask = self._split(output, mask)
        # a part alone takes the key itself
        keys = jax.random.split(key) if continuous and logits is not None else (key, key)
        return Drawn(
            self._law.sample(keys[0], *continuous) if continuous else None,
            None if logits is None else categorical.sample(keys[1], logits, mask),
        )

    def mode(self, output: Output, mask: jax.Array | None = None) -> Drawn:
        """The deterministic action."""
        continuous, logits, mask = self._split(output, mask)
        return Drawn(
            self._law.mode(*continuous) if continuous else None,
            None if logits is None else categorical.mode(logits, mask),
        )

    def log_prob(self, drawn: Drawn, output: Output, mask: jax.Array | None = None) -> jax.Array:
        """Log-density, or log-probability, of the action: `[...]`."""
        continuous, logits, mask = self._split(output, mask)
        parts = [self._law.log_prob(drawn.continuous, *continuous)] if continuous else []
        if logits is not None:
            assert drawn.discrete is not None
            parts.append(categorical.log_prob(drawn.discrete, logits, mask))
        return reduce(jnp.add, parts)

    def entropy(self, output: Output, mask: jax.Array | None = None) -> jax.Array:
        """Entropy: `[...]`."""
        continuous, logits, mask = self._split(output, mask)
        parts = [self._law.entropy(*continuous)] if continuous else []
        if logits is not None:
            parts.append(categorical.entropy(logits, mask))
        return reduce(jnp.add, parts)

    def from_zero(self, output: Output) -> jax.Array:
        """Divergence from an action of zero mean, of a Gaussian head: `[...]`."""
        mean, log_std = output
        assert log_std is not None
        return gaussian.from_zero(mean, log_std)

    def action(self, drawn: Drawn) -> Any:
        """The action as the task takes it: of a space `Box`, `Discrete` or `Hybrid`."""
        continuous = None if drawn.continuous is None else self._law.action(drawn.continuous)
        discrete = drawn.discrete
        if discrete is None:
            return continuous
        if self.group.scalar:
            discrete = discrete[..., 0]
        return discrete if continuous is None else {"continuous": continuous, "discrete": discrete}

    @property
    def _law(self) -> Any:
        return CONTINUOUS[self.kind]

    @property
    def _continuous(self) -> int:
        return self._law.OUTPUTS * self.group.action

    def _split(
        self, output: Output, mask: jax.Array | None
    ) -> tuple[tuple[Any, ...], jax.Array | None, jax.Array | None]:
        """Parameters of the continuous part (none without one), logits and their mask (None without)."""
        numbers, log_std = output
        group = self.group
        continuous = (numbers[..., : self._continuous], log_std) if group.action else ()
        if not group.choices:
            return continuous, None, None
        shape = (*numbers.shape[:-1], group.choices, group.levels)
        logits = numbers[..., self._continuous :].reshape(shape)
        return continuous, logits, None if mask is None else mask.reshape(shape)


def draw(
    heads: dict[str, Head], key: jax.Array, outputs: dict[str, Output], masks: dict[str, jax.Array]
) -> dict[str, Drawn]:
    """A sample of every group, each with a key of its own."""
    keys = jax.random.split(key, len(heads))
    return {name: heads[name].sample(k, outputs[name], masks.get(name)) for k, name in zip(keys, outputs)}


def most_likely(
    heads: dict[str, Head], outputs: dict[str, Output], masks: dict[str, jax.Array]
) -> dict[str, Drawn]:
    """The deterministic action of every group."""
    return {name: heads[name].mode(output, masks.get(name)) for name, output in outputs.items()}


def actions_of(heads: dict[str, Head], drawn: dict[str, Drawn]) -> dict[str, Any]:
    """Actions as the task takes them."""
    return {name: heads[name].action(one) for name, one in drawn.items()}
