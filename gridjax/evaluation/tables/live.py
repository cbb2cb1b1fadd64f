"""What viewers of the live grid get, and how the page draws it, as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.tables.markdown import table


def live_table(report: Mapping[str, Any]) -> str:
    """A result of `benchmarks.live`."""
    rows = [["of a frame", "median", "99th percentile", "most"]]
    for name, title in (("interval_ms", "interval (ms)"), ("latency_ms", "latency (ms)")):
        found = report[name]
        rows.append([title, *(f"{found[what]:.1f}" for what in ("median", "p99", "max"))])
    memory = report["memory_mib"]
    return (
        f"{table(rows)}\n\n{report['env']}, {report['viewers']} viewers, {report['of_them_read_nothing']} of "
        f"which reads nothing, {report['seconds']:g} s. Missed: {report['frames_missed']} frames, which have "
        f"{report['frame_bytes']:,} bytes. The server held {memory['begin']:.0f} MiB at first and "
        f"{memory['end']:.0f} at the end. {_machine(report)}"
    )


def live_page_table(report: Mapping[str, Any]) -> str:
    """A result of `benchmarks.live_page`."""
    head = [
        "agents",
        "frames per second",
        "interval (ms), median",
        "99th percentile",
        "main thread (ms a frame)",
    ]
    rows = [head]
    for found in report["results"]:
        rows.append(
            [
                f"{found['agents']:,}",
                f"{found['frames_per_second']:.1f}",
                f"{found['median_interval_ms']:.1f}",
                f"{found['p99_interval_ms']:.1f}",
                f"{found['main_thread_cpu_ms_per_frame']:.1f}",
            ]
        )
    return f"{table(rows)}\n\n{report['results'][0]['browser']}, 1440 x 900. {_machine(report)}"


def _machine(report: Mapping[str, Any]) -> str:
    return (
        f"On {report['device']} with {report['cores']} cores; load average {report['load_before']:g} before."
    )
