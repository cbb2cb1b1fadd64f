"""Ports that nobody listens on."""

import socket


def free_port() -> int:
    """One of this host, for a process that is started next."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
