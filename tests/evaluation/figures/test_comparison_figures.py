import pytest

from gridjax.evaluation.evaluated_run import EvaluatedRun
from gridjax.evaluation.figures.comparison import _way, draw_comparison, learning_curves
from gridjax.evaluation.figures.style import series
from gridjax.evaluation.learning_curve import learning_curve
from gridjax.evaluation.run_comparison import compare_runs
from tests.synthetic_runs import evaluation, records

FIGURES = ["learning_curves", "performance_profiles", "probability_of_improvement", "interquartile_means"]


def is_png(path):
    return path.read_bytes()[:4] == b"\x89PNG"


def test_all_figures(tmp_path):
    runs = [
        EvaluatedRun(name, evaluation(task, quality), learning_curve(records(quality)))
        for task in ("voltage", "campus")
        for name, quality in (("MAPPO", 0.9), ("IPPO", 0.6))
    ]
    drawn = draw_comparison(compare_runs(runs), tmp_path / "figures")
    assert [path.stem for path in drawn] == FIGURES
    assert all(is_png(path) for path in drawn)


def test_only_what_the_files_suffice_for_is_drawn(tmp_path):
    bare = [EvaluatedRun(name, evaluation()) for name in ("a", "b")]
    report = compare_runs(bare)
    assert learning_curves(report, tmp_path / "a.png") is None
    assert [path.stem for path in draw_comparison(report, tmp_path)] == FIGURES[1:]
    nowhere = [EvaluatedRun(name, evaluation(quality=-0.5, optimum=False)) for name in ("a", "b")]
    assert draw_comparison(compare_runs(nowhere), tmp_path) == []


@pytest.mark.parametrize(("optimum", "end"), [(True, "way"), (False, "best evaluated")])
def test_axes_say_where_the_way_ends(optimum, end):
    qualities = {"a": 0.5, "b": 0.6}.items()
    runs = [EvaluatedRun(name, evaluation(quality=q, optimum=optimum)) for name, q in qualities]
    report = compare_runs(runs)
    for title in (*report["tasks"], "all tasks"):
        assert _way(report, title).endswith(end)


def test_many_runs_look_different():
    looks = [tuple(series(k).values()) for k in range(14)]
    assert len(set(looks)) == len(looks)
    assert len({look[0] for look in looks[:7]}) == len({look[2] for look in looks[:7]}) == 7
