import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners.layout import Group, Layout
from gridjax.learners.networks import MLP, PerAgent, Recurrent

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


def test_a_gated_unit_is_that_of_its_formula():
    """Cho et al. 2014, in the variant of cuDNN: the reset gate after the product with the memory."""
    x, memory = (jax.random.normal(jax.random.key(k), (4, n)) for k, n in ((0, 5), (1, 8)))
    network = Recurrent((8,), 2, "tanh", 1.0)
    variables = network.init(jax.random.key(2), memory, x)
    after, out = network.apply(variables, memory, x)
    given = jax.tree.map(np.asarray, variables["params"])
    first, cell, last = given["Layer_0"], given["memory"], given["Layer_1"]
    inside = np.tanh(x @ first["kernel"] + first["bias"])

    def gate(name):
        return inside @ cell["i" + name]["kernel"] + cell["i" + name]["bias"], memory @ cell["h" + name][
            "kernel"
        ]

    reset, update = (1.0 / (1.0 + np.exp(-sum(gate(name)))) for name in "rz")
    new = np.tanh(gate("n")[0] + reset * (gate("n")[1] + cell["hn"]["bias"]))
    expected = (1.0 - update) * new + update * memory
    np.testing.assert_allclose(after, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(out, expected @ last["kernel"] + last["bias"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("sharing", ["all", "group", "agent"])
def test_every_agent_has_a_memory_of_its_own(sharing):
    network = PerAgent(ALIKE, sharing, (8,), "tanh", 1.0, (2, 2), recurrent=True)
    memory = {"a": jnp.zeros((4, 2, 8)), "b": jnp.zeros((4, 3, 8))}
    params = network.init(jax.random.key(0), observe(ALIKE, 4), memory)
    out, after = network.apply(params, observe(ALIKE, 4), memory)
    assert {name: x.shape for name, x in after.items()} == {"a": (4, 2, 8), "b": (4, 3, 8)}
    moved = {"a": memory["a"], "b": memory["b"].at[1, 2, 0].set(0.5)}
    other, _ = network.apply(params, observe(ALIKE, 4), moved)
    changed = np.any(np.asarray(other["b"] != out["b"]), axis=-1)
    assert np.argwhere(changed).tolist() == [[1, 2]]
    np.testing.assert_array_equal(other["a"], out["a"])
