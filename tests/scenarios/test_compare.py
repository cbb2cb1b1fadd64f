import json

import pytest

from gridjax.scenarios import compare


def test_table_and_figure_are_written(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    compare.main(["--out", str(tmp_path), "--villages", "1"])
    assert "pv_capacity_factor" in capsys.readouterr().out
    assert (tmp_path / "scenarios.png").read_bytes()[:4] == b"\x89PNG"
    record = json.loads((tmp_path / "scenarios.json").read_text())
    assert set(record["moments"]["load_mean"]) == {"real", "synthetic", "synthetic_std"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scenarios.json", "scenarios.png"]


def test_a_number_of_villages_below_one_is_refused(capsys):
    with pytest.raises(SystemExit):
        compare.main(["--villages", "0"])
    assert "--villages must be at least 1, not 0" in capsys.readouterr().err
