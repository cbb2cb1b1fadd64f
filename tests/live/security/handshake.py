"""A handshake as a program of one's own would send it."""

import socket

from tests.live.running import WAIT

TOKEN = "a-long.and_secret~token"


def status_of(server, headers):
    """The status with which a handshake is answered."""
    with handshake(server, headers) as peer:
        return int(peer.recv(4096).split()[1])


def handshake(server, headers):
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
