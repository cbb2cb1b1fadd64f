import json
import shutil
from functools import partial

import numpy as np
import pytest

from experiments import compare, evaluate, tables, voltage_yardsticks
from experiments.run_directory import read_metrics
from gridjax.controllers import tune_droop

CONTROLLERS = ["no_control", "category_b", "steep", "tuned_droop", "mappo", "mappo_stochastic", "optimum"]


@pytest.fixture(scope="module")
def evaluated(trained, tmp_path_factory):
    run = tmp_path_factory.mktemp("evaluated") / "run"
    shutil.copytree(trained, run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voltage_yardsticks, "tune_droop", partial(tune_droop, n_state=64))
        assert evaluate.main([str(run), "--days", "2"]) == 0
    return run


@pytest.fixture(scope="module")
def found(evaluated):
    return json.loads((evaluated / "evaluation.json").read_text())


def test_every_controller_on_every_day(found):
    assert list(found["controllers"]) == CONTROLLERS
    assert len(found["days"]) == 2
    for name, measures in found["per_day"].items():
        shape = (2, 2) if name.startswith("mappo") else (1, 2)
        for scores in measures.values():
            assert np.shape(scores) == shape
            assert np.isfinite(scores).all()


def test_baselines_are_in_order(found):
    reward = {name: c["summary"]["reward"]["mean"] for name, c in found["controllers"].items()}
    assert reward["no_control"] < reward["category_b"] < reward["steep"] < reward["tuned_droop"]
    assert reward["tuned_droop"] < reward["optimum"]
    # hardly trained, but it cannot beat the optimum
    assert reward["mappo"] < reward["optimum"]
    holds = [check["holds"] for check in found["order"]]
    assert holds[:3] == [True] * 3


def test_sampled_actions_are_worse_and_claim_nothing(found):
    mean = {name: found["controllers"][name]["summary"]["reward"]["mean"] for name in found["controllers"]}
    assert mean["mappo_stochastic"] < mean["mappo"]
    assert found["controllers"]["mappo_stochastic"]["seeds"] == 2
    assert not any("stochastic" in check["claim"] for check in found["order"])


def test_quantities_agree(found):
    for controller in found["controllers"].values():
        summary = controller["summary"]
        assert summary["energy_loss_mwh"]["mean"] == pytest.approx(24 * summary["losses_mw"]["mean"])
        assert summary["controllable_tolerant"]["mean"] >= summary["controllable"]["mean"]
        assert summary["diverged"]["mean"] == 0
    assert found["controllers"]["no_control"]["share_of_way"]["value"] == 0
    assert found["controllers"]["optimum"]["share_of_way"]["value"] == 1
    assert found["controllers"]["no_control"]["summary"]["reactive_mvar"]["mean"] == 0


def test_what_it_was_made_with(found):
    assert {"method", "versions", "droop", "task", "checkpoint", "learner"} <= found.keys()
    assert len(found["droop"]["tuned_droop"]["points_pu"]) == 4


def test_a_trained_run_is_compared(evaluated, found, tmp_path):
    out = tmp_path / "compared.json"
    assert compare.main([f"one={evaluated}", f"two={evaluated}", "--out", str(out)]) == 0
    runs = json.loads(out.read_text())["tasks"]["VoltageControl-v0, case33bw"]["runs"]
    assert runs["one"]["normalised"]["improvement"]["value"] == pytest.approx(0.5)
    assert runs["one"]["way"]["start"] == found["start"] == "no_control"
    assert (
        runs["one"]["stochastic"]["share_of_way"] == found["controllers"]["mappo_stochastic"]["share_of_way"]
    )
    logged = [
        record["step"]
        for record in read_metrics(evaluated / "metrics.jsonl")
        if "validation/reward" in record
    ]
    assert runs["one"]["curve"]["steps"] == logged
    assert np.shape(runs["one"]["curve"]["rewards"]) == (2, len(logged))
    assert len(list((tmp_path / "compared_figures").iterdir())) == 4


def test_figures_are_written(evaluated):
    names = {path.name for path in (evaluated / "figures").iterdir()}
    assert names == {"training.png", "voltage.png", "reactive_power.png", "feeder.png"}


def test_an_evaluation_is_not_overwritten(evaluated, capsys):
    assert evaluate.main([str(evaluated)]) == 2
    assert "--force replaces it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"), [(["EMPTY"], "is no run"), (["RUN", "--days", "121"], "expected 1 to 120")]
)
def test_bad_input(trained, tmp_path, capsys, arguments, expected):
    arguments = [a.replace("EMPTY", str(tmp_path)).replace("RUN", str(trained)) for a in arguments]
    assert evaluate.main(arguments) == 2
    assert expected in capsys.readouterr().err


def test_tables_follow_their_source(evaluated, tmp_path, capsys):
    shutil.copy(evaluated / "evaluation.json", tmp_path / "case33bw.json")
    document = tmp_path / "README.md"
    document.write_text(
        "before\n<!-- table: evaluation source=case33bw.json -->\nyesterday\n<!-- end -->\nafter\n"
    )
    assert tables.main([str(document), "--check"]) == 1
    assert "stale" in capsys.readouterr().err
    assert tables.main([str(document)]) == 0
    text = document.read_text()
    assert text.startswith("before\n<!-- table: evaluation source=case33bw.json -->\n| controller")
    assert text.endswith("\n<!-- end -->\nafter\n")
    assert "| MAPPO " in text
    assert "| MAPPO, sampled " in text
    assert "yesterday" not in text
    assert tables.main([str(document), "--check"]) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<!-- table: nothing source=a.json -->\n<!-- end -->", "unknown table 'nothing'"),
        ("<!-- table: evaluation source=a.json -->\n<!-- end -->", "does not exist"),
        ("<!-- table: evaluation source=a.json -->\n", "is not of the form"),
    ],
)
def test_bad_regions_are_named(tmp_path, capsys, text, expected):
    document = tmp_path / "README.md"
    document.write_text(text)
    assert tables.main([str(document), "--check"]) == 2
    assert expected in capsys.readouterr().err
    assert document.read_text() == text
