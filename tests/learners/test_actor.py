import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners.actor import Actor
from gridjax.learners.layout import Group, Layout

from .test_networks import ALIKE, UNLIKE, observe

CHOOSING = Layout((Group("a", 2, 5, 2), Group("b", 3, 4, 1, 2, 3), Group("c", 1, 4, 0, 1, 5, True)), 7)


def actor_of(
    layout, sharing="group", hidden=(8,), log_std=-1.5, architecture="feedforward", head="gaussian", **more
):
    actor = Actor(layout, architecture, head, sharing, hidden, "tanh", log_std, **more)
    params = actor.init(jax.random.key(0), observe(layout), actor.memory())
    return actor, params


def outputs(actor, params, observation):
    """Without what is remembered."""
    leading = next(iter(observation.values())).shape[:-2]
    return actor.apply(params, observation, actor.memory(*leading))[0]


@pytest.mark.parametrize("network", ["feedforward", "gru", "attention"])
@pytest.mark.parametrize(("sharing", "layout"), [("all", ALIKE), ("group", UNLIKE), ("agent", UNLIKE)])
def test_shapes_and_initial_values(sharing, layout, network):
    if network == "attention" and sharing != "group":
        return
    actor, params = actor_of(layout, sharing, (16, 16), architecture=network)
    heads = outputs(actor, params, observe(layout, 6))
    for group in layout.groups:
        mean, log_std = heads[group.name]
        assert mean.shape == (6, group.agents, group.action)
        assert np.abs(mean).max() < 0.1
        assert np.all(log_std == -1.5)
        jnp.broadcast_shapes(mean.shape, log_std.shape)


@pytest.mark.parametrize("head", ["gaussian", "beta"])
def test_groups_that_choose_have_logits_and_what_does_not_draw_reals_no_deviation(head):
    actor, params = actor_of(CHOOSING, head=head)
    per_entry = {"gaussian": 1, "beta": 2}[head]
    found = outputs(actor, params, observe(CHOOSING, 6))
    assert found["a"][0].shape == (6, 2, 2 * per_entry)
    assert found["b"][0].shape == (6, 3, per_entry + 2 * 3)
    assert found["c"][0].shape == (6, 1, 5)
    assert found["c"][1] is None
    trained = {name for name in params["params"] if name.startswith("log_std")}
    assert trained == ({"log_std_a", "log_std_b"} if head == "gaussian" else set())


@pytest.mark.parametrize("sharing", ["all", "group", "agent"])
def test_who_learns_from_whom(sharing):
    """Which parameters move when agent 0 of group b alone gives a gradient."""
    actor, params = actor_of(ALIKE, sharing)

    def first(params):
        return outputs(actor, {"params": params}, observe(ALIKE))["b"][0][0].sum()

    gradient = jax.grad(first)(params["params"])["mean"]
    if sharing == "all":
        assert set(gradient) == {"shared"}
        return
    assert all(np.all(g == 0) for g in jax.tree.leaves(gradient["a"]))
    bias = gradient["b"]["Layer_1"]["bias"]
    if sharing == "agent":
        assert bias.shape == (3, 2)
        assert np.all(bias[0] != 0)
        assert np.all(bias[1:] == 0)
        kernel = params["params"]["mean"]["b"]["Layer_0"]["kernel"]
        assert not np.allclose(kernel[0], kernel[1])
    else:
        assert bias.shape == (2,)


@pytest.mark.parametrize("identity", [True, False])
def test_agents_that_share_and_see_the_same_differ_where_they_know_who_they_are(identity):
    actor, params = actor_of(ALIKE, identity=identity)
    assert params["params"]["mean"]["b"]["Layer_0"]["kernel"].shape == (5 + 3 * identity, 8)
    same = {"a": jnp.ones((2, 5)), "b": jnp.ones((3, 5))}
    mean, _ = outputs(actor, params, same)["b"]
    assert len(np.unique(np.asarray(mean)[:, 0])) == (3 if identity else 1)
    assert actor.depends_on_number == identity


@pytest.mark.parametrize(
    ("layout", "sharing"),
    [(ALIKE, "all"), (Layout(ALIKE.groups[:1], 7), "group"), (Layout(ALIKE.groups[:1], 7), "agent")],
)
def test_each_action_entry_of_one_network_may_have_a_deviation_of_its_own(layout, sharing):
    actor, params = actor_of(layout, sharing, log_std=(-1.0, -2.0))
    for mean, log_std in outputs(actor, params, observe(layout)).values():
        expected = np.broadcast_to([-1.0, -2.0], mean.shape)
        np.testing.assert_array_equal(np.broadcast_to(log_std, mean.shape), expected)


@pytest.mark.parametrize("sharing", ["group", "agent"])
def test_each_group_may_have_a_deviation_of_its_own(sharing):
    actor, params = actor_of(UNLIKE, sharing, log_std=(-1.0, -2.0))
    found = outputs(actor, params, observe(UNLIKE))
    for (mean, log_std), expected in zip(found.values(), (-1.0, -2.0)):
        np.testing.assert_array_equal(np.broadcast_to(log_std, mean.shape), expected)
