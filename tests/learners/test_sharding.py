"""On two devices, in one process or in two, learning is what it is on one."""

import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from gridjax.learners import MAPPO
from gridjax.learners.sharding import learning_mesh
from tests.ports import free_port

from .probes import NoParams, Target


def start(out, devices, checkpoint="", *processes):
    """A run with so many devices, in a process of its own: their number is fixed when JAX starts."""
    arguments = [str(x) for x in (out, devices, checkpoint, *processes)]
    flags = os.environ.get("XLA_FLAGS", "").split()
    kept = " ".join(flag for flag in flags if "device_count" not in flag)
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": kept}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.learners.sharded_run", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(*runs):
    for run in runs:
        said, _ = run.communicate(timeout=600)
        assert run.returncode == 0, said


def parameters(path):
    with np.load(path) as stored:
        assert stored["updates"] == 10
        return [stored[name] for name in stored.files if name != "updates"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Ten updates on one device, and its checkpoint after five."""
    folder = tmp_path_factory.mktemp("sharded")
    finish(start(folder / "one.npz", 1, folder / "checkpoint"))
    return parameters(folder / "one.npz"), folder / "checkpoint"


def assert_near(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-5)


def test_two_devices_learn_what_one_does(alone, tmp_path):
    finish(start(tmp_path / "two.npz", 2))
    assert_near(parameters(tmp_path / "two.npz"), alone[0])


def test_two_processes_learn_what_one_does(alone, tmp_path):
    port = free_port()
    finish(*(start(tmp_path / "both.npz", 2, "", 2, process, port) for process in range(2)))
    assert_near(parameters(tmp_path / "both.npz"), alone[0])


def test_a_checkpoint_of_one_device_goes_on_on_two(alone, tmp_path):
    finish(start(tmp_path / "on.npz", 2, alone[1]))
    assert_near(parameters(tmp_path / "on.npz"), alone[0])


def test_environments_must_divide_among_the_devices():
    learner = MAPPO.create(Target(), NoParams(), num_envs=6)
    device = jax.devices()[0]
    assert learning_mesh(learner, [device]).size == 1
    with pytest.raises(ValueError, match="num_envs: got 6, expected a multiple of the 4 devices"):
        learning_mesh(learner, [device] * 4)
