"""Cases shared among devices: the same as `vmap`, whatever their number."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.controllers.spread import spread

SHARED = """
import jax, jax.numpy as jnp, numpy as np
jax.config.update("jax_num_cpu_devices", 3)
from gridjax.controllers.spread import spread
run = jax.jit(lambda a, x: spread(lambda a, row: {"y": jnp.outer(a, row)}, a, x))
x = np.arange(12.0).reshape(6, 2)
found = run(jnp.array([1.0, -2.0]), x)["y"]
assert len(found.sharding.device_set) == 3, found.sharding
np.testing.assert_array_equal(found, x[:, None, :] * np.array([1.0, -2.0])[:, None])
"""


def collatz(most, start):
    """Steps to 1, a loop whose length differs from row to row."""
    step = lambda s: (jnp.where(s[0] % 2 == 0, s[0] // 2, 3 * s[0] + 1), s[1] + 1)  # noqa: E731
    return jax.lax.while_loop(lambda s: (s[0] > 1) & (s[1] < most), step, (start, jnp.int32(0)))[1]


@pytest.mark.parametrize("number", [1, 7, 64, 90])
def test_it_is_vmap(number):
    starts = jnp.arange(1, number + 1)
    found = jax.jit(lambda starts: spread(collatz, 1000, starts))(starts)
    np.testing.assert_array_equal(found, jax.vmap(lambda start: collatz(1000, start))(starts))


def test_devices_share_the_cases():
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", SHARED], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
