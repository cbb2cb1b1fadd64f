import json

import pytest

from gridjax.scenarios import pack
from gridjax.scenarios.profiles import FOLDER, read_simbench


def _sheet(folder):
    return json.loads((folder / "simbench.json").read_text())


def test_packing_again_gives_the_shipped_content(tmp_path, capsys):
    pytest.importorskip("simbench")
    pack.main(["--out", str(tmp_path)])
    assert "PV profiles" in capsys.readouterr().out
    assert _sheet(tmp_path)["sha256"] == _sheet(FOLDER)["sha256"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["simbench.json", "simbench.npz"]
    assert read_simbench(tmp_path).load_names == pack.LOAD_NAMES


def test_without_simbench_the_message_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(pack.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"gridjax\[calibration\]"):
        pack.pack(tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_the_notice_nothing_is_packed(tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"NOTICE.md must accompany"):
        pack.pack(tmp_path / "out")


def test_a_table_that_is_not_the_year_is_refused(tmp_path):
    pytest.importorskip("pandas")
    table = tmp_path / "LoadProfile.csv"
    table.write_text("time;a\n01.01.2016 00:00;0.5\n")
    with pytest.raises(ValueError, match=r"LoadProfile.csv holds 1 rows .* expected 35136"):
        pack._read(table, ["a"])
