"""A task that a module of the user's registers, trained as the shipped ones are."""

import json
import sys
from textwrap import dedent

import jax
import pytest

from experiments import mappo
from gridjax.envs import registry
from gridjax.evaluation.rollout import recalling
from gridjax.evaluation.trained import Trained

MODULE = dedent(
    """
    from dataclasses import dataclass

    from gridjax.envs import register
    from tests.envs.counter import Counter, Limits


    @dataclass(frozen=True)
    class Short(Counter):
        name = "Short-v0"
        case_steps = 4

        def on_case(self, params, case):
            return params


    register("Short-v0", lambda: (Short(), Limits()))
    """
)
SETTINGS = "--num-envs 4 --num-steps 4 --total-steps 32 --hidden 8 --num-minibatches 1 --validation-days 1"


@pytest.mark.slow
def test_a_task_of_ones_own_is_trained_by_its_module(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(registry, "_FACTORIES", dict(registry._FACTORIES))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short_task.py").write_text(MODULE)
    assert mappo.main(["--env", "short_task:Short-v0", *SETTINGS.split()]) == 0
    told = capsys.readouterr()
    assert "short_task:Short-v0 on -: 1 seed(s), 32 steps each" in told.out
    assert "trained, and not evaluated: Short-v0 has nothing to be measured against" in told.err
    records = [json.loads(line) for line in (tmp_path / "runs/short/metrics.jsonl").read_text().splitlines()]
    assert records[-1]["step"] == 32
    assert "best in validation: update" in told.out
    assert (tmp_path / "runs/short/figures/training.png").is_file()
    trained = Trained.load(tmp_path / "runs/short/policies/best")
    env, params = trained.make()
    obs, state = env.reset(jax.random.key(0), params)
    act, memory = recalling(trained.act(env, params))
    actions, _ = act(jax.random.key(0), obs, state, params, memory)
    assert actions["b"].shape == (2, *env.action_space(params)["b"].shape)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--env", "no_such_module:Short-v0"], "error: No module named 'no_such_module'"),
        (["--env", "short_task:Short-v0", "--barrier", "l2"], "error: Short-v0 has no option 'barrier'"),
    ],
)
def test_what_a_task_of_ones_own_is_not(tmp_path, monkeypatch, capsys, arguments, expected):
    monkeypatch.setattr(registry, "_FACTORIES", dict(registry._FACTORIES))
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "short_task.py").write_text(MODULE)
    sys.modules.pop("short_task", None)
    assert mappo.main([*arguments, "--run-dir", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.startswith(expected)
