import pytest

from gridjax.evaluation.evaluated_run import EvaluatedRun
from gridjax.evaluation.learning_curve import learning_curve
from gridjax.evaluation.run_comparison import compare_runs
from gridjax.evaluation.tables.bounds import bounds_table
from gridjax.evaluation.tables.learners import learners_table
from gridjax.evaluation.tables.markdown import percent
from gridjax.evaluation.tables.runs import runs_table
from tests.synthetic_runs import evaluation, records


@pytest.fixture(scope="module")
def report():
    runs = []
    for task in ("voltage", "campus"):
        for name, quality, rate in (("MAPPO", 0.9, 8.0), ("IPPO", 0.6, 2.0)):
            curve = learning_curve(records(quality, rate=rate))
            machine = {"platform": "gpu", "device": "H200", "device_count": 1}
            runs.append(EvaluatedRun(name, evaluation(task, quality), curve, machine))
    return compare_runs(runs)


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_row_for_every_learner_on_every_task(report):
    lines = learners_table(report).splitlines()
    heading, rows = cells(lines[0]), [dict(zip(cells(lines[0]), cells(line))) for line in lines[2:6]]
    assert len(heading) == 11
    assert [row["learner"] for row in rows] == ["MAPPO", "IPPO"] * 2
    assert rows[0]["task"] == "VoltageControl-v0, case33bw"
    mappo = report["tasks"]["VoltageControl-v0, case33bw"]["runs"]["MAPPO"]
    reached, share = mappo["reached"], mappo["share_of_way"]
    assert rows[0]["steps to 95 % of the best"] == f"{reached['steps']:,}"
    assert rows[0]["minutes to 95 % of the best"] == f"{reached['seconds'] / 60:.1f}"
    assert rows[1]["steps to 95 % of the best"] == "not reached"
    assert rows[0]["share of the way (%)"] == percent(share["value"], share["over_days"])
    assert rows[0]["chance to beat MAPPO (%)"] == "-"
    assert rows[1]["chance to beat MAPPO (%)"] == "0.0 (0.0 to 0.0)"
    assert rows[0]["seeds"] == "5"
    assert "12 held-out cases" in lines[-1]
    assert lines[-1].endswith("on 1 x H200.")


def test_what_is_not_known_is_left_open():
    bare = [EvaluatedRun(name, evaluation(optimum=False)) for name in ("a", "b")]
    lines = learners_table(compare_runs(bare)).splitlines()
    row = dict(zip(cells(lines[0]), cells(lines[3])))
    assert row["share of the way (%)"] == row["steps to 95 % of the best"] == "-"


def test_runs_have_a_table_for_every_task(report):
    text = runs_table(report)
    assert text.count("| run ") == 2
    assert "CR (%)" in text
    # a report of one task, as it stood alone
    assert runs_table(report["tasks"]["Resilience-v0, campus13"]) in text


def test_bounds_stand_beside_what_is_without_them():
    free, bounded = evaluation(quality=0.9), evaluation(quality=0.6)
    cost = {"cost": "voltage", "bound": 0.5, "mean": 0.4, "over_days": [0.3, 0.6], "holds": False}
    bounded["cost_bounds"] = [cost, cost | {"cost": "noise", "bound": 0.75, "holds": True}]
    report = compare_runs([EvaluatedRun("free", free), EvaluatedRun("bounded", bounded)])
    (task,) = report["tasks"].values()
    for run, level in (("free", 2.0), ("bounded", 0.4)):
        task["runs"][run]["summary"] |= {f"cost_{name}": {"mean": level} for name in ("voltage", "noise")}
    lines = bounds_table(report).splitlines()
    rows = [dict(zip(cells(lines[0]), cells(line))) for line in lines[2:4]]
    assert [row["mean cost"] for row in rows] == ["voltage beyond the band (p.u.)", "noise"]
    assert {row["learner"] for row in rows} == {"bounded"}
    assert rows[0]["without a bound"] == "2"
    assert rows[0]["bound"] == "0.5"
    assert rows[0]["with it (95 %)"] == "0.4 (0.3 to 0.6)"
    assert [row["holds"] for row in rows] == ["no", "yes"]
    less = -task["runs"]["bounded"]["difference"]["reward"]["value"]
    assert less > 0.0
    assert rows[0]["less than without (95 %)"].startswith(f"{less:.4f} (")
