"""Who comes without the token, or with a wrong one."""

import json
import socket

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from gridjax.live import app, guard
from tests.live.running import WAIT, running
from tests.live.security.handshake import TOKEN, status_of


@pytest.mark.parametrize("given", [None, "Bearer wrong-but-long-enough", f"Basic {TOKEN}", "Bearer", TOKEN])
def test_rest_needs_the_token(locked, given):
    headers = {} if given is None else {"authorization": given}
    with httpx.Client(base_url=f"http://{locked.address}", headers=headers) as client:
        for path in ("status", "agents", "history", "events", "policies", "training", "no/such/thing"):
            assert client.get(f"/api/{path}").status_code == 401
        for command in ("start", "stop", "policy"):
            assert client.post(f"/api/simulation/{command}", json={}).status_code == 401
        assert client.get("/healthz").status_code == 200
        # a token in an address is not read
        assert client.get(f"/api/status?token={TOKEN}").status_code == 401
    assert not locked.engine.status["running"]
    with locked.client() as client:
        assert client.get("/api/status").status_code == 200


@pytest.mark.parametrize(
    "path", ["//api/status", "/%61pi/status", "/api/../api/status", "/API/status", "/api%2fstatus"]
)
def test_no_spelling_of_an_address_gets_around_the_token(locked, path):
    host, port = locked.address.split(":")
    with socket.create_connection((host, int(port)), timeout=WAIT) as peer:
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: {locked.address}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: peer.recv(65536), b""))
    assert answer.split()[1] in (b"401", b"404")
    assert b"policy" not in answer.partition(b"\r\n\r\n")[2]


def test_a_websocket_with_a_wrong_token_is_refused(locked):
    assert status_of(locked, {"Sec-WebSocket-Protocol": "gridjax, token.wrong-but-long-enough"}) == 403
    with locked.watch() as socket_:
        assert socket_.subprotocol == "gridjax"  # and not the token
        assert json.loads(socket_.recv(timeout=WAIT))["type"] == "hello"


@pytest.mark.parametrize(
    "first",
    [
        '{"type": "authenticate", "token": "wrong-but-long-enough"}',
        '{"type": "ping"}',
        "no JSON",
        b"\x00\x01",
    ],
)
def test_a_first_message_without_the_token_ends_the_connection(locked, first):
    with locked.watch(f"?token={TOKEN}", subprotocols=None) as socket_:
        socket_.send(first)
        assert json.loads(socket_.recv(timeout=WAIT))["code"] == "unauthorised"
        with pytest.raises(ConnectionClosed) as caught:
            socket_.recv(timeout=WAIT)
    assert caught.value.rcvd.code == 1008


def test_the_token_as_first_message_opens(locked):
    with locked.watch(subprotocols=None) as socket_:
        socket_.send(json.dumps({"type": "authenticate", "token": TOKEN}))
        assert json.loads(socket_.recv(timeout=WAIT))["type"] == "hello"


def test_who_says_nothing_is_let_go(locked, monkeypatch):
    assert app._TOKEN_WITHIN == 5.0
    monkeypatch.setattr(app, "_TOKEN_WITHIN", 0.1)
    with locked.watch(subprotocols=None) as socket_:
        assert json.loads(socket_.recv(timeout=WAIT))["code"] == "unauthorised"
        with pytest.raises(ConnectionClosed) as caught:
            socket_.recv(timeout=WAIT)
    assert caught.value.rcvd.code == 1008


def test_tokens_are_compared_in_constant_time(locked, monkeypatch):
    compared = []
    real = guard.hmac.compare_digest
    monkeypatch.setattr(guard.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or real(a, b))
    with httpx.Client(base_url=f"http://{locked.address}") as client:
        client.get("/api/status", headers={"authorization": "Bearer guess"})
    assert compared == [(b"guess", TOKEN.encode())]


def test_tokens_cannot_be_guessed_by_trying(world, params, monkeypatch):
    monkeypatch.undo()
    with running(world, params, token=TOKEN) as server, httpx.Client() as client:

        def status(token):
            headers = {"authorization": f"Bearer {token}"}
            return client.get(f"http://{server.address}/api/status", headers=headers).status_code

        found = [status(f"guess-{k}") for k in range(30)]
        assert found[0] == 401
        assert found[-1] == 429
        assert status_of(server, {"Sec-WebSocket-Protocol": "gridjax, token.guess"}) == 429
        assert status(TOKEN) == 200  # who has the token is not locked out
