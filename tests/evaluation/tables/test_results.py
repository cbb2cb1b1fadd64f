"""The table that has every task in a row: the rule right below the learner, and what lies between them."""

import copy

import pytest

from gridjax.evaluation.tables.markdown import interval, percent
from gridjax.evaluation.tables.results import results_table
from tests.synthetic_runs import evaluation


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture
def found():
    one = evaluation("voltage", 0.9)
    one["controllers"]["tuned_droop"] = one["controllers"]["mappo_stochastic"] | {"seeds": 0}
    one["order"] = [
        {"claim": "no_control < tuned_droop", "difference": 3.0, "over_days": [2.0, 4.0], "holds": True},
        {"claim": "tuned_droop < mappo", "difference": -0.5, "over_days": [-1.0, 0.25], "holds": False},
    ]
    return one


def test_a_row_for_every_task(found):
    campus = copy.deepcopy(found) | {"task": evaluation("campus", 0.9)["task"]}
    lines = results_table({"one": found, "two": campus}).splitlines()
    row, other = (dict(zip(cells(lines[0]), cells(line))) for line in lines[2:4])
    learner, rule = (found["controllers"][name]["share_of_way"] for name in ("mappo", "tuned_droop"))
    assert row["task"] == "VoltageControl-v0, case33bw"
    assert other["task"].startswith("Resilience-v0")
    assert row["the way begins at"] == "no control"
    assert row["trained (% of the way)"] == f"MAPPO: {percent(learner['value'], learner['over_days'])}"
    assert row["tuned rule (% of the way)"] == percent(rule["value"], rule["over_days"])
    assert row["reward per step over the rule's"] == f"-0.5000 ({interval([-1.0, 0.25], 4)})"
    assert row["held-out cases"] == str(len(found["days"]))


def test_a_learner_beside_nothing_is_refused(found):
    found["order"] = []
    with pytest.raises(KeyError, match="below mappo"):
        results_table({"one": found})
