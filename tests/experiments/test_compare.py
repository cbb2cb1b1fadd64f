"""The command line, on runs of which everything is known; a trained run is compared in `test_evaluate`."""

import json
import shutil

import pytest

from experiments import compare, tables
from tests.synthetic_runs import evaluation, records, write


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two learners on two tasks: `NAME=FOLDER` each."""
    folder = tmp_path_factory.mktemp("runs")
    found = []
    for task in ("voltage", "campus"):
        for name, quality in (("MAPPO", 0.9), ("IPPO", 0.6)):
            path = write(folder / f"{task}-{name}", evaluation(task, quality), records(quality))
            found.append(f"{name}={path}")
    return found


@pytest.fixture(scope="module")
def compared(runs, tmp_path_factory):
    out = tmp_path_factory.mktemp("compared")
    files = ["--out", str(out / "learners.json"), "--marl-eval", str(out / "marl_eval.json")]
    assert compare.main([*runs, *files]) == 0
    return out


def test_files(compared):
    assert {path.name for path in (compared / "learners_figures").iterdir()} == {
        "learning_curves.png",
        "performance_profiles.png",
        "probability_of_improvement.png",
        "interquartile_means.png",
    }
    report = json.loads((compared / "learners.json").read_text())
    assert list(report["tasks"]) == ["VoltageControl-v0, case33bw", "Resilience-v0, campus13"]
    assert list(report["all_tasks"]) == ["MAPPO", "IPPO"]
    assert report["command"].endswith("MAPPO=RUN IPPO=RUN MAPPO=RUN IPPO=RUN")
    exported = json.loads((compared / "marl_eval.json").read_text())
    assert list(exported) == ["VoltageControl-v0", "Resilience-v0"]


def test_tables_of_learners_and_runs(compared, tmp_path):
    shutil.copy(compared / "learners.json", tmp_path)
    document = tmp_path / "README.md"
    document.write_text(
        "".join(
            f"<!-- table: {name} source=learners.json -->\n<!-- end -->\n" for name in ("learners", "runs")
        )
    )
    assert tables.main([str(document)]) == 0
    text = document.read_text()
    assert "| steps to 95 % of the best |" in text
    assert "case33bw, 12 held-out days" in text
    assert tables.main([str(document), "--check"]) == 0


def test_figures_are_drawn_unless_refused(runs, tmp_path):
    assert compare.main([*runs[:2], "--out", str(tmp_path / "x.json"), "--no-figures"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_other_tasks_of_an_earlier_result_are_kept(runs, compared, tmp_path):
    """As where one task was trained anew: its learners in another order, the other task as before."""
    earlier, out = compared / "learners.json", tmp_path / "learners.json"
    assert compare.main([runs[3], runs[2], "--keep", str(earlier), "--out", str(out)]) == 0
    before, after = (json.loads(path.read_text())["tasks"] for path in (earlier, out))
    voltage, campus = before
    assert list(after) == [voltage, campus]
    assert after[voltage] == before[voltage]
    assert list(after[campus]["runs"]) == ["IPPO", "MAPPO"]
    assert json.loads(out.read_text())["all_tasks"] == {}
    assert (tmp_path / "learners_figures" / "learning_curves.png").is_file()


BROKEN = [{"step": 5, "seconds": 1.0, "validation/reward": [None]}]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["BARE"], "is not of the form NAME=FOLDER"),
        (["x=BARE"], "got 1 runs, expected at least 2"),
        (["x=BARE", "x=BARE"], "VoltageControl-v0, case33bw: x stands for several runs"),
        (["x=BARE", "y=NOWHERE"], "does not exist: python -m experiments.evaluate"),
        (["x=BARE", "y=BROKEN"], "broken: validation/reward of step 5"),
        (["x=BARE", "y=BARE", "--keep", "LINES"], "is no result of experiments.compare"),
        (["x=BARE", "y=BARE", "--marl-eval", "FILE"], "x on VoltageControl-v0, case33bw has no validations"),
    ],
)
def test_bad_input(tmp_path, capsys, arguments, expected):
    places = {
        "BARE": write(tmp_path / "bare", evaluation()),
        "BROKEN": write(tmp_path / "broken", evaluation(), BROKEN),
        "NOWHERE": tmp_path / "nowhere",
        "FILE": tmp_path / "marl_eval.json",
        "LINES": tmp_path / "broken" / "metrics.jsonl",
    }
    for name, place in places.items():
        arguments = [argument.replace(name, str(place)) for argument in arguments]
    out = tmp_path / "out.json"
    assert compare.main([*arguments, "--out", str(out)]) == 2
    assert expected in capsys.readouterr().err
    assert not out.exists()
    assert not places["FILE"].exists()
