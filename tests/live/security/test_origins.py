"""Who may listen, under which names, and which pages may connect."""

import httpx
import pytest

from gridjax.live.settings import Settings
from tests.live.security.handshake import TOKEN, status_of


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
    assert status_of(open_server, {"Host": "evil.example"}) == 400
    assert status_of(open_server, {}) == 101


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
    assert status_of(locked, {"Origin": origin} | token) == 403
    assert status_of(locked, {"Origin": "https://grid.example"} | token) == 101
    assert status_of(locked, {"Origin": f"http://{locked.address}"} | token) == 101


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
