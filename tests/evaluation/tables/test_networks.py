import copy

from gridjax.evaluation.tables.networks import networks_table

ERRORS = {
    "voltage_error": 2.4e-11,
    "losses_relative": 1e-7,
    "power_relative": 2e-7,
    "loading_error": 3e-7,
    "slack_power_relative": 4e-7,
    "iterations_mean": 3.26,
    "iterations_max": 5,
    "failures": 1,
}
SOLVED = {
    "buses": 39,
    "pv_buses": 9,
    "method": "polar",
    "states": 256,
    "generation_follows_load": False,
    "depth": 1.0,
    "voltage_range": [0.9, 1.0512],
    "float64": ERRORS,
    "float32": ERRORS,
}


def test_solved_networks_are_rows_and_the_others_reasons():
    hard = copy.deepcopy(SOLVED) | {"generation_follows_load": True, "depth": 0.5, "states": 200}
    content = {
        "versions": {"pandapower": "3.5.6"},
        "networks": {"case39": SOLVED, "hard": hard, "odd": {"left_out": "1 svc (svc 0) in service"}},
    }
    text = networks_table(content)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert rows[2][:6] == ["case39", "39", "9", "polar", "3.3 (5)", "2e-11"]
    assert rows[2][-2:] == ["2", "0.900 to 1.051"]
    assert rows[3][0] == "hard †‡"
    assert len(rows[0]) == len(rows[2])
    assert "pandapower 3.5.6" in text
    assert "over 200 random states each" in text
    assert "Left out:" in text
    assert text.endswith("- odd: 1 svc (svc 0) in service")


def test_nothing_is_said_of_networks_left_out_where_there_are_none():
    text = networks_table({"versions": {"pandapower": "3"}, "networks": {"case39": SOLVED}})
    assert "Left out" not in text
