"""Frames per second of the live page in a headless Chromium: `python -m benchmarks.live_page`.

The page plays a made-up recording of a community, at ten steps a second as a server would send them: cards,
metrics, grid and arrows are drawn as in live use. No GPU is used, so that this is the slowest case. Prints a
table and writes `benchmarks/results/live_page-cpu.json`; `load_before` there says how idle the machine was.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import random
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.report import RESULTS, save
from gridjax.evaluation.tables.live import live_page_table

TEMPLATE = Path(__file__).parents[1] / "gridjax" / "live" / "static" / "replay.html"
SLOT = '<script type="application/json" id="gridjax-replay">null</script>'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, nargs="+", default=[15, 200])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--browser", default=shutil.which("chromium"), help="path of a Chromium")
    parser.add_argument("--out", type=Path, default=RESULTS / "live_page-cpu.json")
    options = parser.parse_args()
    report = {
        **machine.describe(("playwright",)),
        "load_before": round(os.getloadavg()[0], 2),
        "results": [measure(n, options.seconds, options.browser) for n in options.agents],
    }
    print(live_page_table(report))
    save(report, options.out)
    print(f"\nwritten to {options.out}")


def measure(agents: int, seconds: float, browser: str | None = None) -> dict[str, Any]:
    """Frames per second, and what one takes of the page's main thread, while the recording plays."""
    from playwright.sync_api import sync_playwright

    steps = round(10 * seconds) + 60
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "replay.html"
        path.write_text(page_of(recording(agents, steps)))
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.goto(path.as_uri())
        session = page.context.new_cdp_session(page)
        # processor time, which other programs on the machine disturb less than the clock
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.wait_for_timeout(2000)
        page.evaluate("gridjaxLive.meter.take()")
        before = _busy(session)
        page.wait_for_timeout(1000 * seconds)
        taken = page.evaluate("gridjaxLive.meter.take()")
        busy = _busy(session) - before
        version = chromium.version
        chromium.close()
    times, work = taken["times"], sorted(taken["work"])
    gaps = sorted(b - a for a, b in itertools.pairwise(times))
    return {
        "agents": agents,
        "browser": f"Chromium {version}, headless, software rendering",
        "frames_per_second": round(1000 * len(gaps) / (times[-1] - times[0]), 1),
        "median_interval_ms": round(statistics.median(gaps), 2),
        "p99_interval_ms": round(gaps[int(0.99 * len(gaps))], 2),
        "main_thread_cpu_ms_per_frame": round(1000 * busy / len(times), 2),
        "median_script_ms": round(statistics.median(work), 3),
        "p99_script_ms": round(work[int(0.99 * len(work))], 3),
    }


def _busy(session: Any) -> float:
    """Seconds for which the page's main thread has worked."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")


def page_of(recorded: dict[str, Any]) -> str:
    """The replay page with a recording in it."""
    template = TEMPLATE.read_text()
    data = json.dumps(recorded, separators=(",", ":")).replace("<", "\\u003c")
    return template.replace(SLOT, SLOT.replace("null", data))


def recording(agents: int, steps: int, seed: int = 0) -> dict[str, Any]:
    """A community at the leaves of a random tree, over days of `steps` quarter hours; nothing is solved.

    For an hour and a half of every day the grid outside is lost.
    """
    draw = random.Random(seed)
    n_bus = agents + agents // 3 + 2
    parent = [0, 0, *(draw.randrange(1 + bus // 3 if bus > 8 else 1, bus) for bus in range(2, n_bus))]
    buses = [
        {"id": f"b{i}", "name": f"bus {i}", "x": None, "y": None, "kv": 0.4 if i else 10.0}
        for i in range(n_bus)
    ]
    lines = [
        {
            "id": f"l{i}",
            "name": f"line {i}",
            "source": f"b{parent[i]}",
            "target": f"b{i}",
            "kind": "line" if i > 1 else "transformer",
        }
        for i in range(1, n_bus)
    ]
    homes = sorted(draw.sample(range(2, n_bus), agents))
    people = [
        {
            "id": f"a{i}",
            "name": f"prosumer {i + 1}",
            "group": "prosumer",
            "bus": f"b{bus}",
            "capacity_kwh": draw.uniform(6, 14),
            "generation_kw_peak": draw.uniform(4, 10),
            "line": None,
        }
        for i, bus in enumerate(homes)
    ]
    state = {
        "schema": "gridjax.live/1",
        "type": "status",
        "running": False,
        "paused": False,
        "speed": 10.0,
        "step": 0,
        "episode": 0,
        "seed": seed,
        "policy": "made up",
        "comparison": None,
        "scenario": "any day",
        "weights": {},
        "viewers": 1,
        "history_file": False,
        "error": None,
    }
    hello = {
        "schema": "gridjax.live/1",
        "type": "hello",
        "server": {"version": "0", "jax": "0", "device": "none"},
        "session": "recording",
        "env": "made up",
        "network": f"tree of {n_bus} buses",
        "hours_per_step": 0.25,
        "policies": ["made up"],
        "scenarios": ["any day"],
        "days": [0, 365],
        "state": state,
        "weights": {},
        "voltage_band": [0.95, 1.05],
        "hertz": 10.0,
        "grid": {"buses": buses, "lines": lines},
        "agents": people,
        "replayed": False,
    }
    charge = [draw.uniform(0.2, 0.8) for _ in people]
    lag = [draw.uniform(-2, 2) for _ in people]
    frames = [_frame(hello, parent, homes, charge, lag, step, draw) for step in range(steps)]
    return {"hello": hello, "frames": frames}


def _frame(
    hello: dict[str, Any],
    parent: list[int],
    homes: list[int],
    charge: list[float],
    lag: list[float],
    step: int,
    draw: random.Random,
) -> dict[str, Any]:
    hour = 0.25 * (step % 96)
    out = 14.0 <= hour < 15.5
    sun = max(0.0, math.sin((hour - 6) / 12 * math.pi))
    people = []
    through = [0.0] * len(parent)  # kW into each bus
    for i, agent in enumerate(hello["agents"]):
        made = sun * agent["generation_kw_peak"] * draw.uniform(0.85, 1.0)
        used = 0.6 + 2.2 * math.exp(-((hour - 19 - lag[i]) ** 2) / 6) + draw.uniform(0, 0.4)
        spare = made - used
        battery = max(-4.0, min(4.0, -0.8 * spare, 4 * agent["capacity_kwh"] * charge[i]))
        battery = max(battery, -4 * agent["capacity_kwh"] * (1 - charge[i]))
        charge[i] = min(1.0, max(0.0, charge[i] - 0.25 * battery / agent["capacity_kwh"]))
        rest = used - made - battery
        unserved = max(0.0, rest - 0.5) if out else 0.0
        status = "importing" if rest > 0.3 else "exporting" if rest < -0.3 else "ok"
        status = "charging" if battery < -0.5 else "discharging" if battery > 0.5 else status
        through[homes[i]] += rest - unserved
        people.append(
            {
                "id": agent["id"],
                "status": "shortage" if unserved > 0 else status,
                "charge": charge[i],
                "energy_kwh": charge[i] * agent["capacity_kwh"],
                "generation_kw": made,
                "demand_kw": used,
                "battery_kw": battery,
                "exchange_kw": rest - unserved,
                "transfer_kw": 0.0,
                "reactive_kvar": None,
                "unserved_kw": unserved,
                "voltage": 1.0,
                "reward": -0.1 * abs(rest),
                "cost_eur": 0.05 * rest,
            }
        )
    for bus in range(len(parent) - 1, 0, -1):
        through[parent[bus]] += through[bus] if parent[bus] != bus else 0.0
    most = 6.0 * max(3.0, len(homes) ** 0.7)
    voltage = [1.0] * len(parent)
    for bus in range(1, len(parent)):
        voltage[bus] = voltage[parent[bus]] - 0.02 * through[bus] / most
    for agent, bus in zip(people, homes):
        agent["voltage"] = voltage[bus]
    kw = through[1:]
    flows = [
        {"source": line["source"], "target": line["target"], "kind": "line", "kw": power}
        for line, power in zip(hello["grid"]["lines"], kw)
    ]
    givers = [a for a in people if a["exchange_kw"] < -0.5]
    takers = [a for a in people if a["exchange_kw"] > 0.5]
    flows += [
        {
            "source": a["id"],
            "target": b["id"],
            "kind": "transfer",
            "kw": min(-a["exchange_kw"], b["exchange_kw"]),
        }
        for a, b in zip(givers, takers)
    ]
    unserved = sum(a["unserved_kw"] for a in people)
    stability = max(0.0, (0.55 if out else 0.95) - 2 * max(abs(v - 1) for v in voltage))
    events = []
    if hour == 14.0:
        events.append(
            {"kind": "islanding", "severity": "alarm", "text": "the connection to the grid is lost"}
        )
    if hour == 15.5:
        events.append({"kind": "reconnection", "severity": "info", "text": "connected to the grid again"})
    return {
        "schema": "gridjax.live/1",
        "type": "frame",
        "sequence": step + 1,
        "timestamp": "2026-01-01T00:00:00.000+00:00",
        "step": step % 96 + 1,
        "episode": step // 96,
        "clock": {"day": 180 + step // 96, "hour": hour},
        "policy": "made up",
        "stability": stability,
        "agents": people,
        "energy_flows": flows,
        "buses": {"voltage": voltage, "energised": [True] * len(parent)},
        "lines": {
            "loading": [abs(p) / (most if i else 2 * most) for i, p in enumerate(kw)],
            "kw": kw,
            "service": [True] * len(kw),
        },
        "metrics": {
            "stability": stability,
            "mean_energy_kwh": statistics.mean(a["energy_kwh"] for a in people),
            "generation_kw": sum(a["generation_kw"] for a in people),
            "demand_kw": sum(a["demand_kw"] for a in people),
            "reward": statistics.mean(a["reward"] for a in people),
            "cost_eur": sum(a["cost_eur"] for a in people),
            "unserved_kwh": 0.25 * unserved,
            "losses_kw": 0.02 * sum(abs(p) for p in kw),
            "voltage_min": min(voltage),
            "voltage_max": max(voltage),
        },
        "grid": {"connected": not out, "islanded": out, "energised_share": 1.0},
        "events": events,
        "comparison": None,
    }


if __name__ == "__main__":
    main()
