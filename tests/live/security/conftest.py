"""Attacks on a running server: each asks for what it must not get."""

import pytest

from tests.live.running import running
from tests.live.security.handshake import TOKEN


@pytest.fixture(scope="package")
def open_server(world, params):
    """Without a token, as on the loopback."""
    with running(world, params) as server:
        yield server


@pytest.fixture(scope="package")
def locked(world, params):
    """With a token, and a page elsewhere that may connect."""
    with running(world, params, token=TOKEN, origins=("https://grid.example",)) as server:
        yield server


@pytest.fixture(autouse=True)
def fresh_limits(monkeypatch):
    """No test pays for what another has asked; tests of limits set their own."""
    monkeypatch.setattr("gridjax.live.limits.Bucket.take", lambda self: True)
