"""Spaces sample inside themselves and know what lies outside."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.envs import Box, Discrete, Hybrid
from gridjax.envs.spaces import numbered


@pytest.mark.parametrize(
    "space",
    [
        Box(-1.0, 1.0, (3,)),
        Box(np.array([0.0, 5.0]), np.array([1.0, 6.0]), (2,)),
        Box(0.0, 2.0, ()),
        Discrete(4),
        Discrete(4, (3,)),
    ],
)
def test_samples_lie_inside_and_differ(space):
    samples = jax.vmap(space.sample)(jax.random.split(jax.random.key(0), 200))
    assert samples.shape == (200, *space.shape)
    assert bool(jnp.all(jax.vmap(space.contains)(samples)))
    assert len(np.unique(samples)) >= min(4, getattr(space, "n", 4))


def test_every_entry_of_an_action_has_a_name():
    assert numbered(Box(-1.0, 1.0, (2,))) == ("action 0", "action 1")
    assert numbered(Discrete(4)) == ("choice 0",)
    assert numbered(Hybrid(Box(-1.0, 1.0, (1,)), Discrete(3, (2,)))) == ("action 0", "choice 0", "choice 1")


def test_a_box_knows_its_bounds():
    box = Box(np.array([-1.0, 0.0]), 2.0, (2,))
    values = jnp.array([[-1.0, 2.0], [-1.01, 1.0], [0.0, -0.01], [0.0, 2.01], [jnp.nan, 1.0]])
    assert box.contains(values).tolist() == [True, False, False, False, False]


def test_an_unbounded_box_holds_all_but_what_is_not_finite():
    box = Box(-np.inf, np.inf, (1,))
    assert box.contains(jnp.array([[1e30], [jnp.inf], [jnp.nan]])).tolist() == [True, False, False]


def test_a_discrete_space_knows_its_ends():
    assert Discrete(3).contains(jnp.array([-1, 0, 2, 3])).tolist() == [False, True, True, False]


def test_a_hybrid_space_is_both():
    space = Hybrid(Box(-1.0, 1.0, (2,)), Discrete(3, (4,)))
    samples = jax.vmap(space.sample)(jax.random.split(jax.random.key(0), 20))
    assert {name: x.shape for name, x in samples.items()} == {"continuous": (20, 2), "discrete": (20, 4)}
    assert jax.vmap(space.contains)(samples).shape == (20,)
    assert bool(jnp.all(jax.vmap(space.contains)(samples)))
    first = jax.tree.map(lambda x: x[0], samples)
    assert not space.contains(first | {"discrete": first["discrete"].at[1].set(3)})
    assert not space.contains(first | {"continuous": first["continuous"].at[1].set(1.5)})
