"""What answers and logs give away."""

import logging

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.live.security.handshake import TOKEN


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
