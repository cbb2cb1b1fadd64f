"""On a task whose numbers are known: an episode counts its steps, a case says how far it is paid."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.envs import Box, Discrete, Environment
from gridjax.envs.environment import Transition
from gridjax.evaluation.recording import record_cases, record_forecast
from gridjax.evaluation.rollout import act_with, score_days
from gridjax.learners import MAPPO

STEPS, CASES = 6, np.array([2, 5, 7])


class Clock(NamedTuple):
    time: jax.Array
    case: jax.Array


class Pay(NamedTuple):
    case: jax.Array | int = 1


@dataclass(frozen=True)
class Count(Environment[Clock, Pay]):
    """Two walkers and a chooser; step t of case c pays c + t, and costs t; case 7 fails after step 3."""

    name = "Count"
    groups = {"walker": 2, "chooser": 1}  # noqa: RUF012

    def initial(self, key, params):
        return Clock(jnp.int32(0), jnp.asarray(params.case, jnp.int32))

    def transition(self, key, state, actions, params):
        paid, after = (state.case + state.time).astype(jnp.float32), state._replace(time=state.time + 1)
        failed = (state.case == 7) & (after.time == 4)
        return Transition(
            state=after,
            reward={"walker": jnp.stack([paid, 2 * paid]), "chooser": paid[None]},
            terminated=failed,
            truncated=(after.time >= STEPS) & ~failed,
            cost={"time": state.time.astype(jnp.float32)},
            metrics={"push": jnp.sum(actions["walker"])},
        )

    def observe(self, state, params):
        seen = jnp.stack([state.time, state.case]).astype(jnp.float32)
        return {"walker": jnp.tile(seen, (2, 1)), "chooser": seen[None]}

    def global_state(self, state, params):
        return jnp.stack([state.time, state.case]).astype(jnp.float32)

    def observation_space(self, params):
        return dict.fromkeys(self.groups, Box(-10.0, 10.0, (2,)))

    def action_space(self, params):
        return {"walker": Box(-1.0, 1.0, (1,)), "chooser": Discrete(3)}

    def observation_labels(self, params):
        return dict.fromkeys(self.groups, ("time", "case"))

    def on_case(self, params, case):
        return Pay(case)

    case_steps = STEPS


@pytest.fixture(scope="module", params=["feedforward", "gru"])
def learner(request):
    return MAPPO.create(
        Count(),
        Pay(),
        architecture=request.param,
        central_critic=request.param == "gru",
        cost_bounds={"time": 1.0},
        num_envs=4,
        num_steps=4,
        num_minibatches=1,
        hidden=(8,),
        stagger=False,
    )


@pytest.fixture(scope="module")
def state(learner):
    return learner.update(learner.init(jax.random.key(0)))[0]


def test_every_step_of_every_case_is_kept(learner, state):
    env, act = Count(), act_with(learner.policy(state))
    found = record_cases(env, Pay(), act, CASES, jax.random.key(0), chunk=2)
    time = np.array([[0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 0, 1]])
    np.testing.assert_array_equal(found.cost["time"], time)
    np.testing.assert_array_equal(found.observation["walker"][..., 1, 0], time)
    np.testing.assert_array_equal(found.reward["walker"][..., 1], 2 * (time + CASES[:, None]))
    np.testing.assert_array_equal(found.terminated, (time == 3) & (CASES[:, None] == 7))
    np.testing.assert_allclose(found.metrics["push"], found.action["walker"].sum(axis=(2, 3)), rtol=1e-6)
    assert found.action["walker"].shape == (3, STEPS, 2, 1)
    assert found.action["chooser"].shape == (3, STEPS, 1)
    scores = score_days(env, Pay(), act, CASES, jax.random.key(0))
    np.testing.assert_allclose(scores.metrics["push"], found.metrics["push"].mean(axis=1), rtol=1e-5)


def test_values_are_those_of_the_critic_through_the_case(learner, state):
    found = record_forecast(learner, state, Pay(), CASES, jax.random.key(0))
    assert found.value.shape == found.paid.shape == (3, STEPS, 3, 2)
    time = np.arange(STEPS)
    np.testing.assert_array_equal(found.paid[0, :, :, 0], np.outer(2 + time, [1, 2, 1]))
    np.testing.assert_array_equal(found.paid[0, :, 2, 1], time)
    # what a step leads to is what the next begins with, memory included
    np.testing.assert_allclose(found.next_value[0, :-1], found.value[0, 1:], rtol=1e-4, atol=1e-5)
    # and after a failure everything begins anew, with nothing remembered
    np.testing.assert_allclose(found.value[2, 4], found.value[2, 0], rtol=1e-4, atol=1e-5)
    assert np.abs(found.next_value[2, 3] - found.value[2, 4]).max() > 1e-4
    np.testing.assert_array_equal(found.truncated[:2].sum(axis=1), [1, 1])
    np.testing.assert_array_equal(found.terminated[2], time == 3)
    # in units of the task: undone, what the network itself gives for the first step
    obs, env_state = Count().reset(jax.random.key(0), Pay(2))
    raw, _ = learner.evaluate(state, obs, Count().global_state(env_state, Pay(2)), learner.critic.memory())
    stats = state.value_stats
    for agents, group in ((slice(0, 2), "walker"), (slice(2, 3), "chooser")):
        expected = raw[agents] * stats[group].std + stats[group].mean
        np.testing.assert_allclose(found.value[0, 0, agents], expected, rtol=1e-4, atol=1e-5)
