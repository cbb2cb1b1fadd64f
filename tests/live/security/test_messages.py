"""Messages and commands that are none, and files that are nobody's business."""

import socket

import pytest

from tests.live.running import WAIT, message

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
