import errno
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest

from gridjax.learners import MAPPO, Checkpoints, DamagedCheckpoint

from .probes import SETTINGS, Bounded, Mixed, NoParams, Recall, Whisper
from .test_mappo import assert_equal, make, run


@pytest.fixture(scope="module")
def learner():
    return make(learning_rate=1e-2)


@pytest.fixture(scope="module")
def start(learner):
    return learner.init(jax.random.key(0))


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(learner, start, tmp_path):
    uninterrupted, expected = run(learner, start, 4)
    half, metrics = run(learner, start, 2)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(2, half, metrics)
    with Checkpoints(tmp_path) as checkpoints:
        # A restored state must not compile a second time either.
        before = MAPPO.update._cache_size()
        restored = checkpoints.restore(checkpoints.latest_step(), like=learner.init(jax.random.key(5)))
        assert checkpoints.metrics(2)["reward"] == float(metrics["reward"])
    assert_equal(restored, half)
    resumed, found = run(learner, restored, 2)
    assert_equal(resumed, uninterrupted)
    assert_equal(found, expected)
    assert MAPPO.update._cache_size() == before


@pytest.mark.parametrize(
    ("env", "chosen"),
    [
        (Recall(sizes=(("agent", 2),)), {"architecture": "gru"}),
        (Whisper(sizes=(("agent", 2),)), {"architecture": "attention"}),
        (Bounded(), {"head": "beta", "cost_bounds": {"excess": 300.0}, "twin": True}),
        (Mixed(), {"sharing": "agent", "central_critic": False}),
    ],
    ids=["gru", "attention", "lagrangian", "hybrid"],
)
def test_every_kind_of_policy_resumes_bit_for_bit(tmp_path, env, chosen):
    learner = MAPPO.create(env, NoParams(), **(SETTINGS | {"learning_rate": 5e-3} | chosen))
    half, _ = run(learner, learner.init(jax.random.key(0)), 2)
    uninterrupted, _ = run(learner, half, 2)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(2, half)
        restored = checkpoints.restore(2, like=jax.eval_shape(learner.init, jax.random.key(0)))
    assert_equal(run(learner, restored, 2)[0], uninterrupted)


def test_restores_from_a_description_alone(learner, start, tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, start, wait=True)
        assert_equal(checkpoints.restore(None, like=jax.eval_shape(learner.init, jax.random.key(0))), start)


def test_empty_arrays_keys_and_scalars_of_any_type(tmp_path):
    tree = {
        "none": jnp.zeros((0, 3), jnp.int8),
        "keys": jax.random.split(jax.random.key(3, impl="rbg"), 2),
        "flag": jnp.asarray(True),
        "half": jnp.asarray([1.5], jnp.bfloat16),
        "nested": [jnp.asarray(7), (jnp.ones(2),)],
    }
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(0, tree, {"reward": jnp.asarray(1.0)})
        found = checkpoints.restore(0, like=tree)
        assert checkpoints.metrics(0) == {"reward": 1.0}
    assert_equal(found, tree)
    assert [x.dtype for x in jax.tree.leaves(found)] == [x.dtype for x in jax.tree.leaves(tree)]


@pytest.mark.parametrize(
    ("other", "leaf"),
    [
        ({"hidden": (32,)}, r"params\['actor'\].* is float32\[16\] there, expected float32\[32\]"),
        ({"hidden": (16, 16)}, r"params.*Layer_1.* expected"),
        ({"sharing": "agent"}, r"params.* expected"),
        ({"num_envs": 32}, r"env_state.* is int32\[16\] there, expected int32\[32\]"),
    ],
)
def test_a_checkpoint_of_another_configuration_is_refused(learner, start, tmp_path, other, leaf):
    like = jax.eval_shape(replace(learner, **other).init, jax.random.key(0))
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, start, wait=True)
        with pytest.raises(ValueError, match=r"a checkpoint from another network or configuration.*" + leaf):
            checkpoints.restore(1, like=like)


def test_types_are_compared_too(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, {"x": jnp.ones(3), "key": jax.random.key(0)}, wait=True)
        with pytest.raises(ValueError, match=r"\['x'\] is float32\[3\] there, expected int32\[3\]"):
            checkpoints.restore(1, like={"x": jnp.ones(3, int), "key": jax.random.key(0)})
        with pytest.raises(ValueError, match=r"\['key'\] is key<fry>\[\] there, expected key<rbg>\[\]"):
            checkpoints.restore(1, like={"x": jnp.ones(3), "key": jax.random.key(0, impl="rbg")})
        with pytest.raises(ValueError, match=r"\['key'\] is key<fry>\[\] there, expected absent"):
            checkpoints.restore(1, like={"x": jnp.ones(3)})


def test_saving_a_step_again_or_an_older_one_is_refused(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(5, {"x": jnp.ones(3)})
        for step in (5, 4):
            with pytest.raises(
                ValueError, match=rf"step: got {step}, expected more than 5, the latest saved in"
            ):
                checkpoints.save(step, {"x": jnp.ones(3)})


def test_keeps_the_newest(tmp_path):
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        for step in (1, 2, 3):
            checkpoints.save(step, {"x": jnp.full(3, step)}, wait=True)
        assert checkpoints.steps() == [2, 3]
        with pytest.raises(FileNotFoundError, match=r"no checkpoint of step 1 in .* which holds \[2, 3\]"):
            checkpoints.restore(1, like={"x": jnp.ones(3, int)})


def test_a_missing_folder_is_named_and_not_created(tmp_path):
    with Checkpoints(tmp_path / "nowhere") as checkpoints:
        assert checkpoints.latest_step() is None
        with pytest.raises(FileNotFoundError, match=r"no checkpoint in .*nowhere"):
            checkpoints.restore(None, like={"x": jnp.ones(3)})
    assert not (tmp_path / "nowhere").exists()


def test_relative_folders_and_bad_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Checkpoints("here") as checkpoints:
        checkpoints.save(1, {"x": jnp.ones(3)})
    assert (tmp_path / "here" / "1").is_dir()
    with pytest.raises(ValueError, match="keep: got 0, expected a positive integer"):
        Checkpoints("here", keep=0)


KILLED = """
import os, signal, sys
import jax.numpy as jnp
from gridjax.learners import Checkpoints
checkpoints = Checkpoints(sys.argv[1])
state = lambda step: {"x": jnp.full((2000, 1000), float(step)), "y": jnp.arange(5)}
checkpoints.save(1, state(1), wait=True)
checkpoints.save(2, state(2))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_while_saving_loses_nothing_already_saved(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    like = {"x": jnp.zeros((2000, 1000)), "y": jnp.zeros(5, int)}
    with Checkpoints(tmp_path) as checkpoints:
        latest = checkpoints.latest_step()
        # The second step may have been finished before the signal; the first is whole in any case.
        assert latest in (1, 2)
        for step in checkpoints.steps():
            found = checkpoints.restore(step, like)
            np.testing.assert_array_equal(found["x"], float(step))
            np.testing.assert_array_equal(found["y"], np.arange(5))
        assert 1 in checkpoints.steps()
        checkpoints.save(latest + 1, like, wait=True)
        assert checkpoints.latest_step() == latest + 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda step: shutil.rmtree(step / "arrays"),
        lambda step: shutil.rmtree(step / "manifest"),
        lambda step: (step / "manifest" / "metadata").write_text(""),
    ],
    ids=["no arrays", "no manifest", "an emptied file"],
)
def test_a_damaged_step_is_named_and_the_one_before_is_taken(tmp_path, damage):
    state = {"a": jnp.arange(3.0)}
    with Checkpoints(tmp_path) as checkpoints:
        for step in (1, 2):
            checkpoints.save(step, {"a": state["a"] + step})
    damage(tmp_path / "2")
    with Checkpoints(tmp_path) as checkpoints:
        with pytest.raises(DamagedCheckpoint, match=r"step 2 in .* is damaged"):
            checkpoints.restore(2, like=state)
        with pytest.warns(RuntimeWarning, match=r"step 2 .* is damaged .*going on with the one before"):
            found = checkpoints.restore(None, like=state)
        np.testing.assert_array_equal(found["a"], state["a"] + 1)
        # and it can be saved anew
        checkpoints.discard_after(1)
        checkpoints.save(2, {"a": state["a"] + 2}, wait=True)
        np.testing.assert_array_equal(checkpoints.restore(None, like=state)["a"], state["a"] + 2)


@pytest.mark.parametrize("trouble", [OSError(errno.EMFILE, "Too many open files"), MemoryError()], ids=str)
def test_what_a_machine_fails_to_read_is_not_taken_for_damaged(tmp_path, monkeypatch, trouble):
    state = {"a": jnp.arange(3.0)}
    with Checkpoints(tmp_path) as checkpoints:
        for step in (1, 2):
            checkpoints.save(step, state, wait=True)

        def fail(*_, **__):
            raise trouble

        with monkeypatch.context() as patch:
            patch.setattr(ocp.CheckpointManager, "restore", fail)
            with pytest.raises(type(trouble)):
                checkpoints.restore(None, like=state)
        np.testing.assert_array_equal(checkpoints.restore(None, like=state)["a"], state["a"])


def test_where_all_are_damaged_it_is_said(tmp_path):
    state = {"a": jnp.arange(3.0)}
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, state, wait=True)
    shutil.rmtree(tmp_path / "1" / "arrays")
    with Checkpoints(tmp_path) as checkpoints, pytest.raises(DamagedCheckpoint, match="step 1"):
        checkpoints.restore(None, like=state)
