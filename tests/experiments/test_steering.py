"""Settings of a run that steers a rule."""

import jax
import numpy as np
import pytest

import gridjax
from experiments.config import Config, Learner
from experiments.steering import environment_of, known_rule, with_constants
from gridjax.controllers import SteeredRule
from gridjax.envs import ActionRepeat
from gridjax.evaluation.acting import act_in_task
from gridjax.learners import MAPPO

CONSTANTS = (0.9, 0.7, 0.6, 1.0, 1.4, 1.0, 1.0, 0.5, 1.0)


def test_a_rule_that_is_known_is_not_tuned_again():
    env, params = gridjax.make("SmartGrid-v0")
    steered = environment_of(Learner(steers="tuned_rule", rule_constants=CONSTANTS), env, params)
    assert steered == SteeredRule(env, CONSTANTS)
    np.testing.assert_allclose([float(value) for value in vars(known_rule(steered)).values()], CONSTANTS)
    assert with_constants(Config(), steered).learner.rule_constants == CONSTANTS


def test_nothing_is_steered_unless_it_is_asked_for():
    env, params = gridjax.make("SmartGrid-v0")
    assert environment_of(Learner(), env, params) is env
    assert known_rule(env) is None
    assert with_constants(Config(), env) == Config()


def test_what_is_trained_with_repeated_actions_acts_anew_at_every_step():
    env, params = gridjax.make("SmartGrid-v0")
    learner = Learner(steers="tuned_rule", rule_constants=CONSTANTS, action_repeat=4)
    trained_in = environment_of(learner, env, params)
    assert trained_in == ActionRepeat(SteeredRule(env, CONSTANTS), 4)
    assert float(known_rule(trained_in).hold_below) == pytest.approx(CONSTANTS[0])
    assert with_constants(Config(), trained_in).learner.rule_constants == CONSTANTS
    state = env.initial(jax.random.key(0), params)
    small = {"num_envs": 2, "num_steps": 2, "num_minibatches": 1, "hidden": (8,)}
    seen = env.observe(state, params)
    for network in ("feedforward", "gru"):
        learner = MAPPO.create(trained_in, params, architecture=network, **small)
        policy = learner.policy(learner.init(jax.random.key(2)))
        said, _ = policy.step(seen, policy.memory())
        act = act_in_task(trained_in, policy)
        # else every seed of every validation would be compiled
        assert jax.tree.structure(act) == jax.tree.structure(act_in_task(trained_in, policy))
        if network == "gru":
            done, (_, kept, _) = act.act(jax.random.key(1), seen, state, params, act.memory)
            np.testing.assert_array_equal(kept["prosumer"], said["prosumer"])
        else:
            done = act(jax.random.key(1), seen, state, params)
        expected = SteeredRule(env, CONSTANTS).follow(state, said, params)
        np.testing.assert_array_equal(done["prosumer"], expected["prosumer"])


def test_what_is_sampled_keeps_its_actions_as_in_training():
    env, params = gridjax.make("SmartGrid-v0")
    learner = Learner(steers="tuned_rule", rule_constants=CONSTANTS, action_repeat=2)
    trained_in = environment_of(learner, env, params)
    small = {"num_envs": 2, "num_steps": 2, "num_minibatches": 1, "hidden": (8,)}
    learner = MAPPO.create(trained_in, params, **small)
    policy = learner.policy(learner.init(jax.random.key(2)))
    act = act_in_task(trained_in, policy, seed=3)
    state = env.initial(jax.random.key(0), params)
    seen = env.observe(state, params)
    keys = jax.random.split(jax.random.key(1), 3)
    memory, done = act.memory, []
    for key in keys:
        actions, memory = act.act(key, seen, state, params, memory)
        done.append(actions["prosumer"])
    said, again = (policy(seen, jax.random.fold_in(keys[k], 3)) for k in (0, 2))
    follow = SteeredRule(env, CONSTANTS).follow
    for found, expected in zip(done, (said, said, again)):
        np.testing.assert_array_equal(found, follow(state, expected, params)["prosumer"])
    assert np.any(done[2] != done[1])


def test_a_task_without_a_rule_cannot_be_steered():
    with pytest.raises(ValueError, match="steers is 'tuned_rule', but VoltageControl-v0 has no such rule"):
        environment_of(Learner(steers="tuned_rule"), *gridjax.make("VoltageControl-v0"))
