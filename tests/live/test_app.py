"""What a page does with the server: watch, command, come back, look things up."""

import json
import socket
import warnings

import jsonschema
import pytest

from gridjax.live import health
from gridjax.live.schema import Agents, Events, Hello, History, Policies, Status, json_schema
from tests.live.running import message, running, until


@pytest.fixture(scope="module")
def server(world, params):
    with running(world, params) as found:
        yield found


@pytest.fixture(autouse=True)
def stopped(server, monkeypatch):
    monkeypatch.setattr("gridjax.live.limits.Bucket.take", lambda self: True)
    yield
    server.post("stop")
    server.post("policy", {"policy": None, "lane": "comparison"})


def test_a_viewer_is_greeted_and_sees_frames_once_started(server):
    with server.watch() as viewer:
        hello = Hello.model_validate(message(viewer, "hello"))
        assert hello.env == "VoltageControl-v0"
        assert hello.session == server.engine.session
        assert not hello.state.running
        assert server.post("start", {"speed": 100}).json()["running"]
        assert message(viewer, "status", lambda found: found["running"])
        first = message(viewer, "frame")
        second = message(viewer, "frame")
        assert second["sequence"] == first["sequence"] + 1
        server.post("stop")
        assert message(viewer, "status", lambda found: not found["running"])
    ids = {bus.id for bus in hello.grid.buses}
    assert {line.source for line in hello.grid.lines} <= ids
    assert len(second["buses"]["voltage"]) == len(ids)
    assert [agent["id"] for agent in second["agents"]] == [agent.id for agent in hello.agents]


def test_messages_are_what_the_published_schema_says(server):
    published = json_schema()
    validator = jsonschema.Draft202012Validator(
        {"$defs": published["$defs"], **published["roots"]["ServerMessage"]}
    )
    server.post("policy", {"policy": "no control", "lane": "comparison"})
    with server.watch() as viewer:
        validator.validate(message(viewer, "hello"))
        server.post("step")
        validator.validate(message(viewer, "frame"))
        validator.validate(message(viewer, "status"))
        viewer.send("nonsense")
        validator.validate(message(viewer, "error"))


def test_who_comes_back_takes_up_where_it_left_off(server):
    for _ in range(3):
        server.post("step")
    newest = server.engine.kept.last
    session = server.engine.session
    with server.watch(f"?since={newest - 2}&session={session}") as viewer:
        assert message(viewer, "hello")["replayed"]
        assert [message(viewer, "frame")["sequence"] for _ in range(2)] == [newest - 1, newest]
    for query in (
        "",
        f"?since={newest - 2}&session=another",
        f"?since={newest + 9}&session={session}",
        "?since=x",
    ):
        with server.watch(query) as viewer:
            assert not message(viewer, "hello")["replayed"]
            assert message(viewer, "frame")["sequence"] == newest
    with server.watch() as viewer:
        message(viewer, "frame")
        viewer.send(json.dumps({"type": "resume", "since": newest - 2}))
        assert [message(viewer, "frame")["sequence"] for _ in range(2)] == [newest - 1, newest]


def test_everybody_is_told_of_every_change(server):
    with server.watch() as one, server.watch() as other:
        for command, body, field, value in (
            ("speed", {"speed": 7}, "speed", 7.0),
            ("seed", {"seed": 11}, "seed", 11),
            ("scenario", {"scenario": "winter day"}, "scenario", "winter day"),
            ("scenario", {"scenario": 200}, "scenario", "day 200"),
            ("policy", {"policy": "no control"}, "policy", "no control"),
            ("policy", {"policy": "droop, steep", "lane": "comparison"}, "comparison", "droop, steep"),
            ("weights", {"weights": {"loss": 0.5}}, "weights", {"reactive": 0.01, "loss": 0.5}),
        ):
            answer = server.post(command, body)
            assert answer.status_code == 200
            assert Status.model_validate(answer.json()).model_dump()[field] == value
            for viewer in (one, other):
                assert message(viewer, "status", lambda found: found[field] == value)  # noqa: B023
    until(lambda: server.viewers == 0)


def test_what_can_be_looked_up(server):
    with server.client() as client:
        for _ in range(3):
            server.post("step")
        agents = Agents.model_validate(client.get("/api/agents").json())
        assert agents.now is not None
        last = server.engine.kept.last
        found = History.model_validate(client.get(f"/api/history?from={last - 1}&to={last}").json())
        assert [frame.sequence for frame in found.frames] == [last - 1, last]
        assert [now.id for now in agents.now] == [agent.id for agent in agents.agents]
        assert agents.now == found.frames[-1].agents
        assert not client.get("/api/history?from=5&to=4").json()["frames"]
        server.post("seed", {"seed": 5})
        server.post("step")
        events = Events.model_validate(client.get("/api/events").json())
        assert "seed" in [event.kind for event in events.events]
        policies = Policies.model_validate(client.get("/api/policies").json())
        assert [entry.name for entry in policies.policies] == server.engine.catalogue.names()
        assert client.get("/api/training").json()["run"] is None
        assert client.get("/healthz").json()["status"] == "ok"
        assert client.get("/readyz").json()["status"] == "ok"


def test_the_health_check_of_a_container_tells(server):
    assert health.main([f"http://{server.address}"]) == 0
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert health.main([f"http://127.0.0.1:{nobody.getsockname()[1]}"]) == 1
    assert health.main(["nonsense"]) == 1


def test_what_does_not_exist_is_said(server):
    answer = server.post("policy", {"policy": "nobody"})
    assert answer.status_code == 400
    assert "expected one of" in answer.json()["detail"]
    answer = server.post("scenario", {"scenario": 9999})
    assert answer.status_code == 400
    answer = server.post("speed", {"speed": "fast"})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("body.speed: ")


def test_no_request_of_the_described_kind_makes_it_fail(server):
    """Requests drawn from the OpenAPI description, valid ones and others."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis.errors import Unsatisfiable
    from schemathesis import checks

    with server.client() as client:
        described = client.get("/openapi.json").json()
    operations = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tool, about itself
        loaded = schemathesis.openapi.from_dict(described)
        loaded.config.update(base_url=f"http://{server.address}")
        for found in loaded.get_all_operations():
            operation = found.ok()
            operations += 1
            for mode in schemathesis.GenerationMode:

                @given(case=operation.as_strategy(generation_mode=mode))
                @settings(
                    max_examples=6,
                    deadline=None,
                    database=None,
                    derandomize=True,
                    phases=[Phase.explicit, Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                def attack(case):
                    answer = case.call()
                    assert answer.status_code < 500
                    case.validate_response(answer, checks=[checks.not_a_server_error])

                try:
                    attack()
                except Unsatisfiable:  # nothing about it can be wrong
                    assert mode.is_negative
                    assert "requestBody" not in operation.definition.raw
                    assert "parameters" not in operation.definition.raw
    assert operations == 18
    assert server.engine.alive
