"""A task whose groups choose in every way there is, and see what they did last."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gridjax.envs import Box, Discrete, Environment, Hybrid, Transition


class Done(NamedTuple):
    time: jax.Array
    draw: jax.Array
    last: dict  # per group, [n_agents, n_entries]


class Limits(NamedTuple):
    length: jax.Array | int = 4
    fails_at: jax.Array | int = 100


@dataclass(frozen=True)
class Choices(Environment[Done, Limits]):
    """Agent k of a group is paid its number plus the step; it observes time, a draw and its last action."""

    @property
    def name(self):
        return "Choices-v0"

    @property
    def groups(self):
        # not in the order of the alphabet, into which JAX sorts dicts
        return {"unit": 2, "switch": 3, "tap": 1}

    def initial(self, key, params):
        last = {
            group: jnp.zeros((n, {"unit": 3, "switch": 1, "tap": 2}[group]))
            for group, n in self.groups.items()
        }
        return Done(jnp.int32(0), jax.random.uniform(key), last)

    def transition(self, key, state, actions, params):
        time = state.time + 1
        unit = actions["unit"]
        last = {
            "unit": jnp.concatenate([unit["continuous"], unit["discrete"][:, None]], axis=-1),
            "switch": actions["switch"][:, None],
            "tap": actions["tap"],
        }
        failed = time >= params.fails_at
        pay = time.astype(jnp.float32)
        return Transition(
            state=Done(time, jax.random.uniform(key), jax.tree.map(lambda x: x.astype(jnp.float32), last)),
            reward={group: pay + jnp.arange(n) for group, n in self.groups.items()},
            terminated=failed,
            truncated=(time >= params.length) & ~failed,
            cost={"time": pay},
            metrics={"draw": state.draw, "pairs": jnp.stack([pay, -pay])},
        )

    def observe(self, state, params):
        clock = jnp.stack([state.time.astype(jnp.float32), state.draw])
        return {
            group: jnp.concatenate([jnp.tile(clock, (n, 1)), state.last[group]], axis=-1)
            for group, n in self.groups.items()
        }

    def global_state(self, state, params):
        return jnp.stack([state.time.astype(jnp.float32), state.draw])

    def observation_space(self, params):
        sizes = {"unit": 5, "switch": 3, "tap": 4}
        return {group: Box(-1e3, 1e3, (size,)) for group, size in sizes.items()}

    def action_space(self, params):
        return {
            "unit": Hybrid(Box(-1.0, 1.0, (2,)), Discrete(3)),
            "switch": Discrete(2),
            "tap": Discrete(4, (2,)),
        }

    def observation_labels(self, params):
        return {
            g: tuple(f"{k} [1]" for k in range(s.shape[0])) for g, s in self.observation_space(params).items()
        }

    def action_mask(self, state, params):
        """In odd steps units have their last choice only; taps never have their first."""
        even = state.time % 2 == 0
        unit = jnp.stack([even, even, jnp.asarray(True)])
        return {
            "unit": jnp.tile(unit, (2, 1)),
            "tap": jnp.tile(jnp.array([False, True, True, True]), (1, 2, 1)),
        }
