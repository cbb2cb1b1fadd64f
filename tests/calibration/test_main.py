import json

import pytest

from gridjax.calibration.__main__ import main
from gridjax.network import load_network

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pandapower"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pandapower"),
]


def test_an_artefact_is_written_and_described(tmp_path, capsys):
    assert main(["case33bw", "--out", str(tmp_path), "--states", "3", "--seed", "5"]) == 0
    assert load_network(tmp_path / "case33bw.json").n_bus == 33
    record = json.loads((tmp_path / "case33bw.json").read_text())
    assert record["validation"]["states"] == 3
    assert record["command"] == "python -m gridjax.calibration case33bw --states 3 --seed 5"
    assert "Baran" in record["source"]
    assert str(tmp_path) not in json.dumps(record)
    printed = capsys.readouterr().out
    assert "case33bw: 3 random states against pandapower" in printed
    assert "complex voltage, p.u." in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["case34"], "unknown network 'case34'; known: case33bw, case141, cigre_mv, cigre_lv, case14"),
        ([], "no network given; known: case33bw"),
        (["--survey", "case34"], "unknown network 'case34'; known: GBnetwork, GBreducednetwork"),
        (["case33bw", "--states", "0"], "--states must be at least 1, is 0"),
    ],
)
def test_bad_arguments_end_with_code_2(arguments, message, capsys, tmp_path):
    assert main([*arguments, "--out", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
