from gridjax.evaluation.tables.powerflow import powerflow_rows, powerflow_table


def row(solver, precision="float64", rate=100.0, **rest):
    return {
        "network": "village",
        "solver": solver,
        "settings": "best",
        "precision": precision,
        "batch": 64,
        "cores": 2,
        "per_second_median": rate,
        "per_core_second_median": rate / 2,
        "error": 1e-9,
        "failed": 0,
        "iterations": None,
        **rest,
    }


def report():
    ours = {"iterations": 3.25, "compile_seconds": 1.5, "memory_bytes": 2_000_000, "arithmetic_share": 0.5}
    bar = {"ratio": 4.0, "solver": "lightsim2grid, tuned"}
    return {
        "device": "cpu",
        "devices": 2,
        "cores": 2,
        "rounds": 5,
        "tolerance": 1e-8,
        "versions": {"gridjax": "0.1", "numba": None},
        "networks": {"village": {"buses": 1_234, "solver": "Chord"}},
        "rows": [
            row("gridjax", rate=4_000.0, **ours),
            row("gridjax", rate=3_000.0, **ours),
            row("lightsim2grid"),
            row("lightsim2grid, tuned", rate=1_000.0),
        ],
        "bars": [
            {
                "network": "village",
                "precision": "float64",
                "wanted": 5,
                "met": False,
                "wall": bar,
                "core": bar,
            }
        ],
        "exponents": {"time": {"gridjax, float64": 1.1}, "memory": {}},
    }


def test_a_line_per_network_has_the_best_of_every_solver():
    text = powerflow_table(report())
    line = next(line for line in text.splitlines() if line.startswith("| village"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[:8] == ["village", "1,234", "Chord", "4,000", "-", "1,000", "-", "-"]
    assert "not met" in text
    assert "to the power of: gridjax, float64 1.10." in text


def test_every_row_is_there():
    text = powerflow_rows(report())
    assert len(text.splitlines()) == 2 + 4
    assert "50.0%" in text
