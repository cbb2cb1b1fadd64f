"""Agents that attend: to whom they are told, whatever their order and number."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners.attention import Attentive
from gridjax.learners.layout import Group, Layout

from .test_networks import UNLIKE, observe


@pytest.fixture(scope="module")
def network():
    network = Attentive(UNLIKE, (16, 8), "tanh", 1.0, (2, 1))
    return network, network.init(jax.random.key(0), observe(UNLIKE), None)


def changed(network, params, neighbours):
    """Which of the agents of group b give other outputs when agent 0 of a sees something else."""
    seen = observe(UNLIKE)
    other = seen | {"a": seen["a"].at[0].add(1.0)}
    before, after = (network.apply(params, x, neighbours)["b"] for x in (seen, other))
    return np.any(np.abs(np.asarray(after - before)) > 1e-6, axis=-1).tolist()


def test_an_agent_takes_in_what_its_neighbours_know_and_nobody_else(network):
    assert changed(*network, None) == [True] * 3
    assert changed(*network, jnp.zeros((5, 5), bool)) == [False] * 3
    assert changed(*network, jnp.zeros((5, 5), bool).at[3, 0].set(True)) == [False, True, False]


def test_agents_may_come_in_any_order(network):
    network, params = network
    seen = observe(UNLIKE)
    turned = network.apply(params, {"a": seen["a"], "b": seen["b"][::-1]}, None)
    straight = network.apply(params, seen, None)
    np.testing.assert_allclose(turned["b"], straight["b"][::-1], atol=1e-6)
    np.testing.assert_allclose(turned["a"], straight["a"], atol=1e-6)


def test_the_same_parameters_serve_any_number_of_agents(network):
    _, params = network
    more = Layout((Group("a", 4, 5, 2), Group("b", 6, 4, 1)), 9)
    wide = Attentive(more, (16, 8), "tanh", 1.0, (2, 1))
    doubled = {name: jnp.concatenate([x, x]) for name, x in observe(UNLIKE).items()}
    # everybody twice: attention weights the copies alike
    expected = network[0].apply(params, observe(UNLIKE), None)
    np.testing.assert_allclose(wide.apply(params, doubled, None)["b"][:3], expected["b"], atol=1e-5)


def test_leading_axes_are_kept_apart(network):
    network, params = network
    seen = observe(UNLIKE, 3, 4)
    out = network.apply(params, seen, None)
    one = network.apply(params, jax.tree.map(lambda x: x[1, 2], seen), None)
    assert out["a"].shape == (3, 4, 2, 2)
    np.testing.assert_allclose(out["a"][1, 2], one["a"], atol=1e-5)
