"""uvicorn around the application, with its limits set."""

from __future__ import annotations

import logging
from pathlib import Path

import uvicorn

from gridjax.live.app import create_app
from gridjax.live.engine import Engine
from gridjax.live.guard import LARGEST_MESSAGE, Redacting
from gridjax.live.settings import Settings

_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "websockets")


def server(engine: Engine, settings: Settings, run: Path | None = None) -> uvicorn.Server:
    """A server that is not running yet: `server.run()`, which SIGTERM and SIGINT end cleanly."""
    _quiet_logs(settings)
    return uvicorn.Server(
        uvicorn.Config(
            create_app(engine, settings, run),
            host=settings.host,
            port=settings.port,
            ws="websockets-sansio",
            ws_max_size=LARGEST_MESSAGE,
            ws_per_message_deflate=False,
            ws_ping_interval=settings.heartbeat,
            ws_ping_timeout=settings.heartbeat,
            limit_concurrency=2 * settings.most_viewers + 100,
            h11_max_incomplete_event_size=16 << 10,
            timeout_keep_alive=10,
            timeout_graceful_shutdown=5,
            access_log=False,  # addresses may carry what is secret
            server_header=False,
            proxy_headers=False,
            log_config=None,
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
        )
    )


def _quiet_logs(settings: Settings) -> None:
    """Warnings only: at lower levels the addresses of WebSockets are logged, with their queries."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        if settings.token is not None:
            logger.addFilter(Redacting(settings.token))
