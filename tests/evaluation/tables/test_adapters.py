"""The table of `benchmarks.adapters`: every adapter beside the native loop of its own batch."""

from gridjax.evaluation.tables.adapters import adapters_table


def row(name, batch, rate):
    return {"name": name, "batch": batch, "per_second_median": rate, "per_second_best": 2 * rate}


def test_adapters_are_compared_with_the_native_loop_of_their_batch():
    report = {
        "task": "VoltageControl-v0",
        "network": "case33bw",
        "precision": "float32",
        "device": "cpu",
        "cores": 2,
        "versions": {"gridjax": "0.1.0", "jaxmarl": None},
        "load_before": 0.1,
        "steps_per_call": 64,
        "rounds": 5,
        "rows": [
            row("native", 1, 1000.0),
            row("a", 1, 250.0),
            row("native", 64, 8000.0),
            row("a", 64, 2000.0),
        ],
    }
    lines = adapters_table(report).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:6]]
    assert cells[1] == ["a", "1", "250", "500", "25"]
    assert cells[3] == ["a", "64", "2,000", "4,000", "25"]
    assert "jaxmarl" not in lines[-1]
    assert "rates are too low" not in lines[-1]
    assert "load average 3" in adapters_table({**report, "load_before": 3.0})
