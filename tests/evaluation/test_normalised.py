import numpy as np
import pytest

from gridjax.evaluation.evaluated_run import EvaluatedRun
from gridjax.evaluation.normalised import aggregates, share_of, way_of
from gridjax.evaluation.statistics import iqm
from tests.synthetic_runs import evaluation


def test_the_way_leads_from_the_start_to_the_optimum():
    run = EvaluatedRun("a", evaluation())
    way = way_of(run, [run])
    assert (way.start, way.end) == ("no_control", "optimum")
    assert way.high - way.low == pytest.approx(1.0)
    shares = way.shares(run.scores()["reward"])
    assert shares.mean() == pytest.approx(run.evaluation["controllers"]["mappo"]["share_of_way"]["value"])
    assert way.shares(run.scores("no_control")["reward"]).mean() == pytest.approx(0.0)


def test_an_optimum_that_another_run_searched_for_serves_too():
    known, other = EvaluatedRun("a", evaluation()), EvaluatedRun("b", evaluation(quality=0.5, optimum=False))
    assert share_of(other, "mappo", [other]) is None
    found = share_of(other, "mappo", [other, known])
    assert found["value"] == pytest.approx(0.5, abs=0.02)
    assert found["over_days"][0] < found["value"] < found["over_days"][1]
    assert way_of(other, [known, other]) == way_of(known, [known, other])


def test_without_an_optimum_the_best_is_the_end():
    runs = [EvaluatedRun("a", evaluation(quality=q, optimum=False)) for q in (0.5, 0.9)]
    way = way_of(runs[0], runs)
    assert way.end == "best"
    assert way.high == pytest.approx(runs[1].scores()["reward"].mean())


def test_without_an_end_above_the_start_there_is_no_way():
    run = EvaluatedRun("a", evaluation(quality=-0.5, optimum=False))
    assert way_of(run, [run]) is None


def test_aggregates_compare_with_the_first():
    shares = {"a": np.full((2, 3), 0.4), "b": np.array([[0.5, 0.5, 1.5], [0.5, 0.5, 1.5]])}
    found = aggregates(shares)
    assert found["a"]["improvement"]["value"] == 0.5
    assert found["b"]["improvement"] == {"value": 1.0, "over_seeds": [1.0, 1.0], "over_days": [1.0, 1.0]}
    assert found["b"]["iqm"]["value"] == pytest.approx(iqm(shares["b"].ravel()))
    assert found["b"]["optimality_gap"]["value"] == pytest.approx(1.0 / 3)
    np.testing.assert_array_equal(found["a"]["profile"]["thresholds"], found["b"]["profile"]["thresholds"])
    assert aggregates({}) == {}
