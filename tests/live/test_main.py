"""The command line, in a process of its own."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.live.running import message, until
from tests.ports import free_port

TOKEN = "of.this_process~alone"
ROOT = Path(__file__).parents[2]
CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".jax_cache"))


def environment(**more):
    kept = {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "JAX_COMPILATION_CACHE_DIR": CACHE}
    kept["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.3"
    return os.environ | kept | more


@contextmanager
def process(log, *arguments, scheme="http", verify=True, path="/readyz", **more):
    """A server on a free port; yields the process and its address once `path` answers well."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gridjax.live",
        "--env",
        "VoltageControl-v0",
        "--port",
        str(port),
        *arguments,
    ]
    with log.open("wb") as file:
        child = subprocess.Popen(command, env=environment(**more), stdout=file, stderr=file, cwd=log.parent)

    def ready():
        assert child.poll() is None, log.read_text()
        try:
            return httpx.get(f"{scheme}://127.0.0.1:{port}{path}", verify=verify).status_code == 200
        except httpx.HTTPError:
            return False

    try:
        until(ready, 120)
        yield child, f"127.0.0.1:{port}"
    finally:
        child.kill()
        child.wait()


def refused(*arguments, **more):
    command = [sys.executable, "-m", "gridjax.live", *arguments]
    done = subprocess.run(command, env=environment(**more), capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1  # a sentence, and no traceback
    return done.stderr


def test_bad_input_is_refused_in_a_sentence(tmp_path):
    assert "expected a token" in refused("--host", "0.0.0.0")
    assert "16 to 128 letters" in refused("--host", "0.0.0.0", GRIDJAX_LIVE_TOKEN="short")
    assert "has no policies" in refused("--run", str(tmp_path), "--port", "0")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "in use" in refused("--port", str(taken.getsockname()[1]))


@pytest.mark.slow
def test_a_signal_in_mid_run_ends_cleanly_with_history_and_without_secrets(tmp_path):
    log = tmp_path / "log"
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    arguments = ("--token-file", str(token), "--history", str(tmp_path / "history"), "--start")
    with process(log, *arguments) as (child, address):
        offered = ["gridjax", f"token.{TOKEN}"]
        with connect(f"ws://{address}/ws/grid", subprotocols=offered, compression=None) as viewer:
            hello = message(viewer, "hello")
            frame = message(viewer, "frame", lambda found: found["sequence"] >= 5)
            # what asks for being logged
            with pytest.raises(InvalidStatus):
                connect(f"ws://{address}/ws/grid?token={TOKEN}", origin="https://evil.example")
            httpx.get(f"http://{address}/api/status?token={TOKEN}")
            httpx.get(f"http://{address}/api/status", headers={"authorization": f"Bearer {TOKEN}x"})
            child.send_signal(signal.SIGTERM)
            assert child.wait(30) == 0
            with pytest.raises(ConnectionClosed) as caught:
                list(viewer)
        assert caught.value.rcvd.code == 1012
    (path,) = (tmp_path / "history").glob("*.jsonl")
    written = [json.loads(line) for line in path.read_text().splitlines()]
    assert hello["session"] in path.name
    assert frame in written
    assert [found["sequence"] for found in written] == list(range(1, len(written) + 1))
    assert TOKEN not in log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.mark.slow
def test_a_signal_while_it_compiles_ends_it_as_well(tmp_path):
    log, cache = tmp_path / "log", str(tmp_path / "cache")
    arguments = {"path": "/healthz", "JAX_COMPILATION_CACHE_DIR": cache}
    with process(log, "--no-history", **arguments) as (child, address):
        assert httpx.get(f"http://{address}/readyz").status_code == 503
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0
    assert "Traceback" not in log.read_text()


@pytest.mark.slow
def test_over_tls_nothing_is_said_in_the_clear(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    trust = ssl.create_default_context(cafile=str(certificate))
    arguments = ("--tls-certificate", str(certificate), "--tls-key", str(key), "--no-history")
    with process(tmp_path / "log", *arguments, scheme="https", verify=trust) as (child, address):
        answer = httpx.get(f"https://{address}/", verify=trust)
        assert answer.status_code == 200
        assert "max-age" in answer.headers["strict-transport-security"]
        with connect(f"wss://{address}/ws/grid", ssl=trust, origin=f"https://{address}") as viewer:
            message(viewer, "hello")
        with pytest.raises(InvalidStatus):
            connect(f"wss://{address}/ws/grid", ssl=trust, origin=f"http://{address}")
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://{address}/")
        child.send_signal(signal.SIGINT)
        assert child.wait(30) == 0
