"""What viewers of the live server get while one of them reads nothing: `python -m benchmarks.live`.

A server in a process of its own steps SmartGrid-v0 under the policy that ships, ten steps a second. All
viewers but one read every frame; that one opens its WebSocket and never reads. Intervals are those between
the arrivals of frames at a viewer; latency is from the time stamped on a frame, before it is written as JSON,
to its arrival, by the same clock; memory is what the server process has resident. Prints a table and writes
`benchmarks/results/live-<platform>.json`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from benchmarks.report import RESULTS, save
from gridjax.evaluation.tables.live import live_table

_STAMP = re.compile(r'"sequence":(\d+),"timestamp":"([^"]+)"')
_SETTLING = 3.0  # s after which what viewers get counts


@dataclass
class Got:
    """Arrivals at one viewer."""

    intervals: list[float] = field(default_factory=list)  # s
    latencies: list[float] = field(default_factory=list)  # s
    missed: int = 0  # frames
    bytes: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--viewers", type=int, default=20, help="of which one reads nothing")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--env", default="SmartGrid-v0")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()

    from benchmarks import machine

    load = os.getloadavg()[0]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gridjax.live",
        "--env",
        options.env,
        "--port",
        str(port),
        "--no-history",
    ]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        found, memory = asyncio.run(watch(server.pid, port, options.viewers, options.seconds))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    report = {
        "env": options.env,
        **machine.describe(("fastapi", "uvicorn", "websockets")),
        "viewers": options.viewers,
        "of_them_read_nothing": 1,
        "seconds": options.seconds,
        "load_before": round(load, 2),
        "frame_bytes": round(sum(g.bytes for g in found) / sum(len(g.latencies) for g in found)),
        "interval_ms": _summary([1e3 * x for g in found for x in g.intervals]),
        "latency_ms": _summary([1e3 * x for g in found for x in g.latencies]),
        "frames_missed": sum(g.missed for g in found),
        "memory_mib": memory,
    }
    print(live_table(report))
    out = options.out or RESULTS / f"live-{report['platform']}.json"
    save(report, out)
    print(f"\nwritten to {out}")


async def watch(pid: int, port: int, viewers: int, seconds: float) -> tuple[list[Got], dict[str, float]]:
    """What each viewer that reads got, and the memory of the server."""
    await _ready(port)
    silent = _never_reads(port)
    until = time.monotonic() + _SETTLING + seconds
    readers = [asyncio.create_task(_read(port, until)) for _ in range(viewers - 1)]
    await asyncio.to_thread(_post, port, "start")
    await asyncio.sleep(_SETTLING)
    begin, most = _resident(pid), 0.0
    while time.monotonic() < until:
        most = max(most, _resident(pid))
        await asyncio.sleep(1.0)
    end = _resident(pid)
    found = list(await asyncio.gather(*readers))
    silent.close()
    return found, {"begin": begin, "end": end, "most": max(most, end)}


async def _read(port: int, until: float) -> Got:
    from websockets.asyncio.client import connect

    got, last, sequence = Got(), None, None
    counts = time.monotonic() + _SETTLING
    async with connect(f"ws://127.0.0.1:{port}/ws/grid", compression=None, max_size=None) as socket_:
        while (left := until - time.monotonic()) > 0.0:
            try:
                text = await asyncio.wait_for(socket_.recv(), left)
            except TimeoutError:
                break
            now, stamp = time.time(), time.monotonic()
            assert isinstance(text, str)
            if '"type":"frame"' not in text[:80]:
                continue
            sent = _STAMP.search(text[:200])
            assert sent is not None
            number = int(sent[1])
            if stamp >= counts and last is not None and sequence is not None:
                got.intervals.append(stamp - last)
                got.latencies.append(now - datetime.fromisoformat(sent[2]).timestamp())
                got.missed += number - sequence - 1
                got.bytes += len(text)
            last, sequence = stamp, number
    return got


def _never_reads(port: int) -> socket.socket:
    peer = socket.create_connection(("127.0.0.1", port))
    lines = (
        "GET /ws/grid HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    )
    peer.sendall("\r\n".join([*lines, "", ""]).encode())
    return peer


async def _ready(port: int) -> None:
    import httpx

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(600):
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.5)
    raise TimeoutError("the server did not become ready")


def _post(port: int, command: str) -> None:
    import httpx

    httpx.post(f"http://127.0.0.1:{port}/api/simulation/{command}", timeout=60).raise_for_status()


def _resident(pid: int) -> float:
    """MiB; Linux only."""
    text = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(match[1]) / 1024 if match else float("nan")


def _summary(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)

    def at(share: float) -> float:
        return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 3)

    return {"number": len(ordered), "median": at(0.5), "p99": at(0.99), "max": at(1.0)}


if __name__ == "__main__":
    main()
