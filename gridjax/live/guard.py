"""What every request passes before the application sees it: names, origins, tokens, sizes, rates, headers.

It stands around the application as ASGI middleware, and refuses a WebSocket before it is accepted.
"""

from __future__ import annotations

import hmac
import json
import logging
from typing import Any
from urllib.parse import urlsplit

from gridjax.live.limits import Buckets
from gridjax.live.settings import Settings

Scope = Any
LARGEST_BODY = 16 << 10  # bytes of a REST request
LARGEST_MESSAGE = 64 << 10  # bytes of a viewer's message
SUBPROTOCOL = "gridjax"
_CARRIES = "token."
_READS, _COMMANDS = (1200, 300), (300, 60)  # per minute, and at once
_JOINS, _FAILURES = (120, 40), (20, 10)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Tokens:
    """Who may come in."""

    def __init__(self, token: str | None) -> None:
        self.needed = token is not None
        self._token = (token or "").encode()
        self._failures = Buckets(*_FAILURES)

    def right(self, given: str | None) -> bool:
        """Whether `given` is the token, in a time that does not depend on how much of it is right."""
        return not self.needed or hmac.compare_digest((given or "").encode(), self._token)

    def may_fail(self, client: str) -> bool:
        """Count a wrong token; False once there were too many."""
        return self._failures.of(client).take()


class Guard:
    """ASGI middleware. `scope["state"]["authorised"]` tells a WebSocket whether it still owes a token."""

    def __init__(self, app: Any, settings: Settings, tokens: Tokens) -> None:
        self._app, self._settings, self._tokens = app, settings, tokens
        self._reads, self._commands = Buckets(*_READS), Buckets(*_COMMANDS)
        self._joins = Buckets(*_JOINS)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, self._with_headers(scope, send))
        else:
            await self._socket(scope, receive, send)

    async def _http(self, scope: Scope, receive: Any, send: Any) -> None:
        headers, client = _headers(scope), client_of(scope)
        reading = scope["method"] in ("GET", "HEAD", "OPTIONS")
        if not self._host_is_known(headers):
            return await _refuse(send, 400, "unknown host")
        if not reading and not self._origin_is_allowed(scope, headers):
            return await _refuse(send, 403, "requests from this origin are not allowed")
        bucket = (self._reads if reading else self._commands).of(client)
        if not bucket.take():
            return await _refuse(send, 429, "too many requests", {"retry-after": f"{bucket.wait + 1:.0f}"})
        if scope["path"].startswith("/api/") and not self._tokens.right(_bearer(headers)):
            if not self._tokens.may_fail(client):
                return await _refuse(send, 429, "too many wrong tokens", {"retry-after": "60"})
            return await _refuse(send, 401, "a token is needed", {"www-authenticate": "Bearer"})
        body = await _body(receive, headers)
        if body is None:
            return await _refuse(send, 413, f"the body is larger than {LARGEST_BODY} bytes")
        await self._app(scope, _replay(body, receive), send)

    async def _socket(self, scope: Scope, receive: Any, send: Any) -> None:
        headers, client = _headers(scope), client_of(scope)
        scope.setdefault("state", {})
        given = [name[len(_CARRIES) :] for name in scope["subprotocols"] if name.startswith(_CARRIES)]
        status = None
        if not self._host_is_known(headers):
            status = 400
        elif not self._origin_is_allowed(scope, headers):
            status = 403
        elif not self._joins.of(client).take():
            status = 429
        elif given and not self._tokens.right(given[0]):
            status = 403 if self._tokens.may_fail(client) else 429
        if status is not None:
            await receive()
            start = {"type": "websocket.http.response.start", "status": status, "headers": []}
            await send(start)
            await send({"type": "websocket.http.response.body", "body": b""})
            return
        scope["state"]["authorised"] = bool(given) or not self._tokens.needed
        # the token goes no further than this
        scope["subprotocols"] = [name for name in scope["subprotocols"] if not name.startswith(_CARRIES)]
        await self._app(scope, receive, send)

    def _host_is_known(self, headers: dict[str, str]) -> bool:
        """Pages elsewhere that have their own name resolve to this machine (DNS rebinding) are told apart."""
        try:
            name = urlsplit(f"//{headers.get('host', '')}").hostname
        except ValueError:
            return False
        return name is not None and self._settings.is_called(name.lower())

    def _origin_is_allowed(self, scope: Scope, headers: dict[str, str]) -> bool:
        """The server's own pages, and those of the list. Programs that are no browsers send no origin."""
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        scheme = "https" if scope["scheme"] in ("https", "wss") else "http"
        return origin == f"{scheme}://{headers.get('host')}" or origin in self._settings.origins

    def _with_headers(self, scope: Scope, send: Any) -> Any:
        given = dict(HEADERS)
        if self._settings.tls:
            given["strict-transport-security"] = "max-age=31536000"
        given["cache-control"] = "no-store" if scope["path"].startswith("/api/") else "no-cache"

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                old = [pair for pair in message.get("headers", []) if pair[0].decode().lower() not in given]
                new = [(name.encode(), value.encode()) for name, value in given.items()]
                message = {**message, "headers": [*old, *new]}
            await send(message)

        return sending


class Redacting(logging.Filter):
    """Takes the token out of whatever is logged."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if self._token in text:
            record.msg, record.args = text.replace(self._token, "(token)"), ()
        return True


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def client_of(scope: Scope) -> str:
    """Address of who asks, without its port."""
    return scope["client"][0] if scope.get("client") else "unknown"


def _bearer(headers: dict[str, str]) -> str | None:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


async def _body(receive: Any, headers: dict[str, str]) -> bytes | None:
    """The whole body; None where it is too large, as it says or as it is."""
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > LARGEST_BODY:
        return None
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            break
    return b"".join(parts)


def _replay(body: bytes, receive: Any) -> Any:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Any:
        return waiting.pop() if waiting else await receive()

    return again


async def _refuse(send: Any, status: int, detail: str, more: dict[str, str] | None = None) -> None:
    body = json.dumps({"detail": detail}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **(more or {})}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
