"""Who sends too much, too often, or comes in too great numbers."""

import json

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from gridjax.live import guard
from tests.live.running import WAIT, message, running, until
from tests.live.security.handshake import status_of


def test_a_message_beyond_64_kib_ends_its_connection_alone(open_server):
    with open_server.watch() as other, open_server.watch() as socket_:
        message(socket_, "hello")
        socket_.send("x" * (guard.LARGEST_MESSAGE + 1))
        with pytest.raises(ConnectionClosed) as caught:
            list(socket_)
        assert caught.value.rcvd.code == 1009
        other.send('{"type": "nonsense"}')
        assert message(other, "error")["code"] == "bad_message"


def test_fragments_do_not_get_around_the_limit(open_server):
    with open_server.watch() as socket_:
        message(socket_, "hello")
        with pytest.raises(ConnectionClosed):  # noqa: PT012
            socket_.send(iter(["x" * 60_000] * 40))
            while True:
                socket_.recv(timeout=WAIT)


def test_compression_is_not_agreed_on(open_server):
    with connect(f"ws://{open_server.address}/ws/grid", compression="deflate") as socket_:
        assert "Sec-WebSocket-Extensions" not in socket_.response.headers


def test_a_large_body_is_refused(open_server):
    with open_server.client() as client:
        body = json.dumps({"scenario": "x" * guard.LARGEST_BODY})
        assert client.post("/api/simulation/scenario", content=body).status_code == 413
        chunks = (b"x" * 1000 for _ in range(100))  # of a length that is not said
        assert client.post("/api/simulation/scenario", content=chunks).status_code == 413


def test_large_headers_are_refused(open_server):
    with open_server.client() as client:
        try:
            answer = client.get("/api/status", headers={"x-long": "x" * 200_000})
        except httpx.HTTPError:
            return  # the connection was cut
    assert answer.status_code in (400, 431)


def test_a_flood_of_requests_is_slowed_down(world, params, monkeypatch):
    monkeypatch.undo()
    with running(world, params) as server, server.client() as client:
        assert client.post("/api/simulation/stop").status_code == 200
        # a slow machine takes longer to use up what comes back five times a second
        found = (client.post("/api/simulation/stop") for _ in range(1000))
        refused = next(answer for answer in found if answer.status_code == 429)
        assert int(refused.headers["retry-after"]) >= 1
        assert client.get("/api/status").status_code == 200  # reading is counted apart


def test_a_flood_of_messages_ends_its_connection_alone(open_server, monkeypatch):
    monkeypatch.undo()
    with open_server.watch() as other, open_server.watch() as socket_:
        with pytest.raises(ConnectionClosed) as caught:  # noqa: PT012
            for _ in range(200):
                socket_.send('{"type": "ping"}')
            while True:
                socket_.recv(timeout=WAIT)
        assert caught.value.rcvd.code == 1008
        other.send('{"type": "nonsense"}')
        assert message(other, "error")["code"] == "bad_message"


def test_more_viewers_than_the_most_are_refused(world, params):
    with running(world, params, most_viewers=2) as server:
        with server.watch() as first, server.watch() as second:
            message(first, "hello"), message(second, "hello")
            assert status_of(server, {}) == 403
        until(lambda: server.viewers == 0)
        with server.watch() as third:
            message(third, "hello")
