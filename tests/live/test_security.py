"""Attacks on a running server: each asks for what it must not get."""

import asyncio
import json
import logging
import socket
import struct
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from gridjax.live import app, guard, viewers
from gridjax.live.engine import Engine
from gridjax.live.policies import Catalogue
from gridjax.live.settings import Settings
from tests.live.running import WAIT, message, publish, running, until

TOKEN = "a-long.and_secret~token"


@pytest.fixture(scope="module")
def open_server(world, params):
    """Without a token, as on the loopback."""
    with running(world, params) as server:
        yield server


@pytest.fixture(scope="module")
def locked(world, params):
    """With a token, and a page elsewhere that may connect."""
    with running(world, params, token=TOKEN, origins=("https://grid.example",)) as server:
        yield server


@pytest.fixture(autouse=True)
def fresh_limits(monkeypatch):
    """No test pays for what another has asked; tests of limits set their own."""
    monkeypatch.setattr("gridjax.live.limits.Bucket.take", lambda self: True)


# who may listen where


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "grid.example"])
def test_a_host_that_others_reach_needs_a_token(host):
    with pytest.raises(ValueError, match="expected a token"):
        Settings(host=host)
    assert Settings(host=host, token=TOKEN).host == host


@pytest.mark.parametrize(
    "token", ["", "short", "with a space in it, long", "ümlaut-and-long-enough", "a" * 129]
)
def test_a_weak_token_is_refused(token):
    with pytest.raises(ValueError, match="token has another form") as caught:
        Settings(token=token)
    assert not token or token not in str(caught.value)


def test_settings_do_not_show_the_token():
    assert TOKEN not in repr(Settings(token=TOKEN))


def test_only_the_loopback_is_listened_on():
    assert Settings().host == "127.0.0.1"


# names and origins


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "localhost@evil.example:1"]
)
def test_a_name_that_is_not_the_servers_is_refused(open_server, host):
    with httpx.Client() as client:
        answer = client.get(f"http://{open_server.address}/api/status", headers={"host": host})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("options", "known", "unknown"),
    [
        ({}, "localhost 127.0.0.1 ::1", "evil.example 192.0.2.7 0.0.0.0"),
        ({"hosts": ("grid.example",)}, "localhost grid.example", "evil.example sub.grid.example"),
        (
            {"host": "0.0.0.0", "token": TOKEN},
            "localhost 192.0.2.7 ::1",
            "evil.example 192.0.2.7.evil.example",
        ),
        ({"host": "192.0.2.7", "token": TOKEN}, "192.0.2.7", "localhost 192.0.2.8 evil.example"),
    ],
)
def test_what_a_server_may_be_called(options, known, unknown):
    settings = Settings(**options)
    assert [name for name in known.split() if not settings.is_called(name)] == []
    assert [name for name in unknown.split() if settings.is_called(name)] == []


def test_a_websocket_under_another_name_is_refused(open_server):
    assert _status(open_server, {"Host": "evil.example"}) == 400
    assert _status(open_server, {}) == 101


ORIGINS = [
    "https://evil.example",
    "null",
    "http://localhost",
    "http://127.0.0.1:1",
    "https://grid.example.evil",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_another_origin_is_refused_before_a_websocket_is_accepted(locked, origin):
    token = {"Sec-WebSocket-Protocol": f"gridjax, token.{TOKEN}"}
    assert _status(locked, {"Origin": origin} | token) == 403
    assert _status(locked, {"Origin": "https://grid.example"} | token) == 101
    assert _status(locked, {"Origin": f"http://{locked.address}"} | token) == 101


@pytest.mark.parametrize("origin", ORIGINS)
def test_another_origin_commands_nothing(open_server, origin):
    with open_server.client(origin=origin) as client:
        assert client.post("/api/simulation/start").status_code == 403
    with open_server.client(**{"sec-fetch-site": "cross-site"}) as client:
        assert client.post("/api/simulation/start").status_code == 403
    assert not open_server.engine.status["running"]


def test_no_page_elsewhere_reads_answers(open_server):
    with open_server.client(origin="https://evil.example") as client:
        answer = client.get("/api/status")
        asked = client.options("/api/status", headers={"access-control-request-method": "POST"})
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-origin" not in asked.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_form_cannot_command(open_server):
    """What a page elsewhere can send without asking: a simple request."""
    with open_server.client() as client:
        for kind in ("text/plain", "application/x-www-form-urlencoded"):
            answer = client.post(
                "/api/simulation/speed", content='{"speed": 1}', headers={"content-type": kind}
            )
            assert answer.status_code == 422


# tokens


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
    assert _status(locked, {"Sec-WebSocket-Protocol": "gridjax, token.wrong-but-long-enough"}) == 403
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
        assert _status(server, {"Sec-WebSocket-Protocol": "gridjax, token.guess"}) == 429
        assert status(TOKEN) == 200  # who has the token is not locked out


# sizes and rates


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
            assert _status(server, {}) == 403
        until(lambda: server.viewers == 0)
        with server.watch() as third:
            message(third, "hello")


# messages


BAD = [
    "",
    "no JSON",
    "[]",
    "null",
    '{"type": "resume"}',
    '{"type": "resume", "since": -1}',
    '{"type": "resume", "since": NaN}',
    '{"type": "resume", "since": 1e999}',
    '{"type": "resume", "since": 99999999999999999999}',
    '{"type": "resume", "since": "1; drop"}',
    '{"type": "resume", "since": 1, "more": true}',
    '{"type": "start"}',
    '{"type": "__proto__"}',
    "{" * 10_000,
    '{"type": "ping", "type": "pong"}',
    "\x00",
]


def test_bad_messages_are_answered_and_no_more(open_server):
    with open_server.watch() as socket_:
        message(socket_, "hello")
        for text in BAD:
            socket_.send(text)
            found = message(socket_, "error")
            assert found["code"] == "bad_message"
            assert len(found["message"]) <= 300
        socket_.send(b"\xff\xfe")
        assert message(socket_, "error")["code"] == "bad_message"
        socket_.send('{"type": "resume", "since": 2000000000}')
        assert message(socket_, "error")["code"] == "refused"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("speed", '{"speed": NaN}'),
        ("speed", '{"speed": Infinity}'),
        ("speed", '{"speed": -1}'),
        ("speed", '{"speed": 1e9}'),
        ("speed", '{"speed": 1, "more": 2}'),
        ("seed", '{"seed": 1.5}'),
        ("seed", '{"seed": 99999999999}'),
        ("policy", '{"policy": "x", "lane": "third"}'),
        ("weights", '{"weights": {"loss": NaN}}'),
        ("weights", '{"weights": {}}'),
        ("scenario", '{"scenario": {"$ne": null}}'),
        ("start", "{not JSON"),
    ],
)
def test_bad_commands_are_refused(open_server, path, body):
    before = open_server.engine.status
    with open_server.client() as client:
        answer = client.post(
            f"/api/simulation/{path}", content=body, headers={"content-type": "application/json"}
        )
    assert answer.status_code == 422
    assert open_server.engine.status == before


def test_a_policy_is_a_name_and_not_a_path(open_server):
    for name in ("../../etc/passwd", "/etc/passwd", "checkpoint ../x"):
        answer = open_server.post("policy", {"policy": name})
        assert answer.status_code == 400
        assert "expected one of" in answer.json()["detail"]


def test_files_outside_of_the_page_are_not_served(open_server):
    host, port = open_server.address.split(":")
    for path in (
        "/../schema.py",
        "/..%2fschema.py",
        "/%2e%2e/schema.py",
        "/../../../pyproject.toml",
        "//etc/passwd",
    ):
        with socket.create_connection((host, int(port)), timeout=WAIT) as peer:
            peer.sendall(f"GET {path} HTTP/1.0\r\nHost: {open_server.address}\r\n\r\n".encode())
            answer = b"".join(iter(lambda: peer.recv(65536), b""))
        assert answer.split()[1] == b"404"


# readers


def test_a_viewer_that_reads_nothing_does_not_hold_up_another(world, params, monkeypatch):
    """Its socket is never read: buffers fill, and then it is let go."""
    monkeypatch.setattr(viewers, "STUCK", 1.0)
    with running(world, params) as server:
        slow = _handshake(server, {})
        with server.watch() as fast:
            message(fast, "hello")
            until(lambda: server.viewers == 2)
            for number in range(1, 301):  # 30 MB, more than buffers hold
                publish(server.engine, 1, 100_000)
                assert message(fast, "frame")["sequence"] == number
            until(lambda: server.viewers == 1)
            publish(server.engine, 1)
            assert message(fast, "frame")["sequence"] == 301
        slow.close()


def test_a_viewer_far_behind_skips_to_the_newest(world, params):
    """Unless it asked for what it missed."""
    engine = Engine(world, params, Settings(), Catalogue(world.env, params))
    everyone = viewers.Viewers(engine)
    newest = 3 * viewers.BEHIND
    publish(engine, newest)

    class Sink:
        def __init__(self):
            self.got = []

        async def send_text(self, data):
            self.got.append(json.loads(data)["sequence"])

    async def serve(viewer, sink):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(everyone.serve(viewer, sink), 0.3)

    late, resuming = viewers.Viewer(), viewers.Viewer()
    assert everyone.resume(resuming, 10)
    for viewer, expected in ((late, [newest]), (resuming, list(range(11, newest + 1)))):
        sink = Sink()
        asyncio.run(serve(viewer, sink))
        assert sink.got == expected


def test_notes_for_a_viewer_are_bounded():
    viewer = viewers.Viewer()
    for k in range(1000):
        viewer.note({"k": k})
    assert len(viewer.notes) <= 100
    assert json.loads(viewer.notes[-1]) == {"k": 999}


def test_a_peer_that_does_not_answer_pings_is_let_go(world, params):
    assert Settings().heartbeat == 20.0
    with running(world, params, heartbeat=0.2) as server:
        peer = _handshake(server, {})
        until(lambda: server.viewers == 1)
        until(lambda: server.viewers == 0)
        peer.close()
        with server.watch() as alive:
            time.sleep(1.0)
            assert server.post("step").status_code == 200
            message(alive, "frame")


def test_rude_peers_leave_nothing_behind(open_server):
    host, port = open_server.address.split(":")
    for end in (b"", b"GET", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00", b"\r\n" * 100):
        with socket.create_connection((host, int(port))) as peer:
            peer.sendall(end)
            # a reset in place of a farewell
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for _ in range(5):
        peer = _handshake(open_server, {})
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    until(lambda: open_server.viewers == 0)
    with open_server.client() as client:
        assert client.get("/healthz").status_code == 200


# headers and logs


def test_every_answer_has_the_headers_that_protect_a_page(open_server):
    with open_server.client() as client:
        answers = [
            client.get("/"),
            client.get("/api/status"),
            client.get("/no/such/thing"),
            client.post("/api/simulation/speed", json={"speed": "fast"}),
            client.get("/healthz", headers={"host": "evil.example"}),
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 422, 400]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers
    assert answers[1].headers["cache-control"] == "no-store"


def test_the_page_asks_nothing_of_anybody_else(open_server):
    with open_server.client() as client:
        page = client.get("/").text
        for path in ("/docs", "/redoc"):
            assert client.get(path).status_code == 404
    assert "https://" not in page
    assert "<script>" not in page


def test_whatever_is_logged_does_not_show_the_token(locked, caplog):
    logger = logging.getLogger("uvicorn.error")
    logger.addHandler(caplog.handler)
    try:
        logger.warning("%s refused %s", "peer", f"/ws/grid?token={TOKEN}")
        with httpx.Client(base_url=f"http://{locked.address}") as client:
            client.get(f"/api/status?token={TOKEN}")
        with pytest.raises(InvalidStatus), locked.watch(f"?token={TOKEN}", origin="https://evil.example"):
            pass
    finally:
        logger.removeHandler(caplog.handler)
    assert "(token)" in caplog.text
    assert TOKEN not in caplog.text


def _status(server, headers):
    """The status with which a handshake is answered."""
    with _handshake(server, headers) as peer:
        return int(peer.recv(4096).split()[1])


def _handshake(server, headers):
    """The socket of a WebSocket handshake with headers as given, not yet answered."""
    host, port = server.address.split(":")
    given = {
        "Host": server.address,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    } | headers
    text = "GET /ws/grid HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in given.items()) + "\r\n"
    peer = socket.create_connection((host, int(port)), timeout=WAIT)
    peer.sendall(text.encode())
    return peer
