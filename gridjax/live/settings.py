"""Where and for whom the server listens, checked before it does."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path

_TOKEN = re.compile(r"[A-Za-z0-9_~.-]{16,128}")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.IGNORECASE)


@dataclass(frozen=True)
class Settings:
    """Raises `ValueError` that names the option, its value and what was expected."""

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = field(default=None, repr=False)
    origins: tuple[str, ...] = ()  # of pages elsewhere that may connect, such as https://grid.example
    hosts: tuple[str, ...] = ()  # names that the server is reached by, beside its own
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    hertz: float = 10.0  # most frames per second
    heartbeat: float = 20.0  # s between pings, and for an answer to one
    most_viewers: int = 500
    kept_frames: int = 20_000
    kept_bytes: int = 128 << 20  # of frames in memory
    history: Path | None = None  # folder; None: in memory only
    history_bytes: int = 64 << 20  # of a session on disk

    def __post_init__(self) -> None:
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise ValueError("token has another form than expected: 16 to 128 letters, digits or any of _~.-")
        if not is_loopback(self.host) and self.token is None:
            raise ValueError(
                f"host is {self.host!r}, which others can reach: expected a token "
                "(--token-file FILE, or the environment variable GRIDJAX_LIVE_TOKEN)"
            )
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port is {self.port!r}, expected 0 to 65535")
        for origin in self.origins:
            if not re.fullmatch(r"https?://[^/\s*]+", origin):
                raise ValueError(f"origin is {origin!r}, expected one such as https://grid.example, no path")
        for name in self.hosts:
            if not _NAME.fullmatch(name):
                raise ValueError(f"allowed host is {name!r}, expected a name such as grid.example, no port")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key: got one of them, expected both or neither")
        for name in ("tls_certificate", "tls_key"):
            path = getattr(self, name)
            if path is not None and not path.is_file():
                raise ValueError(f"{name} is {str(path)!r}, expected a file")
        for name, least, most in (
            ("hertz", 0.1, 60.0),
            ("heartbeat", 0.05, 600.0),
            ("most_viewers", 1, 10_000),
            ("kept_frames", 1, 1_000_000),
            ("kept_bytes", 1 << 16, 8 << 30),
            ("history_bytes", 1 << 16, 64 << 30),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} is {getattr(self, name)!r}, expected {least:g} to {most:g}")

    @property
    def tls(self) -> bool:
        """Whether it is served over TLS."""
        return self.tls_key is not None

    def is_called(self, name: str) -> bool:
        """Whether a request may call the server `name`, so that no other name that leads here will do."""
        if name in self.hosts or name == self.host:
            return True
        if self.host in _ANY:
            # an address is no name that somebody else could have lead here
            return name == "localhost" or _is_address(name)
        return is_loopback(self.host) and name in _LOOPBACK


_ANY = {"0.0.0.0", "::"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
