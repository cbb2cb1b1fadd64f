"""Settings of a run that steers a rule."""

import numpy as np
import pytest

import gridjax
from experiments.config import Config, Learner
from experiments.steering import environment_of, known_rule, with_constants
from gridjax.controllers import SteeredRule

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


def test_a_task_without_a_rule_cannot_be_steered():
    with pytest.raises(ValueError, match="steers is 'tuned_rule', but VoltageControl-v0 has no such rule"):
        environment_of(Learner(steers="tuned_rule"), *gridjax.make("VoltageControl-v0"))
