import jax
import numpy as np

from gridjax.learners.advantage import generalised_advantage

T, B, AGENTS = 40, 7, 3


def reference(reward, value, next_value, terminated, truncated, gamma, lam):
    """Backwards loop over time, environment and agent."""
    out = np.zeros_like(reward)
    for b in range(reward.shape[1]):
        for agent in range(reward.shape[2]):
            trace = 0.0
            for t in reversed(range(reward.shape[0])):
                bootstrap = 0.0 if terminated[t, b] else next_value[t, b, agent]
                delta = reward[t, b, agent] + gamma * bootstrap - value[t, b, agent]
                over = terminated[t, b] or truncated[t, b]
                trace = delta + (0.0 if over else gamma * lam * trace)
                out[t, b, agent] = trace
    return out


def rollout(seed=0):
    rng = np.random.default_rng(seed)
    reward, value, next_value = rng.normal(size=(3, T, B, AGENTS))
    terminated, truncated = rng.random((2, T, B)) < 0.15
    return reward, value, next_value, terminated, truncated


def test_equals_a_plain_loop_in_double_precision():
    reward, value, next_value, terminated, truncated = rollout()
    assert (terminated & truncated).any()
    with jax.enable_x64(True):
        found = generalised_advantage(
            reward, value, next_value, terminated[..., None], truncated[..., None], 0.97, 0.9
        )
        assert found.dtype == np.float64
        np.testing.assert_allclose(
            found, reference(reward, value, next_value, terminated, truncated, 0.97, 0.9), atol=1e-10
        )


def test_one_agent_without_its_axis():
    reward, value, next_value, terminated, truncated = rollout()
    flat = [x[..., 0] for x in (reward, value, next_value)]
    found = generalised_advantage(*flat, terminated, truncated, 0.97, 0.9)
    expected = reference(reward, value, next_value, terminated, truncated, 0.97, 0.9)[..., 0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_trace_does_not_cross_an_episode_end():
    reward, value, next_value, terminated, truncated = rollout()
    terminated[:], truncated[:] = False, False
    terminated[20, 0], truncated[20, 1] = True, True
    later = [x.copy() for x in (reward, value, next_value)]
    for x in later:
        x[21:] += 100.0
    before = generalised_advantage(
        reward, value, next_value, terminated[..., None], truncated[..., None], 0.97, 0.9
    )
    after = generalised_advantage(*later, terminated[..., None], truncated[..., None], 0.97, 0.9)
    np.testing.assert_array_equal(before[:21, :2], after[:21, :2])
    assert np.all(np.abs(before[20, 2:] - after[20, 2:]) > 1.0)


def test_truncation_bootstraps_and_termination_does_not():
    one = np.ones((1, 1), np.float32)
    yes, no = np.ones((1, 1), bool), np.zeros((1, 1), bool)
    assert generalised_advantage(one, 0 * one, 5 * one, no, yes, 0.9, 0.95).item() == np.float32(1 + 0.9 * 5)
    assert generalised_advantage(one, 0 * one, 5 * one, yes, no, 0.9, 0.95).item() == 1.0
    assert generalised_advantage(one, 0 * one, 5 * one, yes, yes, 0.9, 0.95).item() == 1.0


def test_an_undefined_value_after_termination_does_not_matter():
    one = np.ones((1, 1), np.float32)
    yes, no = np.ones((1, 1), bool), np.zeros((1, 1), bool)
    assert generalised_advantage(one, one, np.nan * one, yes, no, 0.9, 0.95).item() == 0.0
