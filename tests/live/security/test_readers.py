"""Viewers that read nothing, fall behind, or leave without a word."""

import asyncio
import json
import socket
import struct
import time

import pytest

from gridjax.live import viewers
from gridjax.live.engine import Engine
from gridjax.live.policies import Catalogue
from gridjax.live.settings import Settings
from tests.live.running import message, publish, running, until
from tests.live.security.handshake import handshake


def test_a_viewer_that_reads_nothing_does_not_hold_up_another(world, params, monkeypatch):
    """Its socket is never read: buffers fill, and then it is let go."""
    monkeypatch.setattr(viewers, "STUCK", 1.0)
    with running(world, params) as server:
        slow = handshake(server, {})
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
        peer = handshake(server, {})
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
        peer = handshake(open_server, {})
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    until(lambda: open_server.viewers == 0)
    with open_server.client() as client:
        assert client.get("/healthz").status_code == 200
