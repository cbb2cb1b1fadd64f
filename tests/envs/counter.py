"""A task with two groups whose numbers are known in advance."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gridjax.envs import Box, Environment, Transition


class Count(NamedTuple):
    time: jax.Array
    seed: jax.Array


class Limits(NamedTuple):
    length: jax.Array | int = 4
    fails_at: jax.Array | int = 100


@dataclass(frozen=True)
class Counter(Environment[Count, Limits]):
    """Step t of an episode pays t to the one agent of "a", and 2 t to both agents of "b"."""

    @property
    def name(self):
        return "Counter-v0"

    @property
    def groups(self):
        return {"a": 1, "b": 2}

    def on_case(self, params, day):
        return params._replace(length=day)

    def initial(self, key, params):
        return Count(jnp.int32(0), jax.random.uniform(key))

    def transition(self, key, state, actions, params):
        time = state.time + 1
        failed, pay = time >= params.fails_at, time.astype(jnp.float32)
        return Transition(
            state=state._replace(time=time),
            reward={"a": jnp.full(1, pay), "b": jnp.full(2, 2 * pay)},
            terminated=failed,
            truncated=(time >= params.length) & ~failed,
            cost={"time": pay},
            metrics={"draw": jax.random.uniform(key)},
        )

    def observe(self, state, params):
        seen = jnp.stack([state.time.astype(jnp.float32), state.seed])
        return {"a": jnp.tile(seen, (1, 1)), "b": jnp.tile(seen, (2, 1))}

    def global_state(self, state, params):
        return jnp.stack([state.time.astype(jnp.float32), state.seed])

    def observation_space(self, params):
        return {"a": Box(0.0, 1e3, (2,)), "b": Box(0.0, 1e3, (2,))}

    def action_space(self, params):
        return {"a": Box(-1.0, 1.0, (1,)), "b": Box(-1.0, 1.0, (3,))}

    def observation_labels(self, params):
        return {"a": ("time [step]", "seed (1)"), "b": ("time [step]", "seed (1)")}


ACTIONS = {"a": jnp.zeros((1, 1)), "b": jnp.zeros((2, 3))}


def run(env, params, steps, key=None):
    """What each of `steps` steps returns, stacked, and the state after reset."""
    key = jax.random.key(0) if key is None else key
    _, first = env.reset(key, params)

    def step(state, key):
        out = env.step(key, state, ACTIONS, params)
        return out[1], out

    return jax.jit(lambda: jax.lax.scan(step, first, jax.random.split(key, steps))[1])(), first
