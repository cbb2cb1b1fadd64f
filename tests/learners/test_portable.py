"""A policy read from its two files does what the one that was written does."""

import json
import os
from dataclasses import replace

import jax
import numpy as np
import pytest

import gridjax
from gridjax import archive
from gridjax.evaluation.trained import Trained
from gridjax.learners import MAPPO
from gridjax.learners.portable import load_policy, read_about, save_policy
from tests.envs.counter import Counter, Limits


@pytest.fixture(scope="module", params=[{"architecture": "feedforward"}, {"architecture": "gru"}], ids=str)
def policy(request):
    learner = MAPPO.create(
        Counter(), Limits(), num_envs=2, num_steps=4, num_minibatches=1, hidden=(8,), **request.param
    )
    return learner.policy(learner.init(jax.random.key(0)))


def test_what_is_read_is_what_was_written(policy, tmp_path):
    sheet = save_policy(policy, tmp_path / "mine", {"run": "a test", "update": 7})
    found, about = load_policy(sheet)
    assert about == read_about(sheet) == {"run": "a test", "update": 7}
    assert found.actor == policy.actor
    assert jax.tree.structure(found) == jax.tree.structure(policy)
    for old, new in zip(jax.tree.leaves(policy), jax.tree.leaves(found)):
        np.testing.assert_array_equal(old, new)
    assert {path.name for path in tmp_path.iterdir()} == {"mine.json", "mine.npz"}


def test_two_processes_may_write_one_policy(policy, tmp_path, monkeypatch):
    pack, mine = np.savez_compressed, os.getpid()

    def overtaken(file, **arrays):
        pack(file, **arrays)
        if os.getpid() == mine:
            monkeypatch.setattr(os, "getpid", lambda: mine + 1)
            save_policy(policy, tmp_path / "mine", {"run": "the other"})
            monkeypatch.setattr(os, "getpid", lambda: mine)

    monkeypatch.setattr(np, "savez_compressed", overtaken)
    sheet = save_policy(policy, tmp_path / "mine", {"run": "this"})
    assert load_policy(sheet)[1] == {"run": "this"}
    assert {path.name for path in tmp_path.iterdir()} == {"mine.json", "mine.npz"}


def test_a_policy_that_is_written_anew_meanwhile_is_read_as_it_is_then(policy, tmp_path, monkeypatch):
    sheet = save_policy(policy, tmp_path / "mine", {"update": 1})
    newer = replace(policy, params=jax.tree.map(lambda x: x + 1.0, policy.params))
    read = archive.read_arrays

    def late(*arguments):
        monkeypatch.setattr(archive, "read_arrays", read)
        save_policy(newer, sheet, {"update": 2})
        return read(*arguments)

    monkeypatch.setattr(archive, "read_arrays", late)
    found, about = load_policy(sheet)
    assert about == {"update": 2}
    for old, new in zip(jax.tree.leaves(newer), jax.tree.leaves(found)):
        np.testing.assert_array_equal(old, new)


def test_damage_is_noticed(policy, tmp_path):
    sheet = save_policy(policy, tmp_path / "mine", {})
    file = sheet.with_suffix(".npz")
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    with pytest.raises(ValueError, match="cannot be read"):
        load_policy(sheet)
    file.write_bytes(whole)
    with np.load(file) as stored:
        arrays = {name: stored[name] for name in stored.files}
    name = next(iter(arrays))
    np.savez(file, **arrays | {name: arrays[name] + 1})
    with pytest.raises(ValueError, match="does not match the checksum"):
        load_policy(sheet)
    file.unlink()
    with pytest.raises(FileNotFoundError, match=r"mine\.npz does not exist"):
        load_policy(sheet)


def test_what_is_no_policy_is_refused(policy, tmp_path):
    sheet = tmp_path / "other.json"
    with pytest.raises(FileNotFoundError):
        load_policy(sheet)
    for text, hint in (
        ("{", "is no JSON"),
        ("[]", "is no JSON object"),
        ('{"format": "x"}', "has format 'x'"),
    ):
        sheet.write_text(text)
        with pytest.raises(ValueError, match=hint):
            read_about(sheet)
    written = save_policy(policy, sheet, {})
    record = json.loads(written.read_text())
    del record["actor"]["hidden"]
    written.write_text(json.dumps(record))
    with pytest.raises(ValueError, match="lacks or misnames something: 'hidden'"):
        load_policy(written)


def test_arrays_that_are_pickles_are_refused(policy, tmp_path):
    class Evil:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was read",))

    sheet = save_policy(policy, tmp_path / "mine", {})
    np.savez(sheet.with_suffix(".npz"), params=np.array([Evil()], dtype=object))
    with pytest.raises(ValueError, match="cannot be read"):
        load_policy(sheet)


def test_a_policy_of_another_task_is_refused(policy):
    env, params = gridjax.make("VoltageControl-v0")
    about = {"env": "Counter-v0", "options": {}}
    with pytest.raises(ValueError, match="a policy for Counter-v0, expected one for VoltageControl-v0"):
        Trained(policy, about).act(env, params)
    with pytest.raises(ValueError, match="the policy knows"):
        Trained(policy, about | {"env": "VoltageControl-v0"}).act(env, params)
