"""The experiment on a pack of a user: what it writes, and what it says of a forecaster that can be good."""

import datetime
import json

import numpy as np
import pytest

from experiments.forecast import main
from gridjax.scenarios import ScenarioPack

N_DAYS, DAY = 90, 24


@pytest.fixture
def folder(tmp_path):
    """Days whose size is new every day, told by their first hours."""
    size = 1.0 + np.random.default_rng(0).random(N_DAYS)
    load = (size[:, None] * (2.0 + np.sin(2 * np.pi * np.arange(DAY) / DAY))).reshape(-1, 1)
    nothing = np.empty((N_DAYS * DAY, 0))
    pack = ScenarioPack(
        load=load,
        reactive=nothing,
        generation=nothing,
        price=nothing,
        filled=np.zeros(N_DAYS * DAY, bool),
        load_names=("house [kW]",),
        generation_names=(),
        price_names=(),
        start=datetime.datetime(2023, 3, 6),
        step_hours=1.0,
        source="house.csv",
    )
    pack.save(tmp_path, "mine")
    return tmp_path


def test_errors_by_horizon_beside_persistence(folder, capsys):
    out = folder / "deeper" / "result.json"
    options = [
        "--name",
        "mine",
        "--seeds",
        "2",
        "--updates",
        "300",
        "--hidden",
        "16",
        "--learning-rate",
        "0.01",
    ]
    assert main([str(folder), *options, "--out", str(out)]) == 0
    result = json.loads(out.read_text())
    methods = {row["name"]: row for row in result["methods"]}
    assert list(methods) == ["forecaster", "day before", "last value"]
    for row in methods.values():
        assert list(row["mae"]) == ["1", "4", "8", "24", "all"]
        for kind in ("mae", "rmse"):
            for found in row[kind].values():
                assert found["low"] <= found["value"] <= found["high"]
    # both say the same of what lies a day ahead
    assert methods["last value"]["mae"]["24"] == methods["day before"]["mae"]["24"]
    assert methods["forecaster"]["mae"]["all"]["value"] < methods["day before"]["mae"]["all"]["value"]
    assert result["mae_against"]["day before"]["high"] < 0
    expected = methods["forecaster"]["mae"]["all"]["value"] / methods["last value"]["mae"]["all"]["value"] - 1
    np.testing.assert_allclose(result["mae_against"]["last value"]["value"], expected)
    assert (result["source"], result["columns"], result["split"]) == ("house.csv", 1, "test")
    assert "house.csv: 1 columns" in capsys.readouterr().out


def test_bad_input_is_one_line(folder, capsys):
    assert main([str(folder), "--name", "none"]) == 2
    assert "none.json does not exist" in capsys.readouterr().err
    assert main([str(folder), "--name", "mine", "--seeds", "0"]) == 2
    assert "seeds is 0" in capsys.readouterr().err
