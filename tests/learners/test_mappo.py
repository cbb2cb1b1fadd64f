from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners import MAPPO
from gridjax.learners.normalise import empty_stats, merge
from gridjax.learners.rollout import collect, log_probs

from .probes import Coordination, Groups, NoParams, Seen, Target

SMALL = {"num_envs": 16, "num_steps": 8, "num_minibatches": 2, "num_epochs": 2, "hidden": (16,)}


gather = jax.jit(collect)


def make(env=None, **settings):
    return MAPPO.create(env or Groups(length=3, signals=True), NoParams(), **(SMALL | settings))


def run(learner, state, updates):
    metrics = {}
    for _ in range(updates):
        state, metrics = learner.update(state)
    return state, metrics


@pytest.fixture(scope="module")
def learner():
    return make(learning_rate=3e-3)


@pytest.fixture(scope="module")
def trained(learner):
    return run(learner, learner.init(jax.random.key(0)), 3)


def outputs_of(learner, state, observation):
    """What the actor gives for observations as the task has them; for networks without a memory."""
    return learner.actor_output(state.params, learner.scale_observation(state, observation), {})[0]


def assert_equal(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    jax.tree.map(np.testing.assert_array_equal, raw(a), raw(b))


def raw(tree):
    """Random keys as their numbers."""
    return jax.tree.map(
        lambda x: jax.random.key_data(x) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x, tree
    )


@dataclass(frozen=True)
class Midst(Groups):
    """It cannot begin in the midst of an episode."""

    def staggered(self, params):
        raise LookupError


def test_first_episodes_begin_in_their_midst_unless_told_otherwise():
    env = Midst(length=3, signals=True)
    with pytest.raises(LookupError):
        make(env).init(jax.random.key(0))
    assert int(make(env, stagger=False).init(jax.random.key(0)).updates) == 0


def test_metrics_are_finite_scalars_with_the_task_s_own_among_them(learner, trained):
    _, metrics = trained
    for name, value in metrics.items():
        assert value.shape == (), name
        assert np.isfinite(value), name
    assert {"policy_loss", "value_loss", "entropy", "approximate_kl", "clip_fraction"} <= set(metrics)
    assert {"explained_variance", "reward", "episode_return", "episode_length", "metrics/time"} <= set(
        metrics
    )
    assert metrics["cost/excess"] == 2.0
    assert metrics["episode_length"] == 3.0
    assert metrics["episodes"] == 3 * 16 * 8 // 3


@pytest.mark.parametrize(
    "settings", [{}, {"sharing": "agent", "central_critic": False, "value_loss": "clipped"}]
)
def test_ratio_on_the_first_minibatch_is_one(settings):
    """Also after statistics and parameters have moved: acting and learning use the same of both."""
    learner = make(learning_rate=1e-2, **settings)
    state = learner.init(jax.random.key(1))
    for _ in range(4):
        state, metrics = learner.update(state)
        assert metrics["first_ratio_deviation"] <= 1e-5
    assert metrics["approximate_kl"] > 1e-6


def test_update_compiles_once():
    learner = make(Target(), initial_log_std=-1.25)
    before = MAPPO.update._cache_size()
    run(learner, learner.init(jax.random.key(0)), 3)
    run(replace(learner, learning_rate=1e-4, gamma=0.5), learner.init(jax.random.key(1)), 2)
    assert MAPPO.update._cache_size() - before == 1


def test_update_keeps_structure_shapes_and_types(learner, trained):
    first = learner.init(jax.random.key(0))
    assert jax.tree.structure(first) == jax.tree.structure(trained[0])

    def describe(x):
        return x.shape, x.dtype, getattr(x, "weak_type", False)

    assert jax.tree.leaves(jax.tree.map(describe, first)) == jax.tree.leaves(
        jax.tree.map(describe, trained[0])
    )


def test_every_parameter_moves(learner, trained):
    first = learner.init(jax.random.key(0))
    moved = jax.tree.map(lambda a, b: bool(np.any(a != b)), first.params, trained[0].params)
    assert all(jax.tree.leaves(moved)), moved
    assert trained[0].updates == 3


def test_no_learning_rate_no_movement(learner):
    still = replace(learner, learning_rate=0.0)
    state = still.init(jax.random.key(0))
    assert_equal(state.params, run(still, state, 2)[0].params)


def test_same_seed_same_bits_other_seed_other_bits(learner, trained):
    again, metrics = run(learner, learner.init(jax.random.key(0)), 3)
    assert_equal(again, trained[0])
    assert_equal(metrics, trained[1])
    other, _ = run(learner, learner.init(jax.random.key(1)), 3)
    assert other.key != trained[0].key
    assert np.any(jax.tree.leaves(other.params)[0] != jax.tree.leaves(trained[0].params)[0])


def test_seeds_in_one_program_equal_separate_runs():
    learner = make(Target())
    states = jax.vmap(learner.init)(jax.random.split(jax.random.key(7), 2))
    for _ in range(2):
        states, _ = jax.vmap(learner.update)(states)
    alone, _ = run(learner, learner.init(jax.random.split(jax.random.key(7), 2)[1]), 2)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a[1], b, rtol=1e-3, atol=1e-4),
        raw(states.params),
        raw(alone.params),
    )
    assert_equal(jax.tree.map(lambda x: x[1], states.key), alone.key)


def test_learning_rates_and_task_parameters_vmap():
    learner = make(Target())

    def step(rate, reward):
        mine = replace(learner, learning_rate=rate, env_params=NoParams(reward))
        return mine.update(mine.init(jax.random.key(0)))

    states, metrics = jax.vmap(step)(jnp.asarray([0.0, 1e-2]), jnp.asarray([1.0, 2.0]))
    first = learner.init(jax.random.key(0)).params
    moved = [
        any(np.any(a != b[i]) for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(states.params)))
        for i in range(2)
    ]
    assert moved == [False, True]
    np.testing.assert_allclose(metrics["learning_rate"], [0.0, 1e-2])


def test_learning_rate_decays_to_its_final_fraction():
    learner = make(
        decay_learning_rate=True, learning_rate=1e-3, total_updates=10, final_learning_rate_fraction=0.2
    )
    found = [float(learner.step_size(jnp.asarray(n))) for n in (0, 5, 10, 20)]
    np.testing.assert_allclose(found, [1e-3, 6e-4, 2e-4, 2e-4], rtol=1e-5)


def test_statistics_are_those_of_what_was_seen_and_wait_for_the_next_update(learner):
    state = learner.init(jax.random.key(3))
    _, rollout, _ = gather(learner, state, jax.random.split(state.key, 3)[1])
    after, _ = learner.update(state)
    for name, x in rollout.observation.items():
        expected = merge(empty_stats(x.shape[-1:]), x)
        np.testing.assert_allclose(after.observation_stats[name].mean, expected.mean, atol=1e-6)
        np.testing.assert_allclose(after.observation_stats[name].variance, expected.variance, atol=1e-6)
        assert after.observation_stats[name].count == x.size / x.shape[-1]
    assert after.global_stats.count == learner.steps_per_update
    assert state.observation_stats["left"].count == 0


def test_next_value_is_that_of_the_state_before_reset():
    """The values of a step's own successor: equal to the next step's but where an episode ended."""
    learner = make(Seen(length=4, ends="truncated", sizes=(("agent", 2),)))
    state = learner.init(jax.random.key(0))
    _, rollout, _ = gather(learner, state, jax.random.key(5))
    value, _ = learner.evaluate(state, rollout.observation, rollout.global_state, {})
    done = np.asarray(rollout.truncated)[:-1]
    next_value, following = np.asarray(rollout.next_value)[:-1], np.asarray(value)[1:]
    np.testing.assert_allclose(next_value[~done], following[~done], atol=1e-5)
    assert np.any(np.abs(next_value[done] - following[done]) > 1e-2)


def test_the_stored_action_is_the_one_that_acted(learner, trained):
    """Stored before tanh and unclipped; its log-probability is that under the policy that acted."""
    state, _ = trained
    _, rollout, _ = gather(learner, state, jax.random.key(5))
    assert any(np.abs(one.continuous).max() > 0.2 for one in rollout.drawn.values())
    found = log_probs(learner, rollout.drawn, outputs_of(learner, state, rollout.observation), {})
    np.testing.assert_allclose(learner.layout.join(found), rollout.log_prob, atol=1e-5)


def test_keys_of_steps_environments_and_agents_all_differ(learner, trained):
    state, _ = trained
    _, rollout, _ = gather(learner, state, jax.random.key(5))
    noise = [
        np.round((rollout.drawn[name].continuous - mean) / jnp.exp(log_std), 4).ravel()
        for name, (mean, log_std) in outputs_of(learner, state, rollout.observation).items()
    ]
    noise = np.concatenate(noise)
    # Rounded to four digits some of 640 normal samples coincide by chance; reused keys would halve them.
    assert len(np.unique(noise)) > 0.95 * len(noise)
    following, _, _ = gather(learner, state, jax.random.key(6))
    assert not np.array_equal(
        following.env_state.signal, gather(learner, state, jax.random.key(5))[0].env_state.signal
    )


def test_critic_inputs_follow_the_setting():
    central, local = make(Coordination()), make(Coordination(), central_critic=False)
    assert central.init(jax.random.key(0)).params["critic"]["MLP_0"]["Layer_0"]["kernel"].shape[0] == 1
    kernel = local.init(jax.random.key(0)).params["critic"]["PerAgent_0"]["agent"]["Layer_0"]["kernel"]
    assert kernel.shape[0] == 1 + 2
    _, rollout, _ = gather(local, local.init(jax.random.key(0)), jax.random.key(0))
    assert rollout.global_state is None


def test_without_normalisers_statistics_stay_empty():
    learner = make(Target(), normalise_observations=False, normalise_values=False)
    state, _ = run(learner, learner.init(jax.random.key(0)), 2)
    assert state.observation_stats["agent"].count == 0
    assert state.value_stats["agent"].count == 0
    assert state.global_stats.count == 0


def test_a_raw_random_key_works_too():
    learner = make(Target())
    state, metrics = learner.update(learner.init(jax.random.PRNGKey(0)))
    assert state.key.dtype == jnp.uint32
    assert np.isfinite(metrics["policy_loss"])
