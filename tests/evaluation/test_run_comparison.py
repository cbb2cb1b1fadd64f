import numpy as np
import pytest

from gridjax.evaluation.evaluated_run import EvaluatedRun
from gridjax.evaluation.learning_curve import learning_curve
from gridjax.evaluation.run_comparison import compare_runs
from tests.synthetic_runs import evaluation, records


def run(name, task="voltage", quality=0.8, rate=3.0, seeds=5, from_start=True, **options):
    lines = records(quality, seeds, rate=rate, from_start=from_start)
    return EvaluatedRun(name, evaluation(task, quality, seeds, **options), learning_curve(lines))


@pytest.fixture(scope="module")
def report():
    return compare_runs(
        [
            run("slow", quality=0.8, rate=1.0),
            run("fast", quality=0.9, rate=8.0),
            run("slow", "campus", quality=0.7),
            run("fast", "campus", quality=0.95),
            run("rare", "campus", quality=0.5, seeds=3),
        ]
    )


def test_every_task_has_its_runs(report):
    assert {title: list(found["runs"]) for title, found in report["tasks"].items()} == {
        "VoltageControl-v0, case33bw": ["slow", "fast"],
        "Resilience-v0, campus13": ["slow", "fast", "rare"],
    }
    # what is not on every task, with as many seeds, is not among all tasks
    assert list(report["all_tasks"]) == ["slow", "fast"]


def test_there_is_no_aggregate_without_the_run_that_others_are_compared_with():
    found = [
        EvaluatedRun(name, evaluation(task, seeds=seeds))
        for task, first in (("voltage", 2), ("campus", 3))
        for name, seeds in (("a", first), ("b", 2), ("c", 2))
    ]
    assert compare_runs(found)["all_tasks"] == {}
    assert list(compare_runs([run for run in found if run.name != "a"])["all_tasks"]) == ["b", "c"]


def test_differences_are_from_the_first(report):
    runs = report["tasks"]["VoltageControl-v0, case33bw"]["runs"]
    assert runs["slow"]["difference"]["reward"]["value"] == 0.0
    gap = runs["fast"]["difference"]["reward"]
    assert gap["value"] == pytest.approx(0.1, abs=0.03)
    assert gap["over_days"][0] < gap["value"] < gap["over_days"][1]
    assert runs["slow"]["normalised"]["improvement"]["value"] == pytest.approx(0.5)
    assert runs["fast"]["normalised"]["improvement"]["over_seeds"][0] > 0.5
    assert runs["fast"]["normalised"]["iqm"]["value"] == pytest.approx(0.9, abs=0.03)


def test_sampled_policies_stand_beside(report):
    found = report["tasks"]["VoltageControl-v0, case33bw"]["runs"]["fast"]
    assert found["stochastic"]["share_of_way"]["value"] < found["share_of_way"]["value"]


def test_pace(report):
    runs = report["tasks"]["VoltageControl-v0, case33bw"]["runs"]
    fast, slow = runs["fast"], runs["slow"]
    assert fast["goal"] == slow["goal"]
    assert fast["goal"]["start"] == pytest.approx(-1.0)
    assert fast["goal"]["level"] == pytest.approx(-0.95 * 1.0 + 0.95 * (1 + fast["goal"]["best"]) - 0.05)
    means = np.array(fast["curve"]["mean"])
    first = int(np.argmax(means >= fast["goal"]["level"]))
    assert fast["reached"] == {"steps": 100_000 * first, "seconds": pytest.approx(60.0 * first)}
    assert 0 < first < 10
    assert slow["reached"] is None


def test_runs_that_log_no_untrained_validation_begin_with_the_first():
    found = compare_runs([run("a", from_start=False), run("b", rate=5.0, from_start=False)])
    runs = next(iter(found["tasks"].values()))["runs"]
    means = [runs[name]["curve"]["mean"][0] for name in ("a", "b")]
    assert runs["a"]["goal"]["start"] == pytest.approx(np.mean(means))
    assert runs["a"]["curve"]["steps"][0] == 100_000


def test_runs_without_a_log_still_compare():
    bare = [EvaluatedRun(name, evaluation(quality=q)) for name, q in (("a", 0.5), ("b", 0.6))]
    runs = next(iter(compare_runs(bare)["tasks"].values()))["runs"]
    assert runs["b"]["curve"] is runs["b"]["goal"] is runs["b"]["reached"] is None
    assert runs["b"]["normalised"]["improvement"]["value"] > 0.5


def test_other_rewards_have_goals_of_their_own():
    runs = [run("a"), run("b", quality=0.2, reactive_weight=1.0)]
    found = next(iter(compare_runs(runs)["tasks"].values()))["runs"]
    assert found["a"]["goal"]["best"] > found["b"]["goal"]["best"]


def other_days():
    other = run("b")
    return EvaluatedRun("b", dict(other.evaluation) | {"days": [1, 2]})


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([run("a")], "got 1 runs, expected at least 2"),
        ([run("a"), run("a")], "case33bw: a stands for several runs"),
        ([run("a"), other_days()], "the 2 days of b are not the 12 of a"),
        ([run("a"), run("b", peak_pv_mw=17.5)], "peak_pv_mw of b is 17.5, of a None; they live through"),
    ],
)
def test_bad_input(runs, expected):
    with pytest.raises(ValueError, match=expected):
        compare_runs(runs)
