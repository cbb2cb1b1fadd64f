"""The environment contract, with all that agents may be given to see."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gridjax
from gridjax.scenarios import outages
from gridjax.testing import check_env
from tests.envs.resilience.conftest import Task


@pytest.fixture(scope="module")
def seeing():
    return gridjax.make(
        "Resilience-v0",
        episode_length=24,
        rates={"enrichment": 200.0},
        memory=(1.0, 6.0),
        full_observability=True,
    )


def test_keeps_the_contract(seeing):
    env, params = seeing
    check_env(env, params, steps=60)


def test_agents_remember_means_and_may_see_what_is_hidden(seeing):
    env, params = seeing
    params = env.on_scenario(params, Task(env, params).scenario(grid=[(2.0, 4.0)]))
    labels = env.observation_labels(params)["load"]
    step = jax.jit(env.step)
    rest = {g: jnp.zeros((n, *env.action_space(params)[g].shape)) for g, n in env.groups.items()}
    seen, means, hidden = [], [], []
    name = "received: import [mean demand]"
    columns = [labels.index(name), *(labels.index(f"mean over {h} h of {name}") for h in (1, 6))]
    obs, state = env.reset(jax.random.key(5), params)
    for key in jax.random.split(jax.random.key(6), 23):
        obs, state, *_ = step(key, state, rest, params)
        row = np.asarray(obs["load"][1])
        seen.append(row[columns[0]])
        means.append(row[columns[1:]])
        hidden.append(
            row[[labels.index("the grid is there [0 or 1]"), labels.index("time until it is [24 h]")]]
        )
        there = bool(outages.grid_present(state.timeline, state.step))
        left = float(outages.outage_left_hours(state.timeline, state.step, env.hours))
        np.testing.assert_allclose(hidden[-1], [there, left / 24], rtol=1e-6)
    assert np.ptp(np.array(hidden)[:, 0]) == 1.0
    fades = np.exp(-env.hours / np.array([1.0, 6.0]))
    expected = means[0]
    for k in range(1, len(seen)):
        expected = fades * expected + (1 - fades) * seen[k]
        np.testing.assert_allclose(means[k], expected, rtol=1e-4, atol=1e-5)
