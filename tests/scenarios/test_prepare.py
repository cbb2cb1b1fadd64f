import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from gridjax.scenarios.prepare import main
from gridjax.scenarios.scenario_pack import ScenarioPack


@pytest.fixture
def table(tmp_path):
    times = pd.date_range("2023-03-20", "2023-04-03", freq="h", tz="Europe/Berlin", inclusive="left")
    frame = pd.DataFrame({"when": times.strftime("%d.%m.%Y %H:%M"), "house": np.arange(len(times)) / 10})
    frame["market [ct/kWh]"] = 30
    frame.to_csv(tmp_path / "data.csv", index=False, sep=";", decimal=",")
    return tmp_path / "data.csv"


def arguments(table, *more):
    given = ["--time", "when", "--time-format", "%d.%m.%Y %H:%M", "--timezone", "Europe/Berlin"]
    given += ["--separator", ";", "--decimal", ",", "--load", "house", "--price", "market [ct/kWh]"]
    return [str(table), *given, "--out", str(table.parent / "pack"), *more]


def test_a_table_becomes_a_pack(table, capsys):
    assert main(arguments(table, "--unit", "load=MW", "--step-minutes", "30")) == 0
    pack = ScenarioPack.load_from(table.parent / "pack")
    assert (pack.step_hours, pack.utc_offset) == (0.5, 1.0)
    # summer time began on the 26th: its hour is not there twice, and the last day ends an hour early
    assert pack.n_days == 13
    np.testing.assert_allclose(pack.load[::2, 0], np.arange(13 * 24) * 100, rtol=1e-6)
    np.testing.assert_allclose(pack.price, 0.3, rtol=1e-6)
    assert any("repeated at 1800 s" in note for note in pack.notes)
    said = capsys.readouterr().out
    assert "13 days of 30 min from 2023-03-20" in said
    assert "market [ct/kWh]: mean 0.3" in said


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "column 'house' (load) has no unit"),
        (("--unit", "kW"), "--unit is 'kW', expected NAME=UNIT"),
        (("--unit", "load=kW", "--step-minutes", "7"), "step_hours"),
    ],
)
def test_bad_input_is_one_line(table, capsys, more, message):
    assert main(arguments(table, *more)) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert not (table.parent / "pack").exists()


def test_the_command_itself(table):
    command = [sys.executable, "-m", "gridjax.scenarios.prepare", *arguments(table, "--unit", "load=kW")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "data.csv: 3600 s steps repeated at 900 s" in done.stderr
