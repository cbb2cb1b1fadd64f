"""A replay is the page with the episode in it, and nothing from elsewhere."""

import json
import re

import jax
import jax.numpy as jnp
import pytest

import gridjax
from gridjax.evaluation import record, to_html
from gridjax.live.schema import Frame, Hello


@pytest.fixture(scope="module")
def rollout():
    env, params = gridjax.make("VoltageControl-v0", split="test")

    def rest(key, obs, state, params):
        return {"inverter": jnp.zeros((env.n_agent, 1))}

    def push(key, obs, state, params):
        return {"inverter": jnp.ones((env.n_agent, 1))}

    return record(env, params, rest, 170, jax.random.key(0), policy="</script><b>", comparison=push)


def test_a_recording_is_what_the_server_would_send(rollout):
    hello = Hello.model_validate(rollout.hello)
    assert hello.state.scenario == "case 170"
    frames = [Frame.model_validate(found) for found in rollout.frames]
    assert [frame.sequence for frame in frames] == list(range(1, 481))
    assert {frame.clock.day for frame in frames} == {170}
    assert frames[240].clock.hour == 12.0
    assert frames[0].timestamp.startswith("2016-06-19T00:00:00")
    for frame in frames[::60]:
        assert frame.comparison is not None
        assert frame.policy == "</script><b>"
        mine, other = ([card.generation_kw for card in lane.agents] for lane in (frame, frame.comparison))
        assert mine == other
        assert all(card.reactive_kvar == 0.0 for card in frame.agents)
    noon = frames[240]
    assert all(card.reactive_kvar > 0.0 for card in noon.comparison.agents)
    assert noon.comparison.metrics["voltage_max"] > noon.metrics["voltage_max"]


def test_the_page_holds_the_recording_and_asks_nobody(rollout, tmp_path):
    path = tmp_path / "day.html"
    html = to_html(rollout, path)
    assert path.read_text(encoding="utf-8") == html
    assert [found.name for found in tmp_path.iterdir()] == ["day.html"]
    (text,) = re.findall(r'<script type="application/json" id="gridjax-replay">(.*?)</script>', html, re.S)
    found = json.loads(text)
    assert found["hello"]["policies"] == ["</script><b>", "comparison"]
    assert found["frames"] == rollout.frames
    assert not re.findall(r'(?:src|href)="(?!data:)[^#"]', html)
