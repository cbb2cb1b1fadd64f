"""One campus and one compiled rollout for all tests: compiling it is what takes time."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gridjax
from gridjax.envs.resilience import Scenario
from gridjax.scenarios import outages

N_STEP = 48


class Task(NamedTuple):
    env: Any
    params: Any

    def scenario(self, day=100, charge=0.7, fuel=0.8, **events) -> Scenario:
        """What happens is listed in hours, as for `outages.scripted`."""
        env = self.env
        return Scenario(
            day=jnp.int32(day),
            charge=jnp.full(len(env.battery_buses), charge, jnp.float32),
            fuel=jnp.full(len(env.generator_buses), fuel, jnp.float32),
            timeline=outages.scripted(env.sizes, env.hours, **events),
        )

    def actions(self, generator=0.0, battery=0.0, load=0.0, heat=0.0, connection=0.0) -> dict:
        """The same in every step; scalars, or one per agent."""
        counts = self.env.groups
        column = lambda x, n: np.broadcast_to(np.asarray(x, np.float32), (n,))[:, None]  # noqa: E731
        return {
            "generator": column(generator, counts["generator"]),
            "battery": column(battery, counts["battery"]),
            "load": np.concatenate([column(load, counts["load"]), column(heat, counts["load"])], axis=1),
            "connection": column(connection, counts["connection"]),
        }

    def run(self, scenario: Scenario, actions: dict, **changes):
        """All steps of a scenario: states (before and after) and transitions, leading axis [n_step]."""
        from dataclasses import replace

        params = replace(self.env.on_scenario(self.params, scenario), **changes)
        every = {k: jnp.broadcast_to(v, (N_STEP, *v.shape)) if v.ndim == 2 else v for k, v in actions.items()}
        return jax.tree.map(np.asarray, _roll(self.env, jax.random.key(0), every, params))


@partial(jax.jit, static_argnums=0)
def _roll(env, key, actions, params):
    reset_key, step_key = jax.random.split(key)

    def step(state, given):
        out = env.transition(given[0], state, given[1], params)
        return out.state, (state, out)

    keys = jax.random.split(step_key, N_STEP)
    return jax.lax.scan(step, env.initial(reset_key, params), (keys, actions))[1]


@pytest.fixture(scope="session")
def task() -> Task:
    return Task(*gridjax.make("Resilience-v0", episode_length=N_STEP))
