import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners.layout import Group, Layout
from gridjax.learners.networks import MLP, Actor, CentralCritic, LocalCritic

ALIKE = Layout((Group("a", 2, 5, 2), Group("b", 3, 5, 2)), 7)
UNLIKE = Layout((Group("a", 2, 5, 2), Group("b", 3, 4, 1)), 7)


def observe(layout, *leading):
    keys = jax.random.split(jax.random.key(1), len(layout.groups))
    return {
        g.name: jax.random.normal(k, (*leading, g.agents, g.observation)) for k, g in zip(keys, layout.groups)
    }


def test_agent_index_is_a_one_hot_input():
    """The same numbers as with the one-hot written out."""
    x = jax.random.normal(jax.random.key(0), (4, 3, 5))
    short = MLP((8,), 2, "tanh", 1.0, agents=3)
    params = short.init(jax.random.key(1), x)
    written = jnp.concatenate([x, jnp.broadcast_to(jnp.eye(3), (4, 3, 3))], axis=-1)
    expected = MLP((8,), 2, "tanh", 1.0).apply(params, written)
    np.testing.assert_allclose(short.apply(params, x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("sharing", "layout"), [("all", ALIKE), ("group", UNLIKE), ("agent", UNLIKE)])
def test_shapes_and_initial_values(sharing, layout):
    actor = Actor(layout, sharing, (16, 16), "tanh", -1.5)
    params = actor.init(jax.random.key(0), observe(layout))
    heads = actor.apply(params, observe(layout, 6))
    for group in layout.groups:
        mean, log_std = heads[group.name]
        assert mean.shape == (6, group.agents, group.action)
        assert np.abs(mean).max() < 0.1
        assert np.all(log_std == -1.5)
        jnp.broadcast_shapes(mean.shape, log_std.shape)
    critic = LocalCritic(layout, sharing, (16,), "relu")
    value = critic.apply(critic.init(jax.random.key(0), observe(layout)), observe(layout, 6))
    assert value.shape == (6, layout.agents)


def test_a_linear_path_adds_to_the_hidden_layers():
    x = jax.random.normal(jax.random.key(0), (4, 3, 5))
    both = MLP((8,), 2, "tanh", 1.0, agents=3, skip=True)
    params = both.init(jax.random.key(1), x)["params"]
    bent = MLP((8,), 2, "tanh", 1.0, agents=3).apply(
        {"params": {name: params[name] for name in ("Layer_0", "Layer_1")}}, x
    )
    written = jnp.concatenate([x, jnp.broadcast_to(jnp.eye(3), (4, 3, 3))], axis=-1)
    straight = written @ params["skip"]["kernel"] + params["skip"]["bias"]
    np.testing.assert_allclose(both.apply({"params": params}, x), bent + straight, rtol=1e-5, atol=1e-5)


def test_hidden_kernels_are_orthogonal():
    kernel = MLP((8,), 1, "tanh", 1.0).init(jax.random.key(0), jnp.zeros(8))["params"]["Layer_0"]["kernel"]
    np.testing.assert_allclose(kernel @ kernel.T, 2.0 * np.eye(8), atol=1e-5)


@pytest.mark.parametrize("sharing", ["all", "group", "agent"])
def test_who_learns_from_whom(sharing):
    """Which parameters move when agent 0 of group b alone gives a gradient."""
    actor = Actor(ALIKE, sharing, (8,), "tanh", -1.5)
    params = actor.init(jax.random.key(0), observe(ALIKE))["params"]
    gradient = jax.grad(lambda p: actor.apply({"params": p}, observe(ALIKE))["b"][0][0].sum())(params)["mean"]
    if sharing == "all":
        assert set(gradient) == {"shared"}
        return
    assert all(np.all(g == 0) for g in jax.tree.leaves(gradient["a"]))
    bias = gradient["b"]["Layer_1"]["bias"]
    if sharing == "agent":
        assert bias.shape == (3, 2)
        assert np.all(bias[0] != 0)
        assert np.all(bias[1:] == 0)
        kernel = params["mean"]["b"]["Layer_0"]["kernel"]
        assert not np.allclose(kernel[0], kernel[1])
    else:
        assert bias.shape == (2,)


def test_agents_that_share_and_see_the_same_may_still_differ():
    actor = Actor(ALIKE, "group", (8,), "tanh", -1.5)
    same = {"a": jnp.ones((2, 5)), "b": jnp.ones((3, 5))}
    mean, _ = actor.apply(actor.init(jax.random.key(0), same), same)["b"]
    assert len(np.unique(np.asarray(mean)[:, 0])) == 3


def test_central_critic_reads_the_global_state_once_and_values_every_agent():
    critic = CentralCritic(UNLIKE, (8,), "silu")
    params = critic.init(jax.random.key(0), jnp.zeros(7))
    assert critic.apply(params, jnp.ones((4, 6, 7))).shape == (4, 6, 5)
    assert params["params"]["MLP_0"]["Layer_0"]["kernel"].shape == (7, 8)


def test_without_identity_agents_that_see_the_same_do_the_same():
    actor = Actor(ALIKE, "group", (8,), "tanh", -1.5, identity=False)
    same = {"a": jnp.ones((2, 5)), "b": jnp.ones((3, 5))}
    params = actor.init(jax.random.key(0), same)
    assert params["params"]["mean"]["b"]["Layer_0"]["kernel"].shape == (5, 8)
    mean, _ = actor.apply(params, same)["b"]
    assert len(np.unique(np.asarray(mean)[:, 0])) == 1
    critic = LocalCritic(ALIKE, "all", (8,), "tanh", identity=False)
    value = critic.apply(critic.init(jax.random.key(0), same), same)
    assert len(np.unique(np.asarray(value))) == 1


@pytest.mark.parametrize(
    ("layout", "sharing"),
    [(ALIKE, "all"), (Layout(ALIKE.groups[:1], 7), "group"), (Layout(ALIKE.groups[:1], 7), "agent")],
)
def test_each_action_entry_of_one_network_may_have_a_deviation_of_its_own(layout, sharing):
    actor = Actor(layout, sharing, (8,), "tanh", (-1.0, -2.0))
    heads = actor.apply(actor.init(jax.random.key(0), observe(layout)), observe(layout))
    for mean, log_std in heads.values():
        expected = np.broadcast_to([-1.0, -2.0], mean.shape)
        np.testing.assert_array_equal(np.broadcast_to(log_std, mean.shape), expected)


@pytest.mark.parametrize("sharing", ["group", "agent"])
def test_each_group_may_have_a_deviation_of_its_own(sharing):
    actor = Actor(UNLIKE, sharing, (8,), "tanh", (-1.0, -2.0))
    heads = actor.apply(actor.init(jax.random.key(0), observe(UNLIKE)), observe(UNLIKE))
    for (mean, log_std), expected in zip(heads.values(), (-1.0, -2.0)):
        np.testing.assert_array_equal(np.broadcast_to(log_std, mean.shape), expected)
