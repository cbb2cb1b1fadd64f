from dataclasses import replace

import jax
import numpy as np
import pytest

from gridjax.learners import MAPPO

from .probes import Choice, Groups, NoParams, Probe


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"learning_rat": 1e-3}, r"'learning_rat' does not exist, expected one of learning_rate"),
        ({"learning_rate": "3e-4"}, r"learning_rate: got '3e-4', expected a number"),
        ({"learning_rate": float("nan")}, r"learning_rate: got nan, expected a finite number at least 0"),
        ({"gamma": 1.2}, r"gamma: got 1.2, expected a finite number within 0 and 1"),
        ({"clip": -0.1}, r"clip: got -0.1"),
        ({"num_envs": 0}, r"num_envs: got 0, expected a positive integer"),
        ({"num_steps": 2.0}, r"num_steps: got 2.0, expected a positive integer"),
        ({"hidden": (64, 0)}, r"hidden: got 0, expected a positive integer"),
        ({"hidden": 64}, r"hidden: got 64, expected a sequence of positive integers"),
        ({"num_envs": 3, "num_steps": 5}, r"num_minibatches: got 4, expected a divisor of .* = 15"),
        ({"sharing": "none"}, r"sharing: got 'none', expected one of all, group, agent"),
        ({"activation": "gelu"}, r"activation: got 'gelu', expected one of tanh"),
        ({"value_loss": "l1"}, r"value_loss: got 'l1', expected one of clipped, huber, squared"),
        ({"advantage_clip": -1.0}, r"advantage_clip: got -1.0, expected a finite number at least 0"),
        (
            {"gae_lambda": (0.9, 0.8)},
            r"gae_lambda: got 2 numbers, expected 1, or one per group of agents \(1\)",
        ),
        ({"gae_lambda": (1.9,)}, r"gae_lambda: got 1.9, expected a finite number within 0 and 1"),
        ({"initial_log_std": float("inf")}, r"initial_log_std: got inf, expected a finite number"),
        (
            {"initial_log_std": (-1.0, -2.0, -3.0)},
            r"initial_log_std: got 3 numbers, expected 1, or one per entry of the action \(\d\)",
        ),
        ({"architecture": "lstm"}, r"architecture: got 'lstm', expected one of feedforward, gru, attention"),
        ({"head": "normal"}, r"head: got 'normal', expected one of gaussian, beta"),
        ({"attend": "some"}, r"attend: got 'some', expected one of all, neighbours"),
        ({"architecture": "gru", "hidden": ()}, r"hidden: got \(\), expected at least one width"),
        (
            {"architecture": "attention", "hidden": (18,)},
            r"hidden: got \(18,\), expected a multiple of 4 first",
        ),
        (
            {"architecture": "attention", "sharing": "agent"},
            r"sharing: got 'agent', expected 'group' with architecture 'attention'",
        ),
        (
            {"architecture": "gru", "num_envs": 6, "num_steps": 4},
            r"num_minibatches: got 4, expected a divisor of num_envs = 6",
        ),
        (
            {"head": "beta", "prior_coefficient": 0.1},
            r"prior_coefficient: got 0.1, expected None with head 'beta'",
        ),
        ({"learning_rate": True}, r"learning_rate: got True, expected a number"),
        ({"learning_rate": (1e-3, 2e-3)}, r"learning_rate: got \(0.001, 0.002\), expected a number"),
        ({"clip": {"agent": 0.1}}, r"clip: got {'agent': 0.1}, expected a number"),
        (
            {"prior_coefficient": (None,)},
            r"prior_coefficient: got \(None,\), expected a number for every group",
        ),
        ({"twin": "no"}, r"twin: got 'no', expected True or False"),
        ({"initial_log_std": -6.0}, r"initial_log_std: got -6.0, expected a number within -5 and 2"),
        ({"initial_log_std": -3.0, "head": "beta"}, r"got -3.0, .* within -2.5 and 2 with head 'beta'"),
        ({"cost_bounds": {"excess": "0.1"}}, r"cost_bounds\['excess'\]: got '0.1', expected a finite number"),
        ({"cost_bounds": {"excess": True}}, r"cost_bounds\['excess'\]: got True, expected a finite number"),
        ({"env": Probe()}, r"'env' does not exist|multiple values"),
    ],
)
def test_bad_settings_are_refused_by_name(setting, message):
    with pytest.raises((ValueError, TypeError), match=message):
        MAPPO.create(Probe(), NoParams(), **setting)


def test_flags_and_numbers_of_numpy_are_those_of_python():
    chosen = {"normalise_observations": np.bool_(False), "initial_log_std": np.float32(-1.0)}
    learner = MAPPO.create(Probe(), NoParams(), **chosen)
    assert learner.normalise_observations is False
    assert type(learner.initial_log_std) is float


def test_one_network_for_all_needs_agents_of_one_size():
    with pytest.raises(
        ValueError, match=r"sharing: got 'all', .* differ between groups \(left 3 and 2, right 1 and 1\)"
    ):
        MAPPO.create(Groups(), NoParams(), sharing="all")


def test_each_group_explores_as_told():
    learner = MAPPO.create(Groups(), NoParams(), initial_log_std=(-1.0, -3.0))
    state = learner.init(jax.random.key(0))
    outputs, _ = learner.actor_output(state.params, state.observation, {})
    spreads = {group: log_std for group, (_, log_std) in outputs.items()}
    assert (spreads["left"] == -1.0).all()
    assert (spreads["right"] == -3.0).all()
    with pytest.raises(ValueError, match=r"got 3 numbers, expected 1, or one per group of agents \(2\)"):
        MAPPO.create(Groups(), NoParams(), initial_log_std=(-1.0, -2.0, -3.0))


def test_choices_have_no_zero_to_be_pulled_to():
    with pytest.raises(ValueError, match="expected None with groups that choose: agent"):
        MAPPO.create(Choice(), NoParams(), prior_coefficient=0.1)


def test_replacing_a_static_setting_is_checked_too():
    learner = MAPPO.create(Probe(), NoParams())
    with pytest.raises(ValueError, match="num_minibatches: got 7"):
        replace(learner, num_minibatches=7)


def test_an_environment_that_cannot_be_static_is_refused():
    with pytest.raises(ValueError, match=r"env: got .* expected a hashable object"):
        MAPPO.create(Probe(sizes=[("agent", 1)]), NoParams())


def test_arrays_pass_so_that_they_may_be_swept():
    assert MAPPO.create(Probe(), NoParams(), learning_rate=np.asarray([1e-3, 1e-4])).learning_rate.shape == (
        2,
    )
