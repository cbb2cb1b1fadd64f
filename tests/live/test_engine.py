"""The simulation goes on, whatever its policies, its grid and its disk do."""

import json
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

from gridjax.live.engine import Engine
from gridjax.live.policies import Catalogue, Entry
from gridjax.live.schema import Frame, Status
from gridjax.live.settings import Settings
from tests.live.running import until

N = 6  # inverters


@pytest.fixture
def begun(world, params):
    """Makes engines, and closes them."""
    engines = []

    def make(given=params, policies=(), policy=None, **options):
        catalogue = Catalogue(world.env, params)
        for name, act in dict(policies).items():
            catalogue.add(Entry(name, "rule", "of a test", lambda act=act: Partial(act)))
        engine = Engine(world, given, Settings(**options), catalogue, policy)
        engines.append(engine)
        engine.begin()
        assert engine.ready.wait(60)
        return engine

    yield make
    for engine in engines:
        engine.close()


def frames(engine):
    return [json.loads(text) for _, text in engine.kept.between(0, 10**9, 10**9)]


def do(engine, command):
    return engine.submit(command).result(60)


def kinds(engine):
    return [event["kind"] for event in engine.events]


def test_frames_and_status_are_what_the_schema_says(begun):
    engine = begun()
    do(engine, lambda: engine.policy("droop, steep", "comparison"))
    do(engine, lambda: engine.start(speed=100.0))
    until(lambda: engine.kept.last and engine.kept.last >= 5)
    do(engine, engine.stop)
    for number, found in enumerate(frames(engine), 1):
        frame = Frame.model_validate(found)
        assert frame.sequence == number
        assert frame.comparison is not None
        assert (frame.policy, frame.comparison.policy) == (engine.catalogue.first, "droop, steep")
    Status.model_validate(engine.status | {"viewers": 0})


def test_the_comparison_sees_the_same_scenario(begun):
    engine = begun()
    do(engine, lambda: engine.policy("no control"))
    do(engine, lambda: engine.policy("no control", "comparison"))
    for _ in range(3):
        do(engine, engine.step)
    for found in frames(engine):
        assert found["agents"] == found["comparison"]["agents"]
    do(engine, lambda: engine.policy("droop, steep", "comparison"))
    do(engine, engine.step)
    last = frames(engine)[-1]
    mine, other = (
        [agent["generation_kw"] for agent in lane["agents"]] for lane in (last, last["comparison"])
    )
    assert last["step"] == 1  # a comparison begins the episode again
    assert mine == other
    assert last["buses"]["voltage"] != last["comparison"]["buses"]["voltage"]
    do(engine, lambda: engine.policy(None, "comparison"))
    do(engine, engine.step)
    assert frames(engine)[-1]["comparison"] is None


def test_the_same_seed_gives_the_same_steps(begun):
    engine = begun()
    for seed in (3, 4, 3):
        do(engine, lambda seed=seed: engine.seed(seed))
        do(engine, engine.step)
        do(engine, engine.step)
    each = [{k: f[k] for k in ("agents", "buses", "metrics", "clock", "step")} for f in frames(engine)]
    assert each[0:2] == each[4:6]
    assert each[0:2] != each[2:4]


def test_stop_begins_again_and_pause_goes_on(begun):
    engine = begun()
    do(engine, lambda: engine.start(speed=100.0))
    until(lambda: engine.kept.last and engine.kept.last >= 3)
    do(engine, engine.pause)
    paused = frames(engine)[-1]["step"]
    number = engine.kept.last
    do(engine, engine.step)
    assert engine.kept.last == number + 1
    assert frames(engine)[-1]["step"] > paused
    do(engine, engine.stop)
    do(engine, engine.step)
    assert frames(engine)[-1]["step"] == 1


def test_a_policy_that_raises_is_replaced(begun):
    calls = []

    def raises_later(key, obs, state, params):
        def count(step):
            calls.append(int(step))
            if step >= 3:
                raise RuntimeError("the policy is out of ideas")
            return np.zeros((N, 1), np.float32)

        shape = jax.ShapeDtypeStruct((N, 1), jnp.float32)
        return {"inverter": jax.pure_callback(count, shape, state.step)}

    engine = begun(policies={"broken": raises_later})
    do(engine, lambda: engine.policy("broken"))
    do(engine, lambda: engine.start(speed=100.0))
    until(lambda: engine.kept.last and engine.status["policy"] != "broken")
    until(lambda n=engine.kept.last: engine.kept.last > n + 2)
    assert len(calls) >= 4  # it did act before
    assert engine.status["running"]
    assert engine.status["policy"] == engine.catalogue.fallback
    told = [event for found in frames(engine) for event in found["events"] if event["kind"] == "policy_error"]
    assert len(told) == 1
    assert "'broken' failed" in told[0]["text"]
    assert told[0]["severity"] == "alarm"


@pytest.mark.parametrize(
    "act",
    [
        lambda key, obs, state, params: {"inverter": jnp.full((N, 1), jnp.nan)},
        lambda key, obs, state, params: {"inverter": jnp.zeros((N + 1, 1))},
        lambda key, obs, state, params: obs["no such group"],
    ],
    ids=["not a number", "another shape", "raises while traced"],
)
def test_a_policy_that_is_wrong_from_the_start_is_replaced(begun, act):
    engine = begun(policies={"broken": act})
    do(engine, lambda: engine.policy("broken", "comparison"))
    do(engine, engine.step)
    assert engine.status["comparison"] == engine.catalogue.fallback
    assert engine.status["policy"] == engine.catalogue.first
    assert "policy_error" in kinds(engine)


def test_a_collapse_is_told_and_the_next_episode_begins(begun, params):
    heavy = replace(params, demand=np.asarray(params.demand) * 40.0)
    engine = begun(heavy)
    do(engine, engine.step)
    found = frames(engine)[-1]
    assert "collapse" in [event["kind"] for event in found["events"]]
    assert found["grid"]["energised_share"] == 0.0
    assert found["stability"] == 0.0
    assert not any(found["buses"]["energised"])
    assert not any(found["lines"]["kw"])
    do(engine, engine.step)
    assert frames(engine)[-1]["episode"] == 1
    assert engine.status["error"] is None


def test_a_collapsed_lane_stays_dark_beside_one_that_lives(begun, world, params, monkeypatch):
    engine = begun()
    do(engine, lambda: engine.policy("no control"))
    do(engine, lambda: engine.policy("droop, steep", "comparison"))
    real = world.advance
    count = iter(range(100))

    def fails_first(*arguments):
        done = real(*arguments)
        return done._replace(terminated=jnp.asarray(next(count) == 0))

    monkeypatch.setattr(world, "advance", fails_first)
    for _ in range(3):
        do(engine, engine.step)
    steps = frames(engine)
    assert [found["step"] for found in steps] == [1, 2, 3]
    assert steps[1]["agents"] == steps[2]["agents"]
    assert steps[1]["comparison"]["agents"] != steps[2]["comparison"]["agents"]


def test_a_step_that_raises_stops_the_simulation_and_no_more(begun, world, monkeypatch):
    engine = begun()

    def broken(*_):
        raise FloatingPointError("the solver is gone")

    with monkeypatch.context() as patch:
        patch.setattr(world, "advance", broken)
        do(engine, engine.start)
        until(lambda: engine.status["error"])
    assert not engine.status["running"]
    assert engine.status["error"] == "FloatingPointError: the solver is gone"
    assert "simulation_error" in kinds(engine)
    do(engine, lambda: engine.start(speed=100.0))
    until(lambda: engine.kept.last)
    assert engine.status["error"] is None


def test_commands_that_cannot_be_followed_change_nothing(begun):
    engine = begun()
    before = engine.status
    for command, hint in (
        (lambda: engine.policy("nobody"), "expected one of trained, no control, "),
        (lambda: engine.policy(None), "expected a name"),
        (lambda: engine.scenario("flood"), "expected one of any day, "),
        (lambda: engine.scenario(366), "expected 0 to 365"),
        (lambda: engine.weights({"fame": 1.0}), r"expected names of \['loss', 'reactive'\]"),
        (lambda: engine.speed(0.0), "expected steps per second"),
    ):
        with pytest.raises(ValueError, match=hint):
            do(engine, command)
    assert engine.status == before


def test_weights_change_the_reward_and_nothing_else(begun):
    engine = begun()
    do(engine, engine.step)
    do(engine, lambda: engine.weights({"loss": 100.0}))
    do(engine, engine.reset)
    do(engine, engine.step)
    light, heavy = frames(engine)
    losses = light["metrics"]["losses_kw"] / 1e3
    assert heavy["metrics"]["reward"] == pytest.approx(light["metrics"]["reward"] - 100.0 * losses, rel=1e-4)
    assert heavy["buses"] == light["buses"]
    assert [event["kind"] for event in heavy["events"]] == ["weights"]


def test_faster_than_viewers_are_told_no_event_is_lost(begun):
    engine = begun(hertz=0.5)
    do(engine, lambda: engine.weights({"loss": 1.0}))
    do(engine, lambda: engine.start(speed=100.0))
    until(lambda: engine.kept.last and engine.kept.last >= 2)
    do(engine, engine.stop)
    first, second = frames(engine)[:2]
    assert second["step"] > first["step"] + 3
    assert "weights" in [event["kind"] for event in first["events"]]


def test_a_close_in_mid_run_writes_the_history(begun, tmp_path):
    engine = begun(history=tmp_path)
    do(engine, lambda: engine.start(speed=100.0))
    until(lambda: engine.kept.last and engine.kept.last >= 5)
    engine.close()
    (path,) = tmp_path.glob("live-*.jsonl")
    written = [json.loads(line) for line in path.read_text().splitlines()]
    assert written == frames(engine)
    with pytest.raises(RuntimeError, match="closing"):
        engine.submit(engine.start).result(1)


def test_a_full_disk_is_told_and_the_run_goes_on(begun, tmp_path, monkeypatch):
    assert Path("/dev/full").exists()
    real = Path.open

    def full(path, *arguments, **options):
        return real(Path("/dev/full") if path.suffix == ".jsonl" else path, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)
    engine = begun(history=tmp_path)
    assert engine.status["history_file"]
    do(engine, lambda: engine.start(speed=100.0))
    until(lambda: engine.kept.last and engine.kept.last >= 5)
    do(engine, engine.stop)
    told = [event for found in frames(engine) for event in found["events"] if event["kind"] == "history"]
    assert len(told) == 1
    assert "No space left on device" in told[0]["text"]
    assert not engine.status["history_file"]
