"""Tables of `benchmarks.live` and `benchmarks.live_page`."""

from gridjax.evaluation.tables.live import live_page_table, live_table

MACHINE = {"device": "cpu", "cores": 2, "load_before": 0.25}


def test_what_viewers_get():
    report = {
        **MACHINE,
        "env": "SmartGrid-v0",
        "viewers": 20,
        "of_them_read_nothing": 1,
        "seconds": 60.0,
        "frame_bytes": 6481,
        "interval_ms": {"median": 99.94, "p99": 105.67, "max": 110.9},
        "latency_ms": {"median": 3.74, "p99": 6.51, "max": 13.11},
        "frames_missed": 0,
        "memory_mib": {"begin": 693.2, "end": 698.4},
    }
    lines = live_table(report).splitlines()
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == ["interval (ms)", "99.9", "105.7", "110.9"]
    assert [cell.strip() for cell in lines[3].split("|")[1:-1]] == ["latency (ms)", "3.7", "6.5", "13.1"]
    assert lines[-1].startswith("SmartGrid-v0, 20 viewers, 1 of which reads nothing, 60 s. Missed: 0 frames")
    assert lines[-1].endswith("On cpu with 2 cores; load average 0.25 before.")


def test_frames_that_the_page_draws():
    found = {
        "agents": 200,
        "browser": "Chromium 1, headless",
        "frames_per_second": 59.91,
        "median_interval_ms": 16.7,
        "p99_interval_ms": 16.8,
        "main_thread_cpu_ms_per_frame": 8.2,
    }
    lines = live_page_table({**MACHINE, "results": [found]}).splitlines()
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == ["200", "59.9", "16.7", "16.8", "8.2"]
    assert lines[-1].startswith("Chromium 1, headless, 1440 x 900.")
