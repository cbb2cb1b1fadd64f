"""What heads and networks are for, each on the probe that needs it, with every way to share parameters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners import MAPPO
from gridjax.learners.batch import return_scale

from .probes import (
    SETTINGS,
    TARGETS,
    Choice,
    Coordination,
    Mixed,
    NoParams,
    Recall,
    Target,
    TimeLimit,
    Whisper,
)

VARIANTS = [("group", True), ("agent", False)]


def train(env, updates, **chosen):
    learner = MAPPO.create(env, NoParams(), **(SETTINGS | {"learning_rate": 5e-3} | chosen))
    state = learner.init(jax.random.key(0))
    for _ in range(updates):
        state, _ = learner.update(state)
    return learner, state


def test_a_beta_head_follows_what_is_seen():
    learner, state = train(Target(), 100, head="beta", sharing="agent", central_critic=False)
    for signal in (-1.0, 1.0):
        found = learner.policy(state)({"agent": jnp.full((1, 1), signal)})["agent"]
        np.testing.assert_allclose(found, 0.5 * signal, atol=0.06)


@pytest.mark.parametrize("sharing", ["all", "agent"])
def test_choices_follow_what_is_seen_and_keep_to_the_mask(sharing):
    env = Choice(sizes=(("agent", 2),))
    learner, state = train(env, 60, sharing=sharing)
    policy = learner.policy(state)
    for signal, expected in ((1.0, [0, 2]), (-1.0, [2, 1])):
        start = env.initial(jax.random.key(0), NoParams())._replace(signal=jnp.asarray(signal))
        found = policy(env.observe(start, NoParams()), mask=env.action_mask(start, NoParams()))
        np.testing.assert_array_equal(found["agent"], [expected] * 2)


def test_choices_without_a_mask():
    learner, state = train(Choice(masked=False), 60)
    found = learner.policy(state)({"agent": jnp.asarray([[-1.0]])})["agent"]
    np.testing.assert_array_equal(found, [[2, 2]])


@pytest.mark.parametrize("head", ["gaussian", "beta"])
def test_reals_and_choices_together(head):
    learner, state = train(Mixed(), 100, head=head)
    for signal in (-1.0, 1.0):
        found = learner.policy(state)({"agent": jnp.full((1, 1), signal)})["agent"]
        assert found["discrete"].tolist() == [1]
        np.testing.assert_allclose(found["continuous"], 0.5 * signal, atol=0.06)


@pytest.mark.parametrize("network", ["gru", "attention"])
def test_other_networks_follow_what_is_seen_too(network):
    learner, state = train(Target(), 100, architecture=network)
    for signal in (-1.0, 1.0):
        seen, memory = {"agent": jnp.full((1, 1), signal)}, learner.actor.memory()
        found, _ = learner.policy(state).step(seen, memory)
        np.testing.assert_allclose(found["agent"], 0.5 * signal, atol=0.06)


@pytest.mark.parametrize("network", ["gru", "attention"])
def test_values_of_other_networks_know_a_time_limit_from_an_end(network):
    learner, state = train(TimeLimit(), 200, architecture=network, central_critic=False)
    seen, memory = {"agent": jnp.ones((1, 1, 1))}, learner.critic.memory(1)
    found, _ = learner.evaluate(state, seen, None, memory)
    mean, std = return_scale(learner, state)
    # as termination it would be at most 3.44
    np.testing.assert_allclose(found * std + mean, 10.0, rtol=0.04)


def recalled(learner, state, signal):
    """The last action of an episode that begins with `signal`, agent by agent."""
    policy, memory, actions = learner.policy(state), learner.actor.memory(), {}
    for step in range(3):
        seen = {"agent": jnp.full((2, 1), signal if step == 0 else 0.0)}
        actions, memory = policy.step(seen, memory)
    return np.asarray(actions["agent"][:, 0])


@pytest.mark.parametrize(("sharing", "central"), [*VARIANTS, ("all", True)])
def test_a_memory_keeps_what_was_shown_once(sharing, central):
    env = Recall(sizes=(("agent", 2),))
    learner, state = train(env, 200, architecture="gru", sharing=sharing, central_critic=central)
    for signal in (-1.0, 1.0):
        np.testing.assert_allclose(recalled(learner, state, signal), 0.5 * signal, atol=0.08)


def test_without_a_memory_it_is_lost():
    learner, state = train(Recall(sizes=(("agent", 2),)), 100)
    apart = recalled(learner, state, 1.0) - recalled(learner, state, -1.0)
    np.testing.assert_array_equal(apart, 0.0)


@pytest.mark.parametrize(("attend", "linked", "heard"), [("all", False, True), ("neighbours", True, True),
                                                         ("neighbours", False, False)])  # fmt: skip
def test_agents_that_attend_hear_what_a_neighbour_sees(attend, linked, heard):
    learner, state = train(Whisper(linked=linked), 150, architecture="attention", attend=attend)
    for signal in (-1.0, 1.0):
        seen = {"agent": jnp.zeros((3, 1)).at[0].set(signal)}
        found = np.asarray(learner.policy(state)(seen)["agent"][:, 0])
        np.testing.assert_allclose(found[0], 0.5 * signal, atol=0.1)
        np.testing.assert_allclose(found[1:], 0.5 * signal if heard else 0.0, atol=0.1)


def test_a_policy_that_attends_serves_another_number_of_agents():
    learner, state = train(Whisper(), 150, architecture="attention")
    policy = learner.policy(state).on(Whisper(sizes=(("agent", 6),)), NoParams())
    found = np.asarray(policy({"agent": jnp.zeros((6, 1)).at[0].set(1.0)})["agent"][:, 0])
    assert found.shape == (6,)
    # fainter, since attention is shared among more
    assert np.all(found > 0.1)


def test_a_policy_of_certain_agents_serves_no_other_number():
    learner = MAPPO.create(Coordination(), NoParams(), **SETTINGS)
    policy = learner.policy(learner.init(jax.random.key(0)))
    with pytest.raises(ValueError, match="is for 2 agents, Coordination has 3"):
        policy.on(Coordination(sizes=(("agent", 3),)), NoParams())
    with pytest.raises(ValueError, match="has group"):
        policy.on(Choice(), NoParams())


def test_a_policy_with_a_memory_is_used_step_by_step():
    learner = MAPPO.create(Recall(), NoParams(), architecture="gru", **SETTINGS)
    policy = learner.policy(learner.init(jax.random.key(0)))
    with pytest.raises(ValueError, match=r"has a memory: call policy\.step"):
        policy({"agent": jnp.ones((1, 1))})


@pytest.mark.parametrize(
    ("network", "env"),
    [("feedforward", Mixed()), ("gru", Mixed()), ("attention", Choice()), ("gru", Recall())],
)
def test_ratio_on_the_first_minibatch_is_one(network, env):
    """With a memory also where an episode ends within the rollout, and where one goes on from the last."""
    learner = MAPPO.create(env, NoParams(), **(SETTINGS | {"architecture": network, "learning_rate": 1e-2}))
    state = learner.init(jax.random.key(1))
    for _ in range(3):
        state, metrics = learner.update(state)
        assert metrics["first_ratio_deviation"] <= 1e-5
    assert metrics["approximate_kl"] > 1e-6


def test_agents_that_attend_have_no_index():
    """Those that see the same do the same: with targets of their own they can do no better than the mean."""
    learner, state = train(Coordination(), 60, architecture="attention")
    found = np.asarray(learner.policy(state)({"agent": jnp.ones((2, 1))})["agent"][:, 0])
    np.testing.assert_allclose(found, np.mean(TARGETS["agent"]), atol=0.1)
