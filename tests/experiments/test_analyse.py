"""What is computed and drawn of a run: from a tiny one, and of heterogeneous agents from numbers made up."""

import json
import shutil

import jax
import numpy as np
import pytest

import gridjax
from experiments import analyse
from experiments.analysis import _per_agent, actions, correlations, worst_cases
from experiments.cases import Cases
from gridjax.evaluation.figures.learning import learning_series, plot_learning, plot_value_error
from gridjax.evaluation.figures.policy import plot_actions, plot_correlation
from gridjax.evaluation.figures.worst_cases import plot_ranking, plot_worst
from gridjax.evaluation.recording import Recording
from gridjax.evaluation.value_error import calibration

FIGURES = {"actions", "correlation_inverter", "value_error", "costs", "worst_cases", "learning"}


def is_png(path):
    return path.read_bytes()[:4] == b"\x89PNG"


@pytest.fixture(scope="module")
def run(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("analysed") / "run"
    shutil.copytree(trained, folder)
    assert analyse.main([str(folder), "--days", "3", "--seed", "1", "--worst", "2"]) == 0
    return folder


def test_a_run_is_analysed(run):
    found = json.loads((run / "analysis.json").read_text())
    assert {path.stem.removeprefix("analysis_") for path in (run / "figures").iterdir()} == FIGURES
    (entry,) = found["actions"]["inverter"]
    assert entry["label"].startswith("reactive power q")
    np.testing.assert_allclose(np.sum(entry["shares"], axis=1), np.ones(6), rtol=1e-5)
    assert found["seed"] == 1
    assert found["learning"]["steps"] == list(range(80, 961, 80))
    assert {"entropy", "approximate_kl", "clip_fraction", "explained_variance", "value_error"} <= set(
        found["learning"]["series"]
    )
    assert np.shape(found["learning"]["series"]["entropy"][""]) == (12, 2)
    values = found["value_error"]["streams"]["reward"]["inverter"]
    # gamma is 0.3: three steps before midnight hold more than a twentieth of the critic's own value
    assert values["samples"] == 3 * (480 - 2) * 6
    ranked = found["worst_cases"]["ranked"]
    assert sorted(case["row"] for case in ranked) == found["cases"]
    assert [case["voltage"] for case in ranked] == sorted((c["voltage"] for c in ranked), reverse=True)
    assert len(found["worst_cases"]["panels"][0]["series"]["highest bus"]) == 2


def test_figures_are_drawn_again_from_the_file_alone(run, tmp_path):
    shutil.copy(run / "config.yaml", tmp_path)
    shutil.copy(run / "analysis.json", tmp_path)
    assert analyse.main([str(tmp_path), "--redraw"]) == 0
    assert {path.stem.removeprefix("analysis_") for path in (tmp_path / "figures").iterdir()} == FIGURES


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--days", "0"], "--days is 0, expected 1 to 120"),
        (["--worst", "0"], "--worst is 0, expected at least 1"),
        (["--seed", "7"], "--seed is 7, expected one of 0, 1"),
        (["--redraw"], "analysis.json does not exist"),
        (["--rank-by", "noise"], "rank by 'noise': expected a cost, one of voltage"),
    ],
)
def test_bad_input(trained, capsys, arguments, expected):
    assert analyse.main([str(trained), *arguments]) == 2
    said = capsys.readouterr().err
    assert expected in said
    assert "playing" not in said


def test_what_is_no_analysis_is_not_drawn(tmp_path, capsys):
    for name in ("config.yaml", "analysis.json"):
        (tmp_path / name).write_text("{}")
    assert analyse.main([str(tmp_path), "--redraw"]) == 2
    assert "analysis.json holds no analysis" in capsys.readouterr().err


def test_every_kind_of_agent_is_looked_into(tmp_path):
    """Four kinds of agents, whose devices have metrics of lengths that tell nothing of whose they are."""
    env, params = gridjax.make("Resilience-v0")
    rng, shape = np.random.default_rng(0), (3, 40)
    obs, state = jax.eval_shape(env.reset, jax.random.key(0), params)
    acts = {group: np.zeros((n, *env.action_space(params)[group].shape)) for group, n in env.groups.items()}
    out = jax.eval_shape(env.transition, jax.random.key(0), state, acts, params)

    def drawn(tree):
        return jax.tree.map(lambda x: rng.uniform(-1.0, 1.0, (*shape, *x.shape)), tree)

    costs = {name: np.zeros(shape) for name in out.cost}
    costs["unserved"][1] = 1.0
    metrics = drawn(out.metrics) | {"energised": np.zeros(shape)}
    played = Recording(drawn(obs), drawn(acts), drawn(out.reward), costs, metrics, np.zeros(shape))

    found = actions(env, params, played)
    assert [entry["label"].split(" [")[0] for entry in found["load"]] == ["load shed", "heat pump"]
    assert is_png(plot_actions(found, tmp_path / "actions.png"))
    whose = correlations(env, params, played)
    assert set(whose) == set(env.groups)
    assert "cost: voltage" in whose["battery"]["constant"]
    assert is_png(plot_correlation(whose["battery"], tmp_path / "correlation.png"))

    worst = worst_cases(env, Cases(params, np.array([4, 8, 9])), played, None, 1)
    assert worst["ranked"][0]["name"] == "outage 8"
    assert worst["usual"] == {"unserved": 1.0}
    (voltage,) = [panel for panel in worst["panels"] if panel["label"] == "voltage (p.u.)"]
    assert np.isnan(voltage["series"]["lowest bus"]).all()  # all is dark
    assert is_png(plot_ranking(worst, tmp_path / "ranking.png"))
    assert is_png(plot_worst(worst, tmp_path / "worst.png"))


def test_a_metric_is_an_agent_s_own_where_there_is_one_kind_of_agent():
    each, one = np.arange(12.0).reshape(2, 3, 2), np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(_per_agent(each, 2, alone=True), each)
    # of two devices, which may be those of others
    np.testing.assert_array_equal(_per_agent(each, 2, alone=False)[..., 1], each.sum(axis=2))
    np.testing.assert_array_equal(_per_agent(one, 2, alone=True)[..., 0], one)


def test_many_agents_and_streams_are_drawn(tmp_path):
    edges = np.linspace(-1.0, 1.0, 42)
    entry = {"label": "push [N]", "edges": edges, "shares": np.full((200, 41), 1 / 41)}
    entry["quartiles"] = np.zeros((200, 3))
    choice = {"label": "pick", "levels": [0, 1], "shares": np.full((3, 2), 0.5)}
    assert is_png(plot_actions({"many": [entry], "few": [choice]}, tmp_path / "actions.png"))
    one = calibration(*np.random.default_rng(0).normal(size=(2, 100)))
    streams = {"reward": {"a": one, "b": one}, "cost far": {"a": one, "b": one}}
    assert is_png(plot_value_error({"streams": streams}, tmp_path / "values.png"))
    records = [
        {"step": 10 * k, "entropy": [1.0, 2.0], "entropy/a": [1.0, 1.5], "cost_value_error/far": [0.1, 0.2]}
        for k in range(3)
    ]
    series = learning_series(records)
    assert series["series"]["entropy"].keys() == {"", "a"}
    assert series["series"]["value_error"] == {"cost: far": [[0.1, 0.2]] * 3}
    assert is_png(plot_learning(series, tmp_path / "learning.png"))
    with pytest.raises(ValueError, match="no metric of an update"):
        plot_learning({"steps": [], "series": {}}, tmp_path / "none.png")
