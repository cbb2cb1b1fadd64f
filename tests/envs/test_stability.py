"""The stability index at its corners."""

import jax.numpy as jnp
import pytest

from gridjax.envs.stability import stability_index


def index(voltage=(1.0, 1.0), loading=(0.0,), frequency=50.0):
    return float(stability_index(jnp.array(voltage), jnp.array(loading), jnp.float32(frequency)))


def test_one_at_rest():
    assert index() == 1.0


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"voltage": (1.0, 0.95)}, 0.75),
        ({"voltage": (1.05, 1.02)}, 0.75),
        ({"loading": (0.2, 0.6)}, 0.64),
        ({"frequency": 49.5}, 0.75),
        ({"voltage": (1.0, 0.95), "loading": (0.5,), "frequency": 50.5}, 0.75**3),
    ],
)
def test_the_worst_element_counts_squared(state, expected):
    assert index(**state) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("state", [{"voltage": (0.89,)}, {"loading": (1.3,)}, {"frequency": 48.0}])
def test_zero_beyond_any_limit(state):
    assert index(**state) == pytest.approx(0.0, abs=1e-6)
