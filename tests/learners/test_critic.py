import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners.critic import CentralCritic, LocalCritic

from .test_networks import ALIKE, UNLIKE, observe


def test_central_critic_reads_the_global_state_once_and_values_every_agent():
    critic = CentralCritic(UNLIKE, (8,), "silu")
    params = critic.init(jax.random.key(0), jnp.zeros(7), {})
    value, memory = critic.apply(params, jnp.ones((4, 6, 7)), {})
    assert value.shape == (4, 6, 5, 1)
    assert memory == {}
    assert params["params"]["MLP_0"]["Layer_0"]["kernel"].shape == (7, 8)


def test_central_critic_may_remember():
    critic = CentralCritic(UNLIKE, (8,), "silu", recurrent=True)
    params = critic.init(jax.random.key(0), jnp.zeros(7), critic.memory())
    value, memory = critic.apply(params, jnp.ones((4, 7)), critic.memory(4))
    again, _ = critic.apply(params, jnp.ones((4, 7)), memory)
    assert value.shape == (4, 5, 1)
    assert memory["state"].shape == (4, 8)
    assert np.all(np.asarray(again) != value)


@pytest.mark.parametrize("network", ["feedforward", "gru", "attention"])
@pytest.mark.parametrize(("sharing", "layout"), [("all", ALIKE), ("group", UNLIKE), ("agent", UNLIKE)])
def test_local_critic_values_every_agent(sharing, layout, network):
    if network == "attention" and sharing != "group":
        return
    critic = LocalCritic(layout, network, sharing, (16,), "relu")
    params = critic.init(jax.random.key(0), observe(layout), critic.memory())
    value, memory = critic.apply(params, observe(layout, 6), critic.memory(6))
    assert value.shape == (6, layout.agents, 1)
    assert set(memory) == ({"a", "b"} if network == "gru" else set())


def test_without_identity_agents_that_see_the_same_are_valued_alike():
    critic = LocalCritic(ALIKE, "feedforward", "all", (8,), "tanh", identity=False)
    same = {"a": jnp.ones((2, 5)), "b": jnp.ones((3, 5))}
    value, _ = critic.apply(critic.init(jax.random.key(0), same, {}), same, {})
    assert len(np.unique(np.asarray(value))) == 1
